using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Protocol.Tests.Simulation;

/// <summary>What validators say, and what liars say instead.</summary>
internal static class SimJudge
{
    public static Digest Receipt(IReadOnlyList<long> samples)
    {
        using var hasher = new Hasher("simulation/receipt");
        foreach (var sample in samples)
        {
            hasher.Append(sample);
        }

        return hasher.Finish();
    }

    public static Verdict Judge(World world, SimNode node, LedgerState view) =>
        new(view.CurrentRound, [.. view.Roster.Select(entry => Judge(world, node, view, entry.Uid))]);

    /// <summary>Shares in equal parts among the peers whose updates were ever accepted.</summary>
    public static PostShares Divide(LedgerState view, Digest checkpoint)
    {
        var paid = view.Members.Where(m => m.Role == Role.Peer && view.AcceptedOf(m.Uid) > 0).Select(m => m.Uid).ToList();
        return new PostShares(
            view.CurrentRound,
            [.. paid.Select((uid, i) => new ShareEntry(uid, (Shares.One / paid.Count) + (i == 0 ? Shares.One % paid.Count : 0)))], checkpoint);
    }

    /// <summary>Another statement for the same slot, or null where only one is possible.</summary>
    public static Operation? Otherwise(Operation operation) => operation switch
    {
        Commit o => o with { Root = Digest.Of("simulation/other", []) },
        PostBase o => o with { BaseDigest = Digest.Of("simulation/other", []) },
        Verdict o => o with { Entries = [.. o.Entries.Select(e => new VerdictEntry(e.Uid, Rejection.Malformed, 0))] },
        PostShares o => o with { CheckpointDigest = Digest.Of("simulation/other", []) },
        _ => null,
    };

    private static VerdictEntry Judge(World world, SimNode node, LedgerState view, Uid uid)
    {
        var round = view.CurrentRound.Number;
        var reason = view.OpeningOf(uid) is not { } opening ? Rejection.Missing
            : opening.BaseDigest != node.Replica.Base ? Rejection.WrongBase
            : opening.Receipt != Receipt(view.SamplesOf(uid)) ? Rejection.WrongSamples
            : world.Fate("cheat", world.Nodes[uid.Value].Trait.CheatsPerMille, uid.Value, round) ? Rejection.Harmful
            : world.Fate("odd", node.Trait.OddPerMille, node.Uid.Value, uid.Value, round) ? Rejection.Copied
            : Rejection.None;
        return new VerdictEntry(uid, reason, reason == Rejection.None ? view.Rules.SamplesPerPeer : 0);
    }
}
