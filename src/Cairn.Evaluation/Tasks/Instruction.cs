using System.Text.Json;
using System.Text.RegularExpressions;
using Cairn.Base;

namespace Cairn.Evaluation;

/// <summary>The instructions of IFEval that can be checked without a model of language. Three cannot (the language of an answer; sentences, and words in capitals, as the
/// original counts them by a trained splitter): a file that asks for those is refused with their names.</summary>
internal static partial class Instruction
{
    private const int Present = 1;
    private const int PatternMax = 1000;
    private static readonly string[] Constrained = ["My answer is yes.", "My answer is no.", "My answer is maybe."];

    /// <summary>The check of an instruction.</summary>
    /// <param name="name">As "keywords:existence".</param>
    /// <param name="with">Its arguments.</param>
    /// <param name="prompt">The whole prompt, which some instructions repeat.</param>
    /// <exception cref="InputException">It is unknown, or an argument is missing or too long.</exception>
    public static Func<string, bool> Of(string name, JsonRecord with, string prompt) => name switch
    {
        "keywords:existence" => All(with.Texts("keywords"), word => said => CountOf(said, word) >= Present),
        "keywords:forbidden_words" => ForbiddenWords(with),
        "keywords:frequency" => Related(with, "relation", "frequency", CounterOf(with.Text("keyword"))),
        "keywords:letter_frequency" => Related(with, "let_relation", "let_frequency", LetterCounter(with)),
        "length_constraints:number_words" => Related(with, "relation", "num_words", said => Words().Count(said)),
        "length_constraints:number_paragraphs" => Equal(Number(with, "num_paragraphs"), said => Parts(said, "***")),
        "length_constraints:nth_paragraph_first_word" => NthParagraph(with),
        "detectable_content:number_placeholders" => AtLeast(Number(with, "num_placeholders"), said => Placeholders().Count(said)),
        "detectable_content:postscript" => Postscript(with.Text("postscript_marker")),
        "detectable_format:number_bullet_lists" => Equal(Number(with, "num_bullets"), said => Stars().Count(said) + Dashes().Count(said)),
        "detectable_format:constrained_response" => said => Constrained.Any(one => said.Contains(one, StringComparison.Ordinal)),
        "detectable_format:number_highlighted_sections" => AtLeast(Number(with, "num_highlights"), Highlights),
        "detectable_format:multiple_sections" => Sections(with),
        "detectable_format:json_format" => IsJson,
        "detectable_format:title" => said => Titles().Matches(said).Any(match => match.Value.Trim('<', '>', ' ').Length > 0),
        "combination:two_responses" => TwoResponses,
        "combination:repeat_prompt" => Begins(with.Text("prompt_to_repeat", prompt)),
        "startend:end_checker" => Ends(with.Text("end_phrase")),
        "startend:quotation" => said => said.Trim() is { Length: > 1 } text && text[0] == '"' && text[^1] == '"',
        "change_case:english_capital" => said => said.Any(char.IsLetter) && !said.Any(char.IsLower),
        "change_case:english_lowercase" => said => said.Any(char.IsLetter) && !said.Any(char.IsUpper),
        "punctuation:no_comma" => said => !said.Contains(',', StringComparison.Ordinal),
        _ => throw new InputException($"{with.Where}: instruction '{name}' cannot be checked by this version: leave out the line (docs/evaluation.md)."),
    };

    private static Func<string, bool> All(string[] words, Func<string, Func<string, bool>> check)
    {
        var checks = words.Select(check).ToArray();
        return said => checks.All(one => one(said));
    }

    private static Func<string, bool> Equal(long wanted, Func<string, int> count) => said => count(said) == wanted;

    private static Func<string, bool> AtLeast(long wanted, Func<string, int> count) => said => count(said) >= wanted;

    private static Func<string, bool> Related(JsonRecord with, string relation, string number, Func<string, int> count)
    {
        var wanted = Number(with, number);
        return with.Text(relation) switch
        {
            "less than" => said => count(said) < wanted,
            "at least" => said => count(said) >= wanted,
            _ => throw with.Wrong(relation, "'less than' or 'at least'"),
        };
    }

    private static long Number(JsonRecord with, string field) =>
        with.Element.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number)
            && number is >= 0 and <= 1_000_000 && Math.Floor(number) == number
            ? (long)number
            : throw with.Wrong(field, "a whole number from 0 to 1,000,000");

    private static int CountOf(string said, string word) => CounterOf(word)(said);

    private static Func<string, int> CounterOf(string word) => said =>
    {
        var count = 0;
        for (var at = 0; word.Length > 0 && (at = said.IndexOf(word, at, StringComparison.OrdinalIgnoreCase)) >= 0; at += word.Length)
        {
            count++;
        }

        return count;
    };

    private static Func<string, int> LetterCounter(JsonRecord with) =>
        with.Text("letter") is { Length: 1 } letter
            ? said => said.Count(one => char.ToLowerInvariant(one) == char.ToLowerInvariant(letter[0]))
            : throw with.Wrong("letter", "one character");

    private static Func<string, bool> NthParagraph(JsonRecord with)
    {
        var (wanted, nth, word) = (Number(with, "num_paragraphs"), Number(with, "nth_paragraph"), with.Text("first_word"));
        return said =>
        {
            var paragraphs = said.Split("\n\n");
            return paragraphs.Count(one => one.Trim().Length > 0) == wanted && nth >= 1 && nth <= paragraphs.Length
                && string.Equals(FirstWord(paragraphs[nth - 1]), word, StringComparison.OrdinalIgnoreCase);
        };
    }

    private static string FirstWord(string paragraph)
    {
        var first = paragraph.Trim().Split(' ', '\n', '\t')[0].TrimStart('\'', '"');
        return first[..(first.IndexOfAny(['.', ',', '?', '!', '\'', '"']) is >= 0 and var end ? end : first.Length)];
    }

    // Parts between dividers; an empty one counts only as none at the ends.
    private static int Parts(string said, string divider)
    {
        var parts = said.Split(divider);
        var empty = parts.Skip(1).SkipLast(1).Any(string.IsNullOrWhiteSpace);
        return empty ? -1 : parts.Count(part => !string.IsNullOrWhiteSpace(part));
    }

    private static Func<string, bool> Postscript(string marker)
    {
        var (bare, dotted) = (marker.Replace(".", "", StringComparison.Ordinal), string.Join(".", marker.Replace(".", "", StringComparison.Ordinal).ToCharArray()));
        return said => said.Contains(dotted, StringComparison.OrdinalIgnoreCase)
            || said.Split('\n').Any(line => line.TrimStart().StartsWith(bare, StringComparison.OrdinalIgnoreCase));
    }

    private static Func<string, bool> Sections(JsonRecord with)
    {
        var (spliter, wanted) = (with.Text("section_spliter"), Number(with, "num_sections"));
        var mark = Pattern(with, "section_spliter", spliter, @"\s?", @"\s?[0-9]+\s?");
        return said => mark.Count(said) >= wanted;
    }

    private static int Highlights(string said) =>
        Highlighted().Matches(said).Count(match => match.Value.Trim('*').Trim().Length > 0)
        + DoublyHighlighted().Matches(said).Count(match => match.Value.Trim('*').Trim().Length > 0);

    private static bool IsJson(string said)
    {
        var text = said.Trim();
        foreach (var fence in (string[])["```json", "```Json", "```JSON", "```"])
        {
            text = text.StartsWith(fence, StringComparison.Ordinal) ? text[fence.Length..] : text;
        }

        text = (text.EndsWith("```", StringComparison.Ordinal) ? text[..^3] : text).Trim();
        try
        {
            using var _ = JsonDocument.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool TwoResponses(string said)
    {
        var parts = said.Split("******");
        var kept = parts.Where(part => part.Trim().Length > 0).Select(part => part.Trim()).ToArray();
        return kept.Length == 2 && !parts.Skip(1).SkipLast(1).Any(string.IsNullOrWhiteSpace) && kept[0] != kept[1];
    }

    private static Func<string, bool> Begins(string prompt) =>
        said => said.Trim().StartsWith(prompt.Trim(), StringComparison.OrdinalIgnoreCase);

    private static Func<string, bool> Ends(string phrase) =>
        said => said.Trim().Trim('"').EndsWith(phrase.Trim(), StringComparison.OrdinalIgnoreCase);

    private static Func<string, bool> ForbiddenWords(JsonRecord with) => All(with.Texts("forbidden_words"), word =>
    {
        var whole = Pattern(with, "forbidden_words", word, @"\b", @"\b", RegexOptions.IgnoreCase);
        return said => whole.Count(said) == 0;
    });

    // Matched in linear time, whatever a file asks for; that has an end where the text is too long.
    private static Regex Pattern(JsonRecord with, string field, string text, string before, string after, RegexOptions options = RegexOptions.None)
    {
        if (text.Length > PatternMax)
        {
            throw with.Wrong(field, $"of at most {PatternMax:N0} characters");
        }

        try
        {
            return new Regex(before + Regex.Escape(text) + after, options | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
        }
        catch (NotSupportedException)
        {
            throw with.Wrong(field, "a shorter text");
        }
    }

    [GeneratedRegex(@"\w+", RegexOptions.CultureInvariant)]
    private static partial Regex Words();

    [GeneratedRegex(@"\[[^\]\n]*\]", RegexOptions.CultureInvariant)]
    private static partial Regex Placeholders();

    [GeneratedRegex(@"^[ \t]*\*[^*\n][^\n]*$", RegexOptions.CultureInvariant | RegexOptions.Multiline)]
    private static partial Regex Stars();

    [GeneratedRegex(@"^[ \t]*-[^\n]*$", RegexOptions.CultureInvariant | RegexOptions.Multiline)]
    private static partial Regex Dashes();

    [GeneratedRegex(@"\*[^\n*]+\*", RegexOptions.CultureInvariant)]
    private static partial Regex Highlighted();

    [GeneratedRegex(@"\*\*[^\n*]+\*\*", RegexOptions.CultureInvariant)]
    private static partial Regex DoublyHighlighted();

    [GeneratedRegex(@"<<[^\n]+?>>", RegexOptions.CultureInvariant)]
    private static partial Regex Titles();
}
