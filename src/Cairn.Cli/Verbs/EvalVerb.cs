using System.CommandLine;
using Cairn.Base;
using Cairn.Cli.Examination;
using Cairn.Evaluation;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn eval</c>: what a model can do, and whether it can do more than another.</summary>
internal static class EvalVerb
{
    private static readonly Option<string?> Model = new("--model")
    {
        Description = "A run's folder (its newest checkpoint is taken) or a model's folder. Default: the newest run.",
    };

    private static readonly Option<string?> Against = new("--against") { Description = "A second model, compared with the first question by question." };
    private static readonly Option<string[]> Tasks = new("--tasks")
    {
        Description = $"NAME=FILE of questions, one JSON object a line as their authors publish them. Names: {string.Join(", ", EvaluationTask.Names)}.",
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<string[]> Texts = new("--text")
    {
        Description = "Files of text: perplexity and bits per byte.",
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<int> FewShotCount = new("--few-shot")
    {
        Description = "Examples with their answers before each question, the first of --few-shot-from.",
        DefaultValueFactory = _ => 0,
    };

    private static readonly Option<string[]> FewShotFiles = new("--few-shot-from")
    {
        Description = "NAME=FILE of other questions of the same task, such as its training part.",
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<int?> Limit = new("--limit") { Description = "The most questions of each task." };
    private static readonly Option<string?> Out = new("--out")
    {
        Description = "A file that receives every question with what was said and what it counts, one JSON object a line.",
    };

    private static readonly Option<int> Threads = new("--threads")
    {
        Description = "Threads to compute with. Changes no bit.",
        DefaultValueFactory = _ => Environment.ProcessorCount,
    };

    private static readonly Option<bool> Json = new("--json") { Description = "Print one line of JSON; progress stays on the error stream." };

    public static Command Create()
    {
        var command = new Command(
            "eval",
            "Measures a model on texts and on tasks in the way of the LM Evaluation Harness, with standard errors; with --against also whether two models differ.\n\n" +
            "Example:  cairn eval --text README.md\n" +
            "          cairn eval --model runs/swarm-1 --against runs/solo-1 --tasks arc=ARC-Easy-Test.jsonl piqa=piqa.jsonl --out items.jsonl")
        {
            Model, Against, Tasks, Texts, FewShotCount, FewShotFiles, Limit, Out, Threads, Json,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation) => Task.Run(() => Run(parsed, cancellation), cancellation);

    private static int Run(ParseResult parsed, CancellationToken cancellation)
    {
        var questions = Questions(parsed);
        string[] models = [parsed.GetValue(Model) ?? RunFolders.Newest(), .. parsed.GetValue(Against) is { } other ? (string[])[other] : []];
        var examiner = new Examiner(questions, Math.Clamp(parsed.GetValue(Threads), 1, 256), Console.Error, Console.IsErrorRedirected);
        var scores = models.Select(model => examiner.Examine(model, cancellation)).ToArray();
        var report = new EvaluationReport(scores[0], scores.Length > 1 ? scores[1] : null);
        if (parsed.GetValue(Out) is { } path)
        {
            EvaluationFile.WriteItems(path, scores);
        }

        Console.WriteLine(parsed.GetValue(Json) ? EvaluationFile.Line(report) : EvaluationView.Of(report));
        return ExitCode.Success;
    }

    // All files are read before the first is computed: what is wrong with them is said at once.
    private static Questions Questions(ParseResult parsed)
    {
        var (count, limit) = (parsed.GetValue(FewShotCount), parsed.GetValue(Limit));
        if (count is < 0 or > 1000 || limit is < 1)
        {
            throw new InputException($"--few-shot is {count}, must be 0 to 1,000, and --limit at least 1.");
        }

        var texts = (parsed.GetValue(Texts) ?? []).Select(path => (path, Examination.Questions.ReadText(path))).ToList();
        var tasks = (parsed.GetValue(Tasks) ?? []).Select(Named).Select(named => EvaluationTask.Load(named.Name, named.Path, limit)).ToList();
        var examples = (parsed.GetValue(FewShotFiles) ?? []).Select(Named).ToDictionary(named => named.Name, named => named.Path);
        if (texts.Count + tasks.Count == 0)
        {
            throw new InputException("there is nothing to measure: name texts with --text or tasks with --tasks NAME=FILE.");
        }

        return new Questions(texts, [.. tasks.Select(task => (task, ExamplesOf(task, count, examples)))]);
    }

    private static FewShot ExamplesOf(EvaluationTask task, int count, Dictionary<string, string> files) => count == 0 ? FewShot.None
        : files.TryGetValue(task.Name, out var path) ? FewShot.Of(EvaluationTask.Load(task.Name, path, count), count)
        : throw new InputException($"--few-shot {count} needs other questions of task {task.Name}: give them with --few-shot-from {task.Name}=FILE.");

    private static (string Name, string Path) Named(string text) => text.IndexOf('=', StringComparison.Ordinal) is > 0 and var at
        ? (text[..at], text[(at + 1)..])
        : throw new InputException($"'{text}' names no task and file: write NAME=FILE, such as arc=ARC-Easy-Test.jsonl.");
}
