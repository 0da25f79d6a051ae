using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Node;

/// <summary>Writes <c>report.json</c> from what anyone could check: the ledger, replayed from its first block, and the event log for the times.</summary>
internal static class ReportWriter
{
    public static RunReport Write(RunContext run, HeldOutLoss initial, HeldOutLoss final, Replica replica)
    {
        using var ledger = EmbeddedLedger.Open(run.Directory.Ledger, readOnly: true);
        var history = LedgerHistory.Replay(ledger);
        var state = history.State;
        var (tokens, seconds) = (state.SamplesTrained * run.Rules.Model.Context, SecondsWorked(run.Directory.Events));
        var bytes = MeanOf(history.UpdateBytes, run.ObjectBytesMax);
        var rewards = Math.Max(1, state.Members.Where(m => m.Role == Role.Peer).Sum(m => m.Reward));
        var report = new RunReport(
            replica.Next.Number, state.Members.Count(m => m.Role == Role.Peer), tokens, seconds, seconds > 0 ? tokens / seconds : 0,
            initial.Loss, final.Loss, initial.BitsPerByte, final.BitsPerByte, replica.BaseDigest.ToString(), history.Agreement,
            bytes, bytes * 8 / run.Grid.ValueCount, bytes > 0 ? 4.0 * run.Grid.ElementCount / bytes : 0,
            [.. state.Members.Where(m => m.Role == Role.Peer).Select(m => new PeerReport(
                m.Name, (int)state.AcceptedOf(m.Uid), (int)state.RejectionsOf(m.Uid), (double)m.Reward / rewards))],
            UtilisationOf(run.Directory.Events));
        DurableFile.Write(run.Directory.Report, report.ToJson());
        return report;
    }

    /// <summary>The mean size of updates. Anybody may open a commit with any size, and the rules then refuse it: more than they allow is counted as that.</summary>
    internal static double MeanOf(IEnumerable<long> sizes, long most) => sizes.Select(size => (double)Math.Min(size, most)).DefaultIfEmpty(0).Average();

    private static List<PeerUtilisation> UtilisationOf(string events)
    {
        var times = new SortedDictionary<string, (double Idle, double Whole)>(StringComparer.Ordinal);
        foreach (var line in EventLog.Read(events))
        {
            if (line.Data is PeerTrained { IdleSeconds: { } idle, RoundSeconds: > 0 and var whole } trained)
            {
                var before = times.GetValueOrDefault(trained.Node);
                times[trained.Node] = (before.Idle + idle, before.Whole + whole);
            }
        }

        return [.. times.Select(peer => new PeerUtilisation(peer.Key, Math.Clamp(1 - (peer.Value.Idle / peer.Value.Whole), 0, 1)))];
    }

    // From the start of each process to the last thing it told: right also for a process that was killed.
    private static double SecondsWorked(string events)
    {
        var total = TimeSpan.Zero;
        DateTimeOffset? first = null;
        DateTimeOffset? last = null;
        foreach (var line in EventLog.Read(events))
        {
            if (line.Data is RunStarted)
            {
                total += last - first ?? TimeSpan.Zero;
                first = line.Time;
            }

            last = line.Time;
        }

        return (total + (last - first ?? TimeSpan.Zero)).TotalSeconds;
    }
}
