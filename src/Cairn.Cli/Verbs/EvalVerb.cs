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
    private static readonly QuestionOptions Asked = new();
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
            Model, Against, Out, Threads, Json,
        };
        Asked.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation) => Task.Run(() => Run(parsed, cancellation), cancellation);

    private static int Run(ParseResult parsed, CancellationToken cancellation)
    {
        var questions = Asked.Read(parsed);
        if (questions.Texts.Count + questions.Tasks.Count == 0)
        {
            throw new InputException("there is nothing to measure: name texts with --text or tasks with --tasks NAME=FILE.");
        }

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
}
