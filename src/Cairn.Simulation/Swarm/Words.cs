using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Simulation;

/// <summary>Events and effects as one line each: the language of transcripts.</summary>
internal static class Words
{
    public static string Of(NodeEvent happened) => happened switch
    {
        LedgerMoved e => $"ledger: {e.Ledger.Stage} of round {e.Ledger.CurrentRound}",
        Trained e => $"trained round {e.Round}{(e.Usable ? "" : ", diverged")}",
        Encoded e => $"encoded round {e.Round}{(e.Usable ? "" : ", unusable")}",
        Published e => $"published round {e.Round}",
        Applied e => $"applied round {e.Round}: base {e.BaseDigest.Short}",
        Recomputed e => $"recomputed round {e.Round}: base {e.BaseDigest.Short}",
        WentBack e => $"went back to before round {e.Round}",
        Judged e => $"judged round {e.Round}",
        SharesReady e => $"shares of round {e.Round} are ready",
        DeadlinePassed e => $"deadline passed: {e.Stage} of round {e.Round}",
        _ => throw new ArgumentOutOfRangeException(nameof(happened)),
    };

    public static string Of(Effect effect) => effect switch
    {
        RunInnerSteps e => $"train round {e.Round}",
        EncodeUpdate e => $"encode the update of round {e.Round}",
        PublishUpdate e => $"publish the update of round {e.Round}",
        Submit e => "say " + Of(e.Operation),
        SubmitBeacon e => $"say the beacon of round {e.Round}",
        ApplyManifest e => $"apply round {e.Round}: {e.Manifest.Entries.Count} updates{(e.Included ? ", own included" : "")}",
        Recompute e => $"recompute round {e.Round}",
        CatchUp e => $"go back to before round {e.Round}, the quorum has {e.Quorum.Short}",
        JudgeUpdates e => $"judge round {e.Round}",
        PrepareSettlement e => $"prepare the settlement of round {e.Round}",
        Evaluate e => $"evaluate after round {e.Round}",
        ArmDeadline e => $"arm the deadline{(e.Again ? " again" : "")}: {e.Stage} of round {e.Round}",
        Halt e => $"halt after round {e.Round}: own {e.Own.Short}, quorum {e.Quorum.Short}",
        Finish => "finish",
        _ => throw new ArgumentOutOfRangeException(nameof(effect)),
    };

    public static string Of(Operation operation) => operation switch
    {
        Verdict o => $"{Slot(o)}: {string.Join(", ", o.Entries.Select(e => $"{e.Uid} {e.Reason} {e.Samples}"))}",
        PostBase o => $"{Slot(o)}: {o.BaseDigest.Short}",
        PostShares o => $"{Slot(o)}: {string.Join(", ", o.Shares.Select(share => $"{share.Uid} {share.Share / 10_000_000} %"))}",
        VoteRules o => $"{Slot(o)}: from round {o.From} on {string.Join(", ", o.Changes.Select(ChangeableRule.Say))}",
        Declare o => $"{Slot(o)}: {o.Samples}",
        Announce o => $"{Slot(o)}: {o.Place}",
        _ => Slot(operation),
    };

    /// <summary>The slot of which a member may fill one only.</summary>
    public static string Slot(Operation operation) => operation switch
    {
        Commit o => $"commit of round {o.Round}",
        Reveal o => $"opening of round {o.Round}",
        Beacon o => $"beacon of round {o.Round}",
        Verdict o => $"verdict of round {o.Round}",
        PostBase o => $"base after round {o.Round}",
        PostShares o => $"shares of round {o.Round}",
        Ledger.Timeout o => $"timeout of {o.Stage} of round {o.Round}",
        Return o => $"return in round {o.Round}",
        Register o => $"registration of {o.Name}",
        VoteRules o => $"vote on rules in round {o.Round}",
        Declare o => $"samples declared in round {o.Round}",
        Announce o => $"place announced in round {o.Round}",
        _ => throw new ArgumentOutOfRangeException(nameof(operation)),
    };
}
