using Cairn.Node;

namespace Cairn.Cli.Views;

/// <summary>An account of a run's samples for people.</summary>
internal static class SampleAuditView
{
    public static string Of(SampleAudit audit) =>
        $"planned {audit.Planned:N0}   trained {audit.Trained:N0}   twice {audit.Duplicates:N0}   missing {audit.Missing:N0}   " +
        $"waiting {audit.Waiting:N0}   in work {audit.InWork:N0}\n" +
        (audit.Annealed is { } annealed ? $"of the annealing part {annealed:N0}   out of their time {audit.Misplaced:N0}\n" : "") +
        string.Concat(audit.PerPeer.Select(LineOf)) +
        (audit.Holds ? "every sample was trained exactly as often as planned" : "THE ACCOUNT DOES NOT CLOSE");

    private static string LineOf(TrainedSamples peer)
    {
        var receipts = peer.BadReceipts == 0 ? "right" : $"WRONG in {peer.BadReceipts}";
        return $"uid {peer.Uid,3}  {peer.Name,-12}  {peer.Rounds,6} rounds  {peer.Samples,10:N0} samples  receipts {receipts}\n";
    }
}
