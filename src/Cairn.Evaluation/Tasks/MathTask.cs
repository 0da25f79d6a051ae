using System.Text.RegularExpressions;

namespace Cairn.Evaluation;

/// <summary>GSM8K (Cobbe et al. 2021): word problems whose answer is a number.</summary>
internal static partial class MathTask
{
    private const int TokensMax = 256;
    private static readonly string[] Stops = ["Question:", "</s>", "<|im_end|>"];

    /// <summary>Reads a problem.</summary>
    public static OpenItem Read(JsonRecord record, string id)
    {
        var (prompt, answer) = ($"Question: {record.Text("question")}\nAnswer:", record.Text("answer"));
        var right = AfterMark(answer) ?? throw record.Wrong("answer", "a solution that ends with #### and a number");
        return new OpenItem(id, $"{prompt} {answer}", prompt, Stops, TokensMax, said =>
        [
            new Mark("exact_match,strict-match", Same(AfterMark(said), right)),
            new Mark("exact_match,flexible-extract", Same(LastNumber(said), right)),
        ]);
    }

    private static string? AfterMark(string text) => Marked().Match(text) is { Success: true } match ? match.Groups[1].Value : null;

    private static string? LastNumber(string text) => Numbers().Matches(text) is { Count: > 0 } all ? all[^1].Value : null;

    private static double Same(string? said, string right) => said is not null && Plain(said) == Plain(right) ? 1 : 0;

    // Commas, dollars and a point at the end are no part of a number.
    private static string Plain(string number) =>
        LastPoint().Replace(number.Replace(",", "", StringComparison.Ordinal).Replace("$", "", StringComparison.Ordinal).Trim(), "");

    [GeneratedRegex(@"#### (-?[0-9.,]+)", RegexOptions.CultureInvariant)]
    private static partial Regex Marked();

    [GeneratedRegex(@"-?[$0-9.,]{2,}|-?[0-9]+", RegexOptions.CultureInvariant)]
    private static partial Regex Numbers();

    [GeneratedRegex(@"\.$", RegexOptions.CultureInvariant)]
    private static partial Regex LastPoint();
}
