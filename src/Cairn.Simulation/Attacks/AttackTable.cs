using System.Globalization;
using System.Text;

namespace Cairn.Simulation;

/// <summary>One row: an adversary at one part of the peers, judged or not, over its seeds.</summary>
/// <param name="Adversary">Which.</param>
/// <param name="Cheats">How many of the peers.</param>
/// <param name="Gauntlet">Whether they were judged.</param>
/// <param name="Seeds">Seeds.</param>
/// <param name="Loss">Mean of the final losses.</param>
/// <param name="Excess">Mean over seeds of the loss above the clean run's with as many honest peers, as a part of that.</param>
/// <param name="ExcessError">Standard error of that mean; null with one seed.</param>
/// <param name="Pay">What a cheat earned for work not done, as a part of an honest peer's pay.</param>
/// <param name="Captured">What all cheats earned, of all pay to peers.</param>
/// <param name="RoundsAdmitted">Rounds in which a cheat's update was admitted, in the mean.</param>
/// <param name="RoundsUntilOut">Until nothing of any cheat was admitted any more; −1 for never.</param>
/// <param name="Trigger">How often the back door opens; null where none was laid.</param>
/// <param name="LossHeld">The bar of the loss: within the larger of 2 % and two standard errors.</param>
/// <param name="PayHeld">The bar of the pay.</param>
public sealed record AttackRow(
    string Adversary, int Cheats, bool Gauntlet, int Seeds, double Loss, double Excess, double? ExcessError, double Pay, double Captured,
    double RoundsAdmitted, double RoundsUntilOut, double? Trigger, bool LossHeld, bool PayHeld);

/// <summary>The attack table: rows from finished runs, and the page that says what is held and what is not.</summary>
public static class AttackTable
{
    private const double LossMax = 0.02;
    private const double PayMax = 0.05;

    /// <summary>Makes the rows of all adversaries whose runs are finished with their clean ones.</summary>
    /// <param name="results">Finished runs.</param>
    public static IReadOnlyList<AttackRow> RowsOf(IReadOnlyList<AttackResult> results)
    {
        var clean = results.Where(result => result.Case.Adversary is null).ToDictionary(result => (result.Case.Cheats, result.Case.Seed), result => result.Loss);
        return
        [
            .. results.Where(result => result.Case.Adversary is not null && clean.ContainsKey((result.Case.Cheats, result.Case.Seed)))
                .GroupBy(result => (result.Case.Adversary!, result.Case.Cheats, result.Case.Gauntlet))
                .OrderBy(group => group.Key.Item1, StringComparer.Ordinal).ThenBy(group => group.Key.Cheats).ThenByDescending(group => group.Key.Gauntlet)
                .Select(group => RowOf(group.Key.Item1, [.. group.OrderBy(result => result.Case.Seed)], clean)),
        ];
    }

    /// <summary>The page.</summary>
    /// <param name="setting">What all runs share.</param>
    /// <param name="rows">Of <see cref="RowsOf"/>.</param>
    public static string Page(AttackSetting setting, IReadOnlyList<AttackRow> rows)
    {
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $"# What cheats get\n\n{setting.Model}; {setting.Peers} peers, ");
        page.Append(CultureInfo.InvariantCulture, $"{setting.Validators} validators, {setting.Rounds} rounds of ");
        page.Append(CultureInfo.InvariantCulture, $"{setting.InnerSteps} inner steps of {setting.Batch} sequences; ");
        var probed = setting.ProbedPeers == setting.Peers ? "all are" : $"{setting.ProbedPeers} are";
        page.Append(CultureInfo.InvariantCulture, $"{probed} probed in a round, on {setting.ProbeSequences} sequences.\n");
        page.Append("`loss` is held-out nats per token at the end, and how far that lies above a clean run with as many honest peers. `pay` is what one cheat\n");
        page.Append("earns as a part of what one honest peer does (of a farmer: after its turn), `captured` what all cheats earn of all pay to peers.\n");
        page.Append("**Bold**: the bar is missed (loss within the larger of 2 % and two standard errors; pay for work not done at most 5 %, of a lazy peer 55 %).\n\n");
        page.Append("| adversary | cheats | judged | loss | above clean | pay | captured | rounds admitted | out after | back door |\n");
        page.Append("|---|---:|---|---:|---:|---:|---:|---:|---:|---:|\n");
        foreach (var row in rows)
        {
            page.Append(CultureInfo.InvariantCulture, $"| {row.Adversary} | {row.Cheats} of {setting.Peers} | {(row.Gauntlet ? "yes" : "no")} | {row.Loss:F4} | ");
            var error = row.ExcessError is { } e ? string.Create(CultureInfo.InvariantCulture, $" ± {100 * e:F2}") : "";
            page.Append(Bold(string.Create(CultureInfo.InvariantCulture, $"{100 * row.Excess:+0.00;-0.00} %{error}"), row.Gauntlet && !row.LossHeld)).Append(" | ");
            page.Append(Bold(string.Create(CultureInfo.InvariantCulture, $"{100 * row.Pay:F1} %"), row.Gauntlet && !row.PayHeld)).Append(" | ");
            page.Append(CultureInfo.InvariantCulture, $"{100 * row.Captured:F1} % | {row.RoundsAdmitted:F1} | ");
            page.Append(CultureInfo.InvariantCulture, $"{(row.RoundsUntilOut < 0 ? "never" : $"{row.RoundsUntilOut:F1}")} | ");
            page.Append(CultureInfo.InvariantCulture, $"{(row.Trigger is { } t ? $"{100 * t:F0} %" : "–")} |\n");
        }

        return page.ToString();
    }

    private static string Bold(string text, bool bold) => bold ? $"**{text}**" : text;

    private static AttackRow RowOf(string adversary, AttackResult[] runs, Dictionary<(int, ulong), double> clean)
    {
        var excess = runs.Select(run => (run.Loss / clean[(run.Case.Cheats, run.Case.Seed)]) - 1).ToArray();
        var mean = excess.Average();
        double? error = excess.Length < 2 ? null : Math.Sqrt(excess.Sum(x => (x - mean) * (x - mean)) / (excess.Length - 1) / excess.Length);
        var pay = runs.Average(run => adversary == "farmer" ? run.PayAfterTurn : run.PayOfCheat);
        var never = runs.Any(run => run.RoundsUntilOut < 0);
        return new AttackRow(
            adversary, runs[0].Case.Cheats, runs[0].Case.Gauntlet, runs.Length, runs.Average(run => run.Loss), mean, error, pay,
            runs.Average(run => run.PayCaptured), runs.Average(run => run.RoundsAdmitted), never ? -1 : runs.Average(run => run.RoundsUntilOut),
            runs.All(run => run.Trigger is null) ? null : runs.Average(run => run.Trigger ?? 0),
            mean <= Math.Max(LossMax, 2 * error ?? 0), pay <= PayMaxOf(adversary));
    }

    // Who works is paid; who does half of the work, for half.
    private static double PayMaxOf(string adversary) => adversary switch
    {
        "lazy" => 0.55,
        "duplicated-data" => 0.3,
        "stale-base" or "equivocator" or "copycat-early" or Conducts.Poisoner => 1.25,
        _ => PayMax,
    };
}
