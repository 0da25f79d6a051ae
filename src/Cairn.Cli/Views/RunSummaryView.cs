using Cairn.Node;

namespace Cairn.Cli.Views;

/// <summary>A run's summary for people.</summary>
internal static class RunSummaryView
{
    private const int RoundsShown = 10;

    public static void Write(RunSummary run, TextWriter output)
    {
        output.WriteLine($"run {run.Name}   {run.Folder}");
        output.WriteLine($"rules {run.RulesDigest}   seed {run.Seed}");
        output.WriteLine($"model {run.Preset}: {run.Parameters:N0} parameters   {run.TrainSamples:N0} samples of {run.Context} tokens");
        output.WriteLine($"ledger {run.Height} blocks, verified   round {run.RoundsClosed}/{run.Rounds}, {(run.Paused ? "paused by its validators" : run.Stage)}");
        if (run.Anneal is { } anneal)
        {
            output.WriteLine($"anneals {anneal}");
        }

        RulesView.Write(run.Rules, output);
        output.WriteLine($"replicas {(run.DigestAgreement ? "posted the same base after every round" : "DIFFERED: see the rounds below")}");
        output.WriteLine("\nuid  name          role        bond      reward         accepted  refused  share");
        foreach (var member in run.Members)
        {
            output.WriteLine(
                $"{member.Uid,3}  {member.Name,-12}  {member.Role,-9}  {member.Bond,9:N0}  {member.Reward,13:N0}  " +
                $"{member.Accepted,8}  {member.Refused,7}  {100 * member.Share:F1} %{(member.Left ? "  left" : "")}");
        }

        var money = run.Money;
        output.WriteLine(
            $"\npaid {money.Minted - money.AuditFund:N0}   waits until work can be told {money.Unpaid:N0}   " +
            $"laid aside for audits {money.AuditFund:N0}   cut off bonds and burned {money.Burned:N0}");
        foreach (var slash in money.Slashes)
        {
            output.WriteLine($"round {slash.Round}: {slash.Amount:N0} cut off the bond of uid {slash.Uid} ({slash.Reason}, evidence {slash.Evidence[..16]})");
        }

        output.WriteLine($"\nround  updates  samples  base{(run.History.Count > RoundsShown ? $"   (the last {RoundsShown} of {run.History.Count})" : "")}");
        foreach (var round in run.History.TakeLast(RoundsShown))
        {
            output.WriteLine($"{round.Round,5}  {round.Members,7}  {round.Samples,7}  {round.BaseDigest?[..16] ?? "–"}{(round.Agreement ? "" : "  DIFFERS")}");
        }

        output.WriteLine($"\ncheckpoint {run.Checkpoint ?? "none yet"}");
        if (run.LossFinal is { } final)
        {
            output.WriteLine($"held-out loss {run.LossInitial:F4} → {final:F4} nats/token (from report.json)");
        }
    }
}
