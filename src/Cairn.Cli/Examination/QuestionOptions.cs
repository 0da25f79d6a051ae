using System.CommandLine;
using Cairn.Base;
using Cairn.Evaluation;

namespace Cairn.Cli.Examination;

/// <summary>The options of every verb that puts questions to models.</summary>
internal sealed class QuestionOptions
{
    private readonly Option<string[]> _tasks = new("--tasks")
    {
        Description = $"NAME=FILE of questions, one JSON object a line as their authors publish them. Names: {string.Join(", ", EvaluationTask.Names)}.",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<string[]> _texts = new("--text")
    {
        Description = "Files of text: perplexity and bits per byte.",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<int> _fewShot = new("--few-shot")
    {
        Description = "Examples with their answers before each question, the first of --few-shot-from.",
        DefaultValueFactory = _ => 0,
    };

    private readonly Option<string[]> _fewShotFrom = new("--few-shot-from")
    {
        Description = "NAME=FILE of other questions of the same task, such as its training part.",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<int?> _limit = new("--limit") { Description = "The most questions of each task." };

    /// <summary>Adds the options to a verb.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_tasks, _texts, _fewShot, _fewShotFrom, _limit])
        {
            command.Options.Add(option);
        }
    }

    /// <summary>What the user chose; may be nothing. All files are read before the first is computed: what is wrong with them is said at once.</summary>
    /// <exception cref="InputException">A file or a value cannot be used.</exception>
    public Questions Read(ParseResult parsed)
    {
        var (count, limit) = (parsed.GetValue(_fewShot), parsed.GetValue(_limit));
        if (count is < 0 or > 1000 || limit is < 1)
        {
            throw new InputException($"--few-shot is {count}, must be 0 to 1,000, and --limit at least 1.");
        }

        var texts = (parsed.GetValue(_texts) ?? []).Select(path => (path, Questions.ReadText(path))).ToList();
        var tasks = (parsed.GetValue(_tasks) ?? []).Select(Named).Select(named => EvaluationTask.Load(named.Name, named.Path, limit)).ToList();
        var examples = (parsed.GetValue(_fewShotFrom) ?? []).Select(Named).ToDictionary(named => named.Name, named => named.Path);
        return new Questions(texts, [.. tasks.Select(task => (task, ExamplesOf(task, count, examples)))]);
    }

    private static FewShot ExamplesOf(EvaluationTask task, int count, Dictionary<string, string> files) => count == 0 ? FewShot.None
        : files.TryGetValue(task.Name, out var path) ? FewShot.Of(EvaluationTask.Load(task.Name, path, count), count)
        : throw new InputException($"--few-shot {count} needs other questions of task {task.Name}: give them with --few-shot-from {task.Name}=FILE.");

    private static (string Name, string Path) Named(string text) => text.IndexOf('=', StringComparison.Ordinal) is > 0 and var at
        ? (text[..at], text[(at + 1)..])
        : throw new InputException($"'{text}' names no task and file: write NAME=FILE, such as arc=ARC-Easy-Test.jsonl.");
}
