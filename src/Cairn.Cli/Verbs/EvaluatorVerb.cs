using System.CommandLine;
using System.Globalization;
using Cairn.Base;
using Cairn.Cli.Examination;
using Cairn.Cli.Views;
using Cairn.Compute;
using Cairn.Data;
using Cairn.Evaluation;
using Cairn.Model;
using Cairn.Node;
using Cairn.Protocol;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn evaluator</c> and <c>cairn run evaluations</c>: the checkpoints of a run scored as they come, and what was found read by anybody.</summary>
internal static class EvaluatorVerb
{
    private static readonly QuestionOptions Asked = new();
    private static readonly Option<string?> Name = new("--name")
    {
        Description = "The member whose key signs what is found. Default: the first whose key lies in the folder, validators before peers.",
    };

    private static readonly Option<int> Every = new("--every") { Description = "Score every so many-th checkpoint, and the last.", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> Sequences = new("--sequences")
    {
        Description = "Held-out sequences to measure on, 2 to 1,000,000.",
        DefaultValueFactory = _ => 512,
    };

    private static readonly Option<int> Threads = new("--threads")
    {
        Description = "Threads to compute with. Changes no bit.",
        DefaultValueFactory = _ => Environment.ProcessorCount,
    };

    private static readonly Option<bool> Json = new("--json") { Description = "Print one line of JSON for each checkpoint." };

    public static Command Evaluator()
    {
        var command = new Command(
            "evaluator",
            "Follows a run and scores its checkpoints as they come: held-out loss, texts and tasks as cairn eval does, and what the model writes. " +
            "What it finds it puts, signed by a " +
            "member, into that member's store, where everybody can read it. It ends with the run; Ctrl-C stops it, and the same command goes on.\n\n" +
            "Example:  cairn evaluator --dir runs/ours --every 2 --tasks piqa=piqa.jsonl")
        {
            NodeConfig.Dir, Name, Every, Sequences, Threads, NodeConfig.Store, NodeConfig.StoreKeys, Json,
        };
        Asked.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    public static Command Evaluations()
    {
        var command = new Command(
            "evaluations",
            "Reads what evaluators of a run have published, from the stores of its members: only what a member signed, of checkpoints that the ledger names.\n\n" +
            "Example:  cairn run evaluations --dir runs/ours")
        {
            NodeConfig.Dir, Json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var json = parsed.GetValue(Json);
            var published = await PublishedEvaluations.ReadAsync(
                new RunDirectory(parsed.GetValue(NodeConfig.Dir) ?? RunFolders.Newest()), why => Console.Error.WriteLine($"  {why}"), cancellation);
            if (published.Count == 0)
            {
                Console.Error.WriteLine("no member of this run has published an evaluation: cairn evaluator --every N makes them");
            }

            foreach (var found in published)
            {
                Console.WriteLine(json ? EvaluationFile.Line(found.Record, found.By) : EvaluationView.Of(found.Record, found.By));
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var (questions, every, sequences, json) = (Asked.Read(parsed), parsed.GetValue(Every), parsed.GetValue(Sequences), parsed.GetValue(Json));
        if (every < 1 || sequences is < 2 or > 1_000_000)
        {
            throw new InputException("--every must be at least 1, and --sequences 2 to 1,000,000.");
        }

        var threads = Math.Clamp(parsed.GetValue(Threads), 1, 256);
        var options = new EvaluatorOptions(
            parsed.GetValue(NodeConfig.Dir) ?? RunFolders.Newest(), parsed.GetValue(Name), every, sequences, threads, parsed.GetValue(NodeConfig.Store),
            new StoreAccess { Writer = StoreAccess.FindWriter(parsed.GetValue(NodeConfig.StoreKeys)) });
        var over = await RunEvaluator.RunAsync(
            options, (parameters, tokenizer) => Examine(questions, parameters, tokenizer, threads, cancellation),
            record => Console.WriteLine(json ? EvaluationFile.Line(record, null) : EvaluationView.Of(record, null)),
            why => Console.Error.WriteLine($"  {why}"), cancellation);
        return over ? ExitCode.Success : ExitCode.Interrupted;
    }

    private static ModelFindings Examine(Questions questions, Parameters parameters, Tokenizer tokenizer, int threads, CancellationToken cancellation)
    {
        using var kernels = new CpuKernels(threads);
        using var model = new ModelUnderTest(parameters, tokenizer, kernels);
        var texts = questions.Texts.Select(text => model.Score(Path.GetFileName(text.Name), text.Text, null, cancellation));
        var tasks = questions.Tasks.Select(one => model.Score(one.Task, one.Examples, null, cancellation));
        return new ModelFindings(
            [.. texts.Select(text => new EvaluatedText(text.Name, text.Bytes, text.BitsPerByte))],
            [.. tasks.SelectMany(task => task.Metrics, (task, metric) => new EvaluatedTask(task.Task, metric.Name, metric.Mean, metric.StandardError, metric.Count))]);
    }
}
