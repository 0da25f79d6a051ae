using System.Text.Json;
using Cairn.Base;

namespace Cairn.Evaluation;

/// <summary>A task: its questions, from a file in the form in which its authors publish it, one JSON object a line.</summary>
/// <param name="Name">As "arc".</param>
/// <param name="Items">In the order of the file.</param>
/// <param name="Descriptions">What stands before the examples of each question: one a question.</param>
public sealed record EvaluationTask(string Name, IReadOnlyList<TaskItem> Items, IReadOnlyList<string> Descriptions)
{
    private const int FileBytesMax = 1 << 29;
    private const int LineBytesMax = 1 << 20;

    private static readonly Dictionary<string, Func<JsonRecord, string, TaskItem>> Readers = new()
    {
        ["arc"] = ChoiceTasks.Arc,
        ["gsm8k"] = MathTask.Read,
        ["hellaswag"] = ChoiceTasks.HellaSwag,
        ["ifeval"] = InstructionTask.Read,
        ["mmlu"] = ChoiceTasks.Mmlu,
        ["openbookqa"] = ChoiceTasks.OpenBookQa,
        ["piqa"] = ChoiceTasks.Piqa,
        ["winogrande"] = ChoiceTasks.WinoGrande,
    };

    /// <summary>The tasks that are known.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Readers.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Reads a task's file.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="path">The file, at most 512 MiB with lines of at most 1 MiB.</param>
    /// <param name="limit">The most questions; null for all.</param>
    /// <exception cref="InputException">The name is unknown, or the file is missing, or a line is not as it should be: named with its number and field.</exception>
    public static EvaluationTask Load(string name, string path, int? limit = null)
    {
        if (!Readers.TryGetValue(name, out var reader))
        {
            throw new InputException($"there is no task '{name}': choose from {string.Join(", ", Names)}.");
        }

        var (items, descriptions, number) = (new List<TaskItem>(), new List<string>(), 0);
        foreach (var line in LinesOf(path))
        {
            number++;
            if (items.Count == limit)
            {
                break;
            }

            if (!string.IsNullOrWhiteSpace(line))
            {
                var (item, description) = Read(reader, name, line, $"{path} line {number}", items.Count);
                items.Add(item);
                descriptions.Add(description);
            }
        }

        return items.Count > 0
            ? new EvaluationTask(name, items, descriptions)
            : throw new InputException($"{path} holds no question: give a file with one JSON object a line.");
    }

    private static IEnumerable<string> LinesOf(string path)
    {
        StreamReader reader;
        try
        {
            reader = new StreamReader(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path} cannot be read: {e.Message} Give the path of a task's file.", e);
        }

        using (reader)
        {
            if (reader.BaseStream.Length > FileBytesMax)
            {
                throw new InputException($"{path} is {reader.BaseStream.Length} bytes long, a task's file may have {FileBytesMax}: split it.");
            }

            while (reader.ReadLine() is { } line)
            {
                yield return line;
            }
        }
    }

    private static (TaskItem Item, string Description) Read(Func<JsonRecord, string, TaskItem> reader, string name, string line, string where, int index)
    {
        if (line.Length > LineBytesMax)
        {
            throw new InputException($"{where} is longer than {LineBytesMax} characters: leave it out.");
        }

        try
        {
            using var document = JsonDocument.Parse(line);
            var record = new JsonRecord(document.RootElement, where);
            if (record.Element.ValueKind != JsonValueKind.Object)
            {
                throw new InputException($"{where} is no JSON object: mend the line or leave it out.");
            }

            return (reader(record, IdOf(record, index)), name == "mmlu" ? ChoiceTasks.MmluDescription(record) : "");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new InputException($"{where} is no question of task {name}: {e.Message} Mend the line or leave it out.", e);
        }
    }

    private static string IdOf(JsonRecord record, int index)
    {
        foreach (var field in (string[])["id", "ind", "key"])
        {
            if (record.Has(field) && record.Element.GetProperty(field).ValueKind is JsonValueKind.String or JsonValueKind.Number)
            {
                return record.Word(field);
            }
        }

        return $"{index}";
    }
}
