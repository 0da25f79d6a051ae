using System.Globalization;
using System.Text;
using Cairn.Node;

namespace Cairn.Cli.Views;

/// <summary>An account of contributions for people.</summary>
internal static class ContributionView
{
    public static string Of(ContributionAccount account)
    {
        var page = new StringBuilder();
        var culture = CultureInfo.InvariantCulture;
        page.AppendLine(culture, $"{account.Rounds.Count} rounds between {account.Rounds[0] + 1} and {account.Rounds[^1] + 1}, {account.Sequences} held-out sequences");
        page.AppendLine(culture, $"nats/token, above 0 is better");
        page.AppendLine(culture, $"{"",-12}  rounds      contribution           left out    weight     pay  overlap");
        foreach (var peer in account.Peers)
        {
            page.AppendLine(culture, $"  {peer.Peer,-12}{peer.Rounds,5}  {Text(peer.Contribution),18} {Text(peer.LeftOut),18}  " +
                $"{peer.Weight,7:P1} {peer.Share,7:P1}  {peer.OverlapMax,7:P1}{Copies(peer)}");
        }

        page.AppendLine(culture, $"  {"the rounds",-12}{account.Rounds.Count,5}  {Text(account.Improved),18}");
        page.AppendLine();
        page.AppendLine(account.SumOfContributions is { } sum
            ? string.Create(CultureInfo.InvariantCulture, $"contribution: what its own parts of the steps did. The sum over peers is {sum:+0.0000;-0.0000}; ") +
                "it and what the rounds did differ by what parts do only together."
            : "contribution: not told, for under this rule of combination a step is no sum of parts.");
        page.AppendLine(
            "left out: what the rounds gained by its being there and not only the others, who would have weighed more: near 0 for whoever is as good as they are.");
        page.Append("pay: its part of what peers were paid in the whole run. The errors are those of the choice of sequences.");
        return page.ToString();
    }

    private static string Text(LossChange? effect) =>
        effect is null ? "–" : string.Create(CultureInfo.InvariantCulture, $"{effect.Nats:+0.0000;-0.0000} ± {effect.StandardError:0.0000}");

    private static string Copies(PeerContribution peer) => peer.Copies == 0 ? "" : $"  SENT THE SAME AS ANOTHER in {peer.Copies}";
}
