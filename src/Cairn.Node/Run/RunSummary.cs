using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Base;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>A member of a run.</summary>
/// <param name="Uid">In order of registration.</param>
/// <param name="Name">What people call it.</param>
/// <param name="Role">Peer or Validator.</param>
/// <param name="Bond">What it stakes.</param>
/// <param name="Reward">What it was paid.</param>
/// <param name="Accepted">Updates that stood in a manifest.</param>
/// <param name="Refused">Updates that did not.</param>
/// <param name="Share">Its part of what was paid to members, 0 to 1.</param>
/// <param name="Left">True if it left for good.</param>
public sealed record MemberSummary(int Uid, string Name, string Role, long Bond, long Reward, long Accepted, long Refused, double Share, bool Left);

/// <summary>A cut of a bond.</summary>
/// <param name="Round">When.</param>
/// <param name="Uid">Whose.</param>
/// <param name="Reason">Why.</param>
/// <param name="Amount">What was cut and burned.</param>
/// <param name="Evidence">Names the proof.</param>
public sealed record SlashSummary(int Round, int Uid, string Reason, long Amount, string Evidence);

/// <summary>The money of a run, in its smallest unit.</summary>
/// <param name="Minted">Paid out by settlements in all.</param>
/// <param name="Unpaid">What waits for the next settlement, since nothing could be told yet.</param>
/// <param name="AuditFund">Laid aside for audits.</param>
/// <param name="Burned">Cut off bonds.</param>
/// <param name="Slashes">Every cut.</param>
public sealed record MoneySummary(long Minted, long Unpaid, long AuditFund, long Burned, IReadOnlyList<SlashSummary> Slashes);

/// <summary>A closed round.</summary>
/// <param name="Round">The round.</param>
/// <param name="Members">Updates in the manifest.</param>
/// <param name="Samples">Samples they trained on.</param>
/// <param name="Manifest">Digest of the manifest.</param>
/// <param name="BaseDigest">What validators with more than half of the bond posted, or null.</param>
/// <param name="Agreement">True if everybody who posted a base posted the same.</param>
public sealed record RoundSummary(int Round, int Members, long Samples, string Manifest, string? BaseDigest, bool Agreement);

/// <summary>What a run's own files say of it, the ledger verified from its first block.</summary>
/// <param name="Name">The run.</param>
/// <param name="Folder">Where it lies.</param>
/// <param name="RulesDigest">Digest of its rules.</param>
/// <param name="Seed">Its seed.</param>
/// <param name="Preset">Size of the model.</param>
/// <param name="Parameters">Parameters.</param>
/// <param name="Context">Tokens per sample.</param>
/// <param name="TrainSamples">Samples in the data.</param>
/// <param name="Rounds">Rounds in all.</param>
/// <param name="RoundsClosed">Rounds closed.</param>
/// <param name="Stage">Where the current round stands.</param>
/// <param name="Height">Blocks.</param>
/// <param name="Members">Members in uid order.</param>
/// <param name="History">Closed rounds.</param>
/// <param name="DigestAgreement">True if every round's bases agree.</param>
/// <param name="Checkpoint">The newest checkpoint's folder, or null.</param>
/// <param name="LossInitial">From the report, or null.</param>
/// <param name="LossFinal">From the report, or null.</param>
/// <param name="Paused">True if its validators have stopped it.</param>
/// <param name="Money">What was paid, laid aside and cut.</param>
/// <param name="Rules">Changes of its rules.</param>
/// <param name="Anneal">How it ends, or null.</param>
public sealed record RunSummary(
    string Name, string Folder, string RulesDigest, ulong Seed, string Preset, long Parameters, int Context, long TrainSamples, int Rounds, int RoundsClosed,
    string Stage, long Height, IReadOnlyList<MemberSummary> Members, IReadOnlyList<RoundSummary> History, bool DigestAgreement,
    string? Checkpoint, double? LossInitial, double? LossFinal, bool Paused, MoneySummary Money, RulesSummary Rules, AnnealRules? Anneal)
{
    /// <summary>One line of JSON.</summary>
    public string ToJsonLine() => JsonSerializer.Serialize(this, SummaryJson.Default.RunSummary);

    /// <summary>Reads and verifies a run; writes nothing, and may be called while the run goes on.</summary>
    /// <param name="directory">The run.</param>
    /// <exception cref="InputException">There is no run, or its files are damaged.</exception>
    public static RunSummary Read(RunDirectory directory)
    {
        if (!directory.HoldsRun)
        {
            throw new InputException($"{directory.Root} holds no run: begin one with cairn swarm --dir {directory.Root}.");
        }

        var rules = RunRulesFile.Read(File.ReadAllBytes(directory.Rules), directory.Rules);
        using var ledger = EmbeddedLedger.Open(directory.Ledger, readOnly: true);
        if (ledger.Genesis.RulesDigest != rules.ComputeDigest())
        {
            throw new InputException($"{directory.Ledger} belongs to other rules than {directory.Rules}: restore both from one copy of the run.");
        }

        var history = LedgerHistory.Replay(ledger);
        var state = history.State;
        var rewards = Math.Max(1, state.Members.Sum(m => m.Reward));
        var report = File.Exists(directory.Report) ? RunReport.Read(File.ReadAllBytes(directory.Report)) : null;
        if (report?.BaseDigest != history.Rounds.LastOrDefault()?.BaseDigest)
        {
            // Of another time than the ledger, or of another run.
            report = null;
        }

        return new RunSummary(
            rules.Name, directory.Root, rules.ComputeDigest().ToString(), rules.Seed, rules.Model.Preset, rules.Model.ParameterCount, rules.Model.Context,
            rules.Data.TrainSamples, rules.Round.Rounds, history.Rounds.Count, state.Stage.ToString(), state.Height,
            [.. state.Members.Select(m => new MemberSummary(
                m.Uid.Value, m.Name, m.Role.ToString(), m.Bond, m.Reward,
                m.Role == Role.Peer ? state.AcceptedOf(m.Uid) : 0, m.Role == Role.Peer ? state.RejectionsOf(m.Uid) : 0, (double)m.Reward / rewards, m.HasLeft))],
            history.Rounds, history.Agreement, CheckpointFolder.OfLedger(directory, state)?.Folder, report?.LossInitial, report?.LossFinal, state.Paused,
            new MoneySummary(
                state.Minted, state.Unpaid, state.AuditFund, state.Burned,
                [.. state.Slashes.Select(s => new SlashSummary(s.Round.Number, s.Uid.Value, s.Reason.ToString(), s.Amount, s.Evidence.ToString()))]),
            RulesSummary.Of(state), rules.Anneal);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RunSummary))]
internal sealed partial class SummaryJson : JsonSerializerContext;
