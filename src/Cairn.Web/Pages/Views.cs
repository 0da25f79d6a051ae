using System.Text.Json.Serialization;

namespace Cairn.Web;

/// <summary>What a run is; does not change while it goes on.</summary>
internal sealed record RunView(
    string Name, string Folder, string RulesDigest, string Ledger, ulong Seed, string Preset, long Parameters, int Layers, int Dim, int Context, int Vocabulary,
    int Rounds, int PeersMax, int InnerSteps, int Batch, int SettleEvery, long TrainSamples, long HeldOutSamples, string Combination, double Speed,
    long AnnealSamples, int AnnealFrom);

/// <summary>A stage of the round in progress, or of the last whole round.</summary>
internal sealed record StageView(string Name, DateTimeOffset? Began, double? Seconds, int Done, int Of);

/// <summary>Where a run stands: sent to every viewer whenever it changes.</summary>
internal sealed record NowView(
    long Version, DateTimeOffset Time, double Speed, bool CaughtUp, string? Failure, int Round, int Rounds, string Stage, bool Paused, bool Finished,
    DateTimeOffset? LastSign, IReadOnlyList<string> Whom, int WhomCount, IReadOnlyList<StageView> Stages, IReadOnlyList<StageView> Before, int Roster, int Members,
    int PeersPresent, int ValidatorsPresent, long Tokens, double? TokensPerSecond, double? RoundSeconds, double? Utilisation, long Bytes, double? BytesPerUpdate,
    double? Compression, long Height, string Tip, bool Agreement, string? Base, double? LossFirst, double? Loss, double? BitsPerByteFirst, double? BitsPerByte,
    int CurveGeneration, int CurvePoints, int Texts, int Baselines, bool Logged, int Checkpoints, bool Annealing, IReadOnlyList<NoteView> Notes);

/// <summary>Something that people should know.</summary>
internal sealed record NoteView(DateTimeOffset Time, int? Round, string? Who, string What);

/// <summary>A piece of the curve.</summary>
internal sealed record CurveView(int Generation, int From, IReadOnlyList<double[]> Points);

/// <summary>Another way of training at equal tokens.</summary>
internal sealed record BaselineView(string Name, double? LossFinal, double? BitsPerByteFinal, string? Sample, IReadOnlyList<double[]> Points);

/// <summary>What the model wrote.</summary>
internal sealed record TextView(int Round, string Text);

/// <summary>A line of the members.</summary>
internal sealed record MemberView(
    int Uid, string Name, string Role, int Since, bool Active, bool Left, bool InRoster, long Bond, long Reward, double Share, long Accepted, long Refused,
    double? Rating, double? Score, double? Work, double? TrainLoss, long BytesSent, string? LastRefusal, int? LastRefusalRound, IReadOnlyList<ReasonView> Reasons);

/// <summary>How often something was said against a peer.</summary>
internal sealed record ReasonView(string Reason, int Times);

/// <summary>Members, and their money in all.</summary>
internal sealed record MembersView(long Minted, long Unpaid, long AuditFund, long Burned, IReadOnlyList<MemberView> Members);

/// <summary>One member in full.</summary>
internal sealed record MemberDetailView(
    MemberView Member, string Key, string Place, int AbsentRounds, int Samples, IReadOnlyList<PeerRoundView> Rounds, IReadOnlyList<SlashView> Slashes,
    ContributionView? Contribution);

/// <summary>A measured difference of held-out loss, nats per token: above 0 it was lowered.</summary>
internal sealed record LossChangeView(double Nats, double? StandardError);

/// <summary>What one peer's updates did in the rounds that were measured.</summary>
internal sealed record ContributionView(
    int Uid, int Rounds, LossChangeView? Contribution, LossChangeView? LeftOut, double? Weight, double? OverlapMax, int Copies);

/// <summary>What peers' updates did in the rounds that were measured.</summary>
internal sealed record ContributionsView(
    int Rounds, int Sequences, LossChangeView? Improved, double? SumOfContributions, IReadOnlyList<ContributionView> Peers);

/// <summary>A peer in a round.</summary>
internal sealed record PeerRoundView(int Round, bool Counted, string? Reason, int Samples, long Bytes, double? Rating, double? Score, double? TrainLoss);

/// <summary>A cut of a bond.</summary>
internal sealed record SlashView(int Round, int Uid, string Name, string Reason, long Amount, string Evidence);

/// <summary>A line of the rounds.</summary>
internal sealed record RoundView(
    int Round, int Roster, int? Members, long Samples, long Bytes, double? Seconds, double? Loss, double? BitsPerByte, string? Base, string? Manifest, bool Agreement,
    int Timeouts, bool Settles, DateTimeOffset? Began);

/// <summary>Rounds, the newest first.</summary>
internal sealed record RoundsView(int First, int Last, IReadOnlyList<RoundView> Rounds);

/// <summary>One round in full.</summary>
internal sealed record RoundDetailView(
    RoundView Round, IReadOnlyList<StageView> Stages, long FirstHeight, long LastHeight, bool Cut, IReadOnlyList<OperationView> Operations,
    IReadOnlyList<ManifestView> Manifest, IReadOnlyList<BaseView> Bases, IReadOnlyList<EvidenceView> Evidence);

/// <summary>An operation of the ledger.</summary>
internal sealed record OperationView(long Height, string Kind, int Uid, string Who, string Role, string What, string? Digest, int? Round);

/// <summary>An update of a manifest.</summary>
internal sealed record ManifestView(int Uid, string Name, string Object, long Bytes, long Weight, double Part);

/// <summary>The base that a member posted.</summary>
internal sealed record BaseView(int Uid, string Name, string Role, string Digest, bool Agrees);

/// <summary>What a validator found of an update.</summary>
internal sealed record EvidenceView(
    string Validator, int Uid, string Peer, string Reason, double? Score, double? HeldBack, double? Clearness, double? Work, double? Rating, string? Detail);

/// <summary>A block.</summary>
internal sealed record BlockView(long Height, string Hash, string Previous, int Bytes, IReadOnlyList<OperationView> Operations);

/// <summary>Blocks, the newest first.</summary>
internal sealed record BlocksView(
    long Height, string Genesis, string Rules, string Tip, bool Verified, string? Failure, IReadOnlyList<BlockView> Blocks);

/// <summary>What a search found.</summary>
internal sealed record SearchView(string Query, IReadOnlyList<HitView> Hits);

/// <summary>One thing found.</summary>
internal sealed record HitView(string Kind, string Title, string Where);

/// <summary>A checkpoint that validators agreed on.</summary>
/// <param name="State">here, coming, elsewhere (in a store on the network), or gone.</param>
/// <param name="Trouble">Why it could not be fetched, or null.</param>
/// <param name="Evaluations">What evaluators found of it.</param>
/// <param name="Text">What it writes, from the log or an evaluator, or null.</param>
/// <param name="TextAtStart">What the model wrote before training, likewise.</param>
/// <param name="TextCentral">What the baseline writes, or null.</param>
internal sealed record CheckpointView(
    int Round, string Digest, string State, long Bytes, double? Loss, double? BitsPerByte, IReadOnlyList<FileView> Files, string? Trouble,
    IReadOnlyList<EvaluationView> Evaluations, string? Text, string? TextAtStart, string? TextCentral);

/// <summary>What an evaluator found of a checkpoint.</summary>
internal sealed record EvaluationView(
    string By, int Sequences, double? Loss, double? StandardError, double? BitsPerByte, IReadOnlyList<EvaluatedTextView> Texts, IReadOnlyList<EvaluatedTaskView> Tasks);

/// <summary>A text that was predicted.</summary>
internal sealed record EvaluatedTextView(string Name, double? BitsPerByte);

/// <summary>A measure of a task.</summary>
internal sealed record EvaluatedTaskView(string Task, string Metric, double? Mean, double? StandardError, int Count);

/// <summary>A file of a checkpoint.</summary>
internal sealed record FileView(string Name, long Bytes);

/// <summary>What keeps a run waiting.</summary>
internal sealed record WaitsView(
    int Round, string Stage, bool Paused, bool Finished, double? QuietSeconds, int StageSecondsMax, IReadOnlyList<AwaitedView> Whom, IReadOnlyList<NodeView> Nodes,
    IReadOnlyList<NoteView> Notes);

/// <summary>Somebody whom the stage waits for.</summary>
internal sealed record AwaitedView(int Uid, string Name, string Role, string For);

/// <summary>A node on this machine, as its status tells.</summary>
internal sealed record NodeView(
    string Name, string? Role, int Applied, string WaitsFor, IReadOnlyList<string> Whom, double SinceSeconds, string? Trouble, double? Utilisation, bool Finished,
    bool Halted);

/// <summary>Why a request was not answered.</summary>
internal sealed record ErrorView(string Error);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RunView))]
[JsonSerializable(typeof(NowView))]
[JsonSerializable(typeof(CurveView))]
[JsonSerializable(typeof(IReadOnlyList<TextView>))]
[JsonSerializable(typeof(IReadOnlyList<BaselineView>))]
[JsonSerializable(typeof(MembersView))]
[JsonSerializable(typeof(MemberDetailView))]
[JsonSerializable(typeof(RoundsView))]
[JsonSerializable(typeof(RoundDetailView))]
[JsonSerializable(typeof(BlocksView))]
[JsonSerializable(typeof(BlockView))]
[JsonSerializable(typeof(SearchView))]
[JsonSerializable(typeof(IReadOnlyList<CheckpointView>))]
[JsonSerializable(typeof(WaitsView))]
[JsonSerializable(typeof(ErrorView))]
[JsonSerializable(typeof(TalkRequest))]
internal sealed partial class ViewJson : JsonSerializerContext;
