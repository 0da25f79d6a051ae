using System.Text.Json;

namespace Cairn.Data;

/// <summary>What the steps around the model of a tokenizer.json (normalizer, pre_tokenizer, post_processor) come to.</summary>
/// <param name="Family">The family.</param>
/// <param name="Composes">Unicode NFC first.</param>
/// <param name="Prefix">Where a space is put before text.</param>
/// <param name="Begin">The name of the token that begins a text, or null.</param>
internal sealed record TokenizerJsonPipeline(TokenizerFamily Family, bool Composes, SpacePrefix Prefix, string? Begin)
{
    private const string SpaceText = "\u2581";

    /// <summary>Reads the steps.</summary>
    /// <param name="root">The whole file.</param>
    /// <param name="fault">What cannot be done here, or null.</param>
    /// <returns>Null with a fault.</returns>
    public static TokenizerJsonPipeline? Read(JsonElement root, out string? fault)
    {
        var steps = Flat(root.Find("normalizer"), "normalizers");
        var cutters = Flat(root.Find("pre_tokenizer"), "pretokenizers");
        var (marks, composes, prepends) = (false, false, false);
        fault = "it changes text before encoding in a way that is not known here (normalizer)";
        foreach (var step in steps)
        {
            switch (step.Text("type"))
            {
                case "NFC":
                    composes = true;
                    break;
                case "Prepend" when step.Text("prepend") == SpaceText && !marks:
                    prepends = true;
                    break;
                case "Replace" when step.Find("pattern").Text("String") == " " && step.Text("content") == SpaceText:
                    marks = true;
                    break;
                default:
                    return null;
            }
        }

        var begin = BeginOf(root.Find("post_processor"));
        return marks || IsMetaspace(cutters) ? Characters(cutters, marks, composes, prepends, begin, out fault)
            : prepends ? null
            : Bytes(cutters, composes, begin, out fault);
    }

    private static bool IsMetaspace(List<JsonElement> cutters) => cutters is [var only] && only.Text("type") == "Metaspace";

    private static TokenizerJsonPipeline? Characters(List<JsonElement> cutters, bool marks, bool composes, bool prepends, string? begin, out string? fault)
    {
        fault = null;
        if (cutters.Count == 0 || (marks && cutters is [var split] && split.Text("type") == "Split" && split.Find("pattern").Text("String") == " "))
        {
            // No space is left for the second kind to split at.
            return new TokenizerJsonPipeline(TokenizerFamily.SentencePiece, composes, prepends ? SpacePrefix.EverySegment : SpacePrefix.Never, begin);
        }

        fault = "its pre_tokenizer is not Metaspace without splitting";
        if (!IsMetaspace(cutters) || marks || cutters[0].Text("replacement") != SpaceText || cutters[0].Find("split").ValueKind != JsonValueKind.False)
        {
            return null;
        }

        SpacePrefix? prefix = cutters[0].Text("prepend_scheme") switch
        {
            "always" => SpacePrefix.EverySegment,
            "first" => SpacePrefix.First,
            "never" => SpacePrefix.Never,
            _ => null,
        };
        fault = prefix is null ? "its Metaspace has no prepend_scheme" : null;
        return prefix is { } known ? new TokenizerJsonPipeline(TokenizerFamily.SentencePiece, composes, known, begin) : null;
    }

    private static TokenizerJsonPipeline? Bytes(List<JsonElement> cutters, bool composes, string? begin, out string? fault)
    {
        fault = "its pre_tokenizer is not that of GPT-2, Llama 3, Qwen 2, Llama 2 or Gemma 3";
        PreTokenizer? cut = null;
        if (cutters is [var alone] && IsByteLevel(alone) && alone.Find("use_regex").ValueKind is JsonValueKind.True or JsonValueKind.Undefined)
        {
            cut = PreTokenizer.Plain;
        }
        else if (cutters is [var split, var bytes] && IsByteLevel(bytes) && bytes.Find("use_regex").ValueKind == JsonValueKind.False
            && split.Text("type") == "Split" && split.Text("behavior") is "Isolated" or "isolated" && split.Find("invert").ValueKind == JsonValueKind.False)
        {
            cut = PreTokenizer.ForPattern(split.Find("pattern").Text("Regex"));
        }

        fault = cut is null ? fault : null;
        return cut is null ? null : new TokenizerJsonPipeline(cut.Family, composes, SpacePrefix.Never, begin);
    }

    private static bool IsByteLevel(JsonElement step) =>
        step.Text("type") == "ByteLevel" && step.Find("add_prefix_space").ValueKind == JsonValueKind.False;

    // A Sequence is its parts; nothing is none.
    private static List<JsonElement> Flat(JsonElement step, string parts) =>
        step.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null ? []
        : step.Text("type") == "Sequence" && step.Find(parts) is { ValueKind: JsonValueKind.Array } list ? [.. list.EnumerateArray()]
        : [step];

    private static string? BeginOf(JsonElement processor)
    {
        foreach (var step in Flat(processor, "processors"))
        {
            if (step.Text("type") == "TemplateProcessing" && step.Find("single") is { ValueKind: JsonValueKind.Array } single && single.GetArrayLength() > 0)
            {
                return single[0].Find("SpecialToken").Text("id");
            }
        }

        return null;
    }
}
