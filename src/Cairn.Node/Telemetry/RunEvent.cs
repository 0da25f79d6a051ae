using System.Text.Json.Serialization;

namespace Cairn.Node;

/// <summary>Something worth telling: to the person who watches, and to the event log.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "event")]
[JsonDerivedType(typeof(RunStarted), "run-started")]
[JsonDerivedType(typeof(NodeStarted), "node-started")]
[JsonDerivedType(typeof(StageChanged), "stage")]
[JsonDerivedType(typeof(PeerTraining), "training")]
[JsonDerivedType(typeof(PeerTrained), "trained")]
[JsonDerivedType(typeof(UpdatePublished), "published")]
[JsonDerivedType(typeof(UpdatesJudged), "judged")]
[JsonDerivedType(typeof(RoundApplied), "applied")]
[JsonDerivedType(typeof(LossEvaluated), "evaluated")]
[JsonDerivedType(typeof(TextSampled), "sampled")]
[JsonDerivedType(typeof(CheckpointSaved), "checkpoint")]
[JsonDerivedType(typeof(OperationRefused), "refused")]
[JsonDerivedType(typeof(ReplicaHalted), "halted")]
[JsonDerivedType(typeof(DeltaNotPut), "delta-not-put")]
[JsonDerivedType(typeof(StoreDoesNotAnswer), "store-does-not-answer")]
[JsonDerivedType(typeof(ChainDoesNotAnswer), "chain-does-not-answer")]
[JsonDerivedType(typeof(RoundCannotBeHad), "round-cannot-be-had")]
[JsonDerivedType(typeof(BeganFromCheckpoint), "began-from-checkpoint")]
[JsonDerivedType(typeof(CheckpointRefused), "checkpoint-refused")]
[JsonDerivedType(typeof(UpdateLeftOut), "left-out")]
[JsonDerivedType(typeof(StageWaits), "stage-waits")]
[JsonDerivedType(typeof(RoundEnded), "round-ended")]
[JsonDerivedType(typeof(RunFinished), "run-finished")]
public abstract record RunEvent;

/// <summary>A process began, or went on with, a run.</summary>
/// <param name="Run">The run's name.</param>
/// <param name="RulesDigest">Digest of its rules.</param>
/// <param name="Resumed">True if the run had been begun before.</param>
/// <param name="Rounds">Rounds in all.</param>
/// <param name="Peers">Peers.</param>
/// <param name="Validators">Validators.</param>
/// <param name="Parameters">Parameters of the model.</param>
public sealed record RunStarted(string Run, string RulesDigest, bool Resumed, int Rounds, int Peers, int Validators, long Parameters) : RunEvent;

/// <summary>A node begins or goes on, as a process of its own.</summary>
/// <param name="Node">The node.</param>
/// <param name="Role">Peer or Validator.</param>
/// <param name="Run">The run's name.</param>
/// <param name="RulesDigest">Digest of its rules.</param>
/// <param name="Next">The first round that it has not applied.</param>
/// <param name="Rounds">Rounds planned.</param>
/// <param name="Health">Where it answers those who watch, or null.</param>
/// <param name="Needs">What it takes of the machine.</param>
public sealed record NodeStarted(
    string Node, string Role, string Run, string RulesDigest, int Next, int Rounds, string? Health = null, NodeNeeds? Needs = null) : RunEvent;

/// <summary>The ledger entered another stage.</summary>
/// <param name="Round">The round.</param>
/// <param name="Stage">Its stage.</param>
public sealed record StageChanged(int Round, string Stage) : RunEvent;

/// <summary>A peer is at some inner step.</summary>
/// <param name="Node">The peer.</param>
/// <param name="Round">The round.</param>
/// <param name="Step">Inner steps done.</param>
/// <param name="Steps">Inner steps of the round.</param>
public sealed record PeerTraining(string Node, int Round, int Step, int Steps) : RunEvent;

/// <summary>A peer has done its inner steps.</summary>
/// <param name="Node">The peer.</param>
/// <param name="Round">The round.</param>
/// <param name="FirstLoss">Mean loss of the first inner step, nats per token.</param>
/// <param name="LastLoss">Mean loss of the last inner step, nats per token.</param>
/// <param name="Tokens">Tokens trained on.</param>
/// <param name="Seconds">Time it took.</param>
/// <param name="IdleSeconds">Time since the training before in which there was no inner step to be done; null for the first of a process.</param>
/// <param name="RoundSeconds">Time from the end of the training before to the end of this one; null likewise.</param>
public sealed record PeerTrained(
    string Node, int Round, double FirstLoss, double LastLoss, long Tokens, double Seconds, double? IdleSeconds = null, double? RoundSeconds = null) : RunEvent;

/// <summary>A peer's update lies encrypted in the store.</summary>
/// <param name="Node">The peer.</param>
/// <param name="Round">The round.</param>
/// <param name="Bytes">Size of the object.</param>
/// <param name="Values">Values it holds.</param>
/// <param name="CompressionVsFp32">Dense fp32 bytes divided by the object's.</param>
public sealed record UpdatePublished(string Node, int Round, long Bytes, long Values, double CompressionVsFp32) : RunEvent;

/// <summary>A validator's word on one peer.</summary>
/// <param name="Peer">The peer's name.</param>
/// <param name="Uid">Its uid.</param>
/// <param name="Reason">"None" when accepted.</param>
/// <param name="Score">Improvement of the loss on assigned data, nats per token, when it was probed.</param>
/// <param name="HeldBack">Improvement on data that nobody was given, likewise.</param>
/// <param name="Clearness">By how many standard errors it improved its own data more than the other: what says that it worked.</param>
/// <param name="Work">The part of the work that was found of it so far, 0 to 1; null while nothing is known.</param>
/// <param name="Rating">Bounded rating, in its own units.</param>
/// <param name="Detail">More on a refusal, for people.</param>
public sealed record PeerVerdict(
    string Peer, int Uid, string Reason, double? Score, double? HeldBack, double? Clearness, double? Work, double Rating, string? Detail);

/// <summary>A validator has judged a round.</summary>
/// <param name="Node">The validator.</param>
/// <param name="Round">The round.</param>
/// <param name="Verdicts">Roster order.</param>
/// <param name="OverlapMax">The largest part of its places that any update shares with another, 0 to 1.</param>
public sealed record UpdatesJudged(string Node, int Round, IReadOnlyList<PeerVerdict> Verdicts, double OverlapMax) : RunEvent;

/// <summary>A node has applied a closed round.</summary>
/// <param name="Node">The node.</param>
/// <param name="Round">The round.</param>
/// <param name="Members">Updates in the manifest.</param>
/// <param name="BaseDigest">Its new base.</param>
public sealed record RoundApplied(string Node, int Round, int Members, string BaseDigest) : RunEvent;

/// <summary>The held-out loss after a round.</summary>
/// <param name="Round">The round; −1 before the first.</param>
/// <param name="Loss">Nats per token.</param>
/// <param name="BitsPerByte">Bits per byte of held-out text.</param>
/// <param name="Tokens">Tokens trained on so far by all peers whose updates were accepted.</param>
/// <param name="Seconds">Seconds since this process began.</param>
public sealed record LossEvaluated(int Round, double Loss, double BitsPerByte, long Tokens, double Seconds) : RunEvent;

/// <summary>What the model writes after a round, always from the same prompt and seed: before the first round, and at each settlement.</summary>
/// <param name="Round">The round; −1 before the first.</param>
/// <param name="Text">Prompt and continuation.</param>
public sealed record TextSampled(int Round, string Text) : RunEvent;

/// <summary>A checkpoint lies in the store and in the run's folder.</summary>
/// <param name="Node">Who published it.</param>
/// <param name="Round">After which round.</param>
/// <param name="Digest">Its digest.</param>
/// <param name="Folder">Where it can be loaded from.</param>
public sealed record CheckpointSaved(string Node, int Round, string Digest, string Folder) : RunEvent;

/// <summary>The ledger did not take an operation.</summary>
/// <param name="Node">Whose.</param>
/// <param name="Operation">Its kind.</param>
/// <param name="Reason">Why.</param>
public sealed record OperationRefused(string Node, string Operation, string Reason) : RunEvent;

/// <summary>A validator could not put the mean of a round in the store; the round stands, and others' means of it do as well.</summary>
/// <param name="Node">The validator.</param>
/// <param name="Round">The round.</param>
/// <param name="Detail">What the store said.</param>
public sealed record DeltaNotPut(string Node, int Round, string Detail) : RunEvent;

/// <summary>A node's own store did not take an object and did not refuse it either: it is asked again.</summary>
/// <param name="Node">The node.</param>
/// <param name="Key">Which object.</param>
/// <param name="Detail">What was seen.</param>
public sealed record StoreDoesNotAnswer(string Node, string Key, string Detail) : RunEvent;

/// <summary>The chain that orders the ledger cannot be followed, or does not take what is said; it is waited for.</summary>
/// <param name="Node">Who tells.</param>
/// <param name="Detail">What is wrong.</param>
public sealed record ChainDoesNotAnswer(string Node, string Detail) : RunEvent;

/// <summary>A node cannot get what a closed round needs, neither the updates nor a mean of them: it asks again.</summary>
/// <param name="Node">The node.</param>
/// <param name="Round">The round.</param>
/// <param name="Detail">What is missing.</param>
public sealed record RoundCannotBeHad(string Node, int Round, string Detail) : RunEvent;

/// <summary>A node without a state that it could go on from has begun from a checkpoint.</summary>
/// <param name="Node">The node.</param>
/// <param name="Round">The round after which the checkpoint stands.</param>
/// <param name="Digest">The checkpoint's digest, as the ledger names it.</param>
public sealed record BeganFromCheckpoint(string Node, int Round, string Digest) : RunEvent;

/// <summary>A node did not begin from a checkpoint that the ledger names.</summary>
/// <param name="Node">The node.</param>
/// <param name="Round">The round after which the checkpoint stands.</param>
/// <param name="Detail">What was wrong with what the store holds.</param>
public sealed record CheckpointRefused(string Node, int Round, string Detail) : RunEvent;

/// <summary>A node stopped since its replica differs from the quorum's even after recomputing.</summary>
/// <param name="Node">The node.</param>
/// <param name="Round">After which round.</param>
/// <param name="Own">Its base.</param>
/// <param name="Quorum">The quorum's base.</param>
public sealed record ReplicaHalted(string Node, int Round, string Own, string Quorum) : RunEvent;

/// <summary>An update that a peer committed to is not in the closed list of its round: validators refused it, or could not get it.</summary>
/// <param name="Node">The peer.</param>
/// <param name="Round">The round.</param>
/// <param name="Reasons">What validators said, each as often as it was said.</param>
public sealed record UpdateLeftOut(string Node, int Round, string Reasons) : RunEvent;

/// <summary>Nothing has happened on the ledger for a while: whom its stage waits for.</summary>
/// <param name="Round">The round.</param>
/// <param name="Stage">The stage.</param>
/// <param name="Seconds">For how long.</param>
/// <param name="Whom">Names of those who have not done in it what is theirs.</param>
public sealed record StageWaits(int Round, string Stage, double Seconds, IReadOnlyList<string> Whom) : RunEvent;

/// <summary>A round is over, as the ledger tells it.</summary>
/// <param name="Round">The round.</param>
/// <param name="Members">Updates in its manifest.</param>
/// <param name="Roster">Peers that had a place in it.</param>
/// <param name="BaseDigest">The base after it, of validators with more than half of the bond; null if they did not say.</param>
/// <param name="Agreement">True if everybody who posted a base posted the same.</param>
public sealed record RoundEnded(int Round, int Members, int Roster, string? BaseDigest, bool Agreement) : RunEvent;

/// <summary>The process is done with the run.</summary>
/// <param name="Rounds">Rounds done.</param>
/// <param name="Finished">True if that is all of them.</param>
/// <param name="BaseDigest">The base.</param>
public sealed record RunFinished(int Rounds, bool Finished, string BaseDigest) : RunEvent;
