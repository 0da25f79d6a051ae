using System.Text.Json;

namespace Cairn.Evaluation;

/// <summary>IFEval (Zhou et al. 2023): prompts with instructions that a program can check, such as "at most 50 words" or "no commas".</summary>
/// <remarks>An answer is marked as it is (strict) and, since models like to add a first or last line or stars, loosely: without its first line, its last, both, and
/// without stars; one that follows counts.</remarks>
internal static class InstructionTask
{
    private const int TokensMax = 1280;

    /// <summary>Reads a prompt.</summary>
    public static OpenItem Read(JsonRecord record, string id)
    {
        var prompt = record.Text("prompt");
        var names = record.Texts("instruction_id_list");
        var arguments = record.Element.TryGetProperty("kwargs", out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray().ToArray() : [];
        if (names.Length == 0 || arguments.Length != names.Length || arguments.Any(one => one.ValueKind != JsonValueKind.Object))
        {
            throw record.Wrong("kwargs", "a list with one object for each entry of instruction_id_list");
        }

        var checks = names.Select((name, i) => Instruction.Of(name, record with { Element = arguments[i] }, prompt)).ToArray();
        return new OpenItem(id, prompt, prompt, [], TokensMax, said => Marks(said, checks));
    }

    private static List<Mark> Marks(string said, Func<string, bool>[] checks)
    {
        var strict = checks.Select(check => Follows(said, check)).ToArray();
        var forms = Forms(said).ToArray();
        var loose = checks.Select(check => forms.Any(form => Follows(form, check))).ToArray();
        List<Mark> marks = [new("prompt_level_strict_acc", One(strict.All(follows => follows))), new("prompt_level_loose_acc", One(loose.All(follows => follows)))];
        marks.AddRange(strict.Select(follows => new Mark("inst_level_strict_acc", One(follows))));
        marks.AddRange(loose.Select(follows => new Mark("inst_level_loose_acc", One(follows))));
        return marks;
    }

    private static bool Follows(string said, Func<string, bool> check) => !string.IsNullOrWhiteSpace(said) && check(said);

    private static IEnumerable<string> Forms(string said)
    {
        var lines = said.Split('\n');
        string[] cut =
        [
            said,
            string.Join('\n', lines.Skip(1)).Trim(),
            string.Join('\n', lines.SkipLast(1)).Trim(),
            string.Join('\n', lines.Skip(1).SkipLast(1)).Trim(),
        ];
        return cut.Concat(cut.Select(form => form.Replace("*", "", StringComparison.Ordinal)));
    }

    private static double One(bool follows) => follows ? 1 : 0;
}
