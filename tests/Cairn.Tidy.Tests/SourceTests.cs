using System.Text.RegularExpressions;

namespace Cairn.Tidy.Tests;

public sealed partial class SourceTests
{
    private const int LinesMax = 600;
    private const int ColumnsMax = 170;

    private static readonly string[] RefusedNames = ["Util", "Helper", "Manager", "Common", "Misc"];

    [Fact]
    public void No_source_file_is_too_long_to_read()
    {
        Faults.None(Rooms().Select(file => (file, lines: Repository.Lines(file).Length)).Where(found => found.lines > LinesMax));
    }

    [Fact]
    public void No_line_is_too_wide_to_read()
    {
        var wide = Rooms().SelectMany(file => Repository.Lines(file).Select((line, at) => (place: $"{file}:{at + 1}", columns: line.Length)))
            .Where(found => found.columns > ColumnsMax);
        Faults.None(wide);
    }

    [Fact]
    public void No_file_is_named_after_nothing_in_particular()
    {
        Faults.None(Repository.Sources.Where(file => RefusedNames.Any(name => Path.GetFileName(file).Contains(name, StringComparison.Ordinal))));
    }

    [Fact]
    public void Parameters_and_shares_are_never_called_weights()
    {
        var faults = Rooms().SelectMany(file => Code(file), (file, line) => (file, line)).Where(found => RefusedWord().IsMatch(found.line));
        Faults.None(faults);
    }

    [Fact]
    public void Nothing_is_left_for_later_and_no_region_hides_anything()
    {
        // Written apart, so that this file does not find itself.
        string[] refused = ["TO" + "DO", "FIX" + "ME", "#reg" + "ion"];
        Faults.None(Occurrences(refused));
    }

    [Fact]
    public void No_text_names_a_place_on_somebodys_machine()
    {
        string[] refused = ["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/"];
        Faults.None(Occurrences(refused));
    }

    [Fact]
    public void What_votes_can_change_is_asked_for_by_the_round()
    {
        // The labs have runs without votes; the other rules of a context are those of every round.
        var faults = Rooms().Where(file => file.StartsWith("src/Cairn.Node/", StringComparison.Ordinal) && !file.Contains("/Lab/", StringComparison.Ordinal))
            .SelectMany(file => Repository.Lines(file).Select((line, at) => (place: $"{file}:{at + 1}", line))).Where(found => RuleOfOneRound().IsMatch(found.line));
        Faults.None(faults.Select(found => $"{found.place} must ask run.RulesBook.At(round)"));
    }

    private static IEnumerable<string> Rooms() => Repository.Sources.Where(file => file.StartsWith("src/", StringComparison.Ordinal));

    private static IEnumerable<string> Occurrences(string[] refused)
    {
        foreach (var file in Repository.Files)
        {
            if (!Repository.TryReadText(file, out var text) || !refused.Any(word => text.Contains(word, StringComparison.Ordinal)))
            {
                continue;
            }

            var lines = text.Split('\n');
            for (var at = 0; at < lines.Length; at++)
            {
                foreach (var word in refused.Where(word => lines[at].Contains(word, StringComparison.Ordinal)))
                {
                    yield return $"{file}:{at + 1} has {word}";
                }
            }
        }
    }

    // Lines without their strings and comments; good enough to look for names.
    private static IEnumerable<string> Code(string file) => Repository.Lines(file).Select(line => NotCode().Replace(line, ""));

    [GeneratedRegex(@"(?<![A-Za-z])[rR]un\.Rules\.(Sparse\.OuterRate|Training\.PeakRate|Round\.(StageSecondsMax|ProbedPeers|ProbeStep|OverlapPerMille)|Money)\b")]
    private static partial Regex RuleOfOneRound();

    [GeneratedRegex("""
        "(\\.|[^"\\])*"|//.*
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex NotCode();

    [GeneratedRegex("weights", RegexOptions.IgnoreCase)]
    private static partial Regex RefusedWord();
}
