using System.Text;
using System.Text.Json;

namespace Cairn.Evaluation;

/// <summary>Tasks with answers to choose from, in the forms in which their authors publish them and with the prompts of the LM Evaluation Harness.</summary>
internal static class ChoiceTasks
{
    /// <summary>ARC, easy and challenge (Clark et al. 2018).</summary>
    public static ChoiceItem Arc(JsonRecord record, string id)
    {
        // As published the question is an object that holds its choices as objects; as most mirrors have it, two lists.
        var question = record.Element.GetProperty("question").ValueKind == JsonValueKind.Object ? record.Object("question") : record;
        var (labels, texts) = LabelledChoices(question);
        var text = question.Element.TryGetProperty("stem", out _) ? question.Text("stem") : record.Text("question");
        return Continued(id, $"Question: {text}\nAnswer:", texts, ByLabel(record, "answerKey", labels));
    }

    /// <summary>OpenBookQA (Mihaylov et al. 2018).</summary>
    public static ChoiceItem OpenBookQa(JsonRecord record, string id)
    {
        var question = record.Has("question") ? record.Object("question") : record;
        var (labels, texts) = LabelledChoices(question);
        return Continued(id, question.Text(record.Has("question") ? "stem" : "question_stem"), texts, ByLabel(record, "answerKey", labels));
    }

    /// <summary>HellaSwag (Zellers et al. 2019): what was cut out of web pages is cleaned of its marks.</summary>
    public static ChoiceItem HellaSwag(JsonRecord record, string id)
    {
        var endings = record.Texts("endings").Select(Cleaned).ToArray();
        var context = $"{record.Text("ctx_a")} {Capitalised(record.Text("ctx_b"))}";
        return Continued(id, Cleaned($"{record.Text("activity_label")}: {context}"), endings, record.Index("label", endings.Length));
    }

    /// <summary>PIQA (Bisk et al. 2020).</summary>
    public static ChoiceItem Piqa(JsonRecord record, string id) =>
        Continued(id, $"Question: {record.Text("goal")}\nAnswer:", [record.Text("sol1"), record.Text("sol2")], record.Index("label", 2));

    /// <summary>WinoGrande (Sakaguchi et al. 2020): the end of the sentence is scored after each of the two names, for it is the same.</summary>
    public static ChoiceItem WinoGrande(JsonRecord record, string id)
    {
        var (sentence, gold) = (record.Text("sentence"), record.Index("answer", 2, first: 1));
        var gap = sentence.IndexOf('_', StringComparison.Ordinal);
        if (gap < 0)
        {
            throw record.Wrong("sentence", "a sentence with a gap (_)");
        }

        var end = sentence[(gap + 1)..].Trim();
        string[] begun = [sentence[..gap] + record.Text("option1"), sentence[..gap] + record.Text("option2")];
        return new ChoiceItem(id, $"{begun[gold]} {end}", [.. begun.Select(text => new Choice(text, " " + end, LengthOf(end)))], gold, IsNormed: false);
    }

    /// <summary>MMLU (Hendrycks et al. 2021): the letter of the answer is scored.</summary>
    public static ChoiceItem Mmlu(JsonRecord record, string id)
    {
        var choices = record.Texts("choices");
        if (choices.Length is < 2 or > 26)
        {
            throw record.Wrong("choices", "a list of 2 to 26 texts");
        }

        var letters = choices.Select((_, i) => ((char)('A' + i)).ToString()).ToArray();
        var lines = string.Join('\n', choices.Select((choice, i) => $"{letters[i]}. {choice}"));
        var gold = letters.AsSpan().IndexOf(record.Word("answer").ToUpperInvariant());
        var prompt = $"{record.Text("question").Trim()}\n{lines}\nAnswer:";
        return Continued(id, prompt, letters, gold >= 0 ? gold : record.Index("answer", choices.Length)) with { IsNormed = false };
    }

    /// <summary>What stands before the questions of MMLU, for each subject.</summary>
    public static string MmluDescription(JsonRecord record) =>
        record.Has("subject") ? $"The following are multiple choice questions (with answers) about {record.Text("subject").Replace('_', ' ')}.\n\n" : "";

    private static ChoiceItem Continued(string id, string context, string[] answers, int gold) => new(
        id, $"{context} {answers[gold]}", [.. answers.Select(answer => new Choice(context, " " + answer, LengthOf(answer)))], gold, IsNormed: true);

    private static (string[] Labels, string[] Texts) LabelledChoices(JsonRecord question)
    {
        var choices = question.Element.TryGetProperty("choices", out var value) ? value : default;
        var (labels, texts) = choices.ValueKind switch
        {
            JsonValueKind.Object => (question.Object("choices").Texts("label"), question.Object("choices").Texts("text")),
            JsonValueKind.Array => (
                [.. choices.EnumerateArray().Select(choice => (question with { Element = choice }).Text("label"))],
                [.. choices.EnumerateArray().Select(choice => (question with { Element = choice }).Text("text"))]),
            _ => ([], Array.Empty<string>()),
        };
        return texts.Length >= 2 && labels.Length == texts.Length ? (labels, texts) : throw question.Wrong("choices", "as many labels as texts, two or more");
    }

    private static int ByLabel(JsonRecord record, string field, string[] labels)
    {
        var found = labels.AsSpan().IndexOf(record.Word(field));
        return found >= 0 ? found : throw record.Wrong(field, $"one of the labels {string.Join(", ", labels)}");
    }

    private static string Cleaned(string text) =>
        WithoutBrackets(text.Trim().Replace(" [title]", ". ", StringComparison.Ordinal)).Replace("  ", " ", StringComparison.Ordinal);

    // What stands in brackets on one line, shortest first. One pass, whatever the text.
    private static string WithoutBrackets(string text)
    {
        var kept = new StringBuilder(text.Length);
        var at = 0;
        while (text.IndexOf('[', at) is >= 0 and var open && text.IndexOf(']', open) is >= 0 and var close)
        {
            var lineEnd = text.AsSpan(open, close - open).IndexOf('\n');
            kept.Append(text, at, (lineEnd < 0 ? open : open + lineEnd + 1) - at);
            at = lineEnd < 0 ? close + 1 : open + lineEnd + 1;
        }

        return kept.Append(text, at, text.Length - at).ToString();
    }

    // As Python does it: the first letter large, all others small.
    private static string Capitalised(string text) => text.Length == 0 ? text : text[..1].ToUpperInvariant() + text[1..].ToLowerInvariant();

    private static int LengthOf(string text)
    {
        var count = 0;
        foreach (var _ in text.EnumerateRunes())
        {
            count++;
        }

        return count;
    }
}
