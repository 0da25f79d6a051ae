using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Web;

/// <summary>Operations of the ledger in words.</summary>
internal static class OperationWords
{
    /// <summary>An operation as people read it. Under the gate.</summary>
    public static OperationView View(RunBook book, long height, SignedOperation signed)
    {
        var member = book.State.Find(signed.Author);
        var (what, digest, round) = Say(book, signed.Operation);
        return new OperationView(
            height, signed.Operation.GetType().Name, member?.Uid.Value ?? -1, member?.Name ?? "?", member?.Role.ToString() ?? "", what, digest?.ToString(), round);
    }

    private static (string What, Digest? Digest, int? Round) Say(RunBook book, Operation operation) => operation switch
    {
        Register register => ($"registers as a {register.Role.ToString().ToLowerInvariant()} called {register.Name}", null, null),
        Commit commit => ("commits to its update", commit.Root, commit.Round.Number),
        Reveal reveal => ($"opens its commit: {reveal.Opening.SizeBytes:N0} bytes", reveal.Opening.ObjectDigest, reveal.Round.Number),
        Beacon beacon => ("reveals its part of the randomness", beacon.Preimage, beacon.Round.Number),
        Verdict verdict => (Say(book, verdict), null, verdict.Round.Number),
        PostBase posted => ("posts the digest of its new base", posted.BaseDigest, posted.Round.Number),
        PostShares posted => (
            posted.Shares.Count == 0 ? "posts no shares" : $"posts shares of {posted.Shares.Count} peers",
            posted.CheckpointDigest.IsZero ? null : posted.CheckpointDigest, posted.Round.Number),
        Ledger.Timeout timeout => ($"says that {timeout.Stage.ToString().ToLowerInvariant()} has lasted too long", null, timeout.Round.Number),
        Return back => ("is back", null, back.Round.Number),
        Accuse accuse => ($"shows two statements of {NameOf(book, accuse.First.Author)} that contradict each other", null, null),
        VoteSlash vote => ($"votes to cut the bond of {NameOf(book, vote.Uid)}: {vote.Reason}", vote.Evidence, vote.Round.Number),
        Exit exit => ("leaves for good", null, exit.Round.Number),
        VotePause vote => (vote.Paused ? "votes to pause the run" : "votes to let the run go on", null, vote.Round.Number),
        VoteRules { Changes.Count: 0 } vote => ("takes back its vote for other rules", null, vote.Round.Number),
        VoteRules vote => (
            $"votes for other rules from round {vote.From.Number + 1} on: {string.Join(", ", vote.Changes.Select(ChangeableRule.Say))}", vote.Proposal,
            vote.Round.Number),
        Announce announce => ($"announces its store: {announce.Place}", null, announce.Round.Number),
        Declare declare => ($"declares {declare.Samples:N0} samples a round", null, declare.Round.Number),
        _ => (operation.GetType().Name, null, null),
    };

    private static string Say(RunBook book, Verdict verdict)
    {
        var refused = verdict.Entries.Where(entry => entry.Reason != Rejection.None).ToList();
        var accepted = verdict.Entries.Count - refused.Count;
        const int Named = 8;
        return refused.Count == 0 ? $"accepts all {accepted} updates"
            : $"accepts {accepted}, refuses {refused.Count}: " + string.Join(", ", refused.Take(Named).Select(entry => $"{NameOf(book, entry.Uid)} ({entry.Reason})"))
                + (refused.Count > Named ? ", …" : "");
    }

    private static string NameOf(RunBook book, Uid uid) => uid.Value < book.State.Members.Count ? book.State.Members[uid.Value].Name : $"uid {uid.Value}";

    private static string NameOf(RunBook book, PublicKey key) => book.State.Find(key)?.Name ?? "?";
}
