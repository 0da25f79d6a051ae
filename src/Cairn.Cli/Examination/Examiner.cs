using Cairn.Base;
using Cairn.Compute;
using Cairn.Data;
using Cairn.Evaluation;
using Cairn.Formats;
using Cairn.Model;
using Cairn.Node;

namespace Cairn.Cli.Examination;

/// <summary>What is asked.</summary>
/// <param name="Texts">Texts with their names.</param>
/// <param name="Tasks">Tasks with the examples before their questions.</param>
internal sealed record Questions(IReadOnlyList<(string Name, byte[] Text)> Texts, IReadOnlyList<(EvaluationTask Task, FewShot Examples)> Tasks)
{
    private const int TextBytesMax = 1 << 28;

    /// <summary>A text whole.</summary>
    /// <exception cref="InputException">It is missing, empty or too large.</exception>
    public static byte[] ReadText(string path)
    {
        var file = new FileInfo(path);
        return !file.Exists ? throw new InputException($"{path} does not exist: give the path of a text.")
            : file.Length is 0 or > TextBytesMax ? throw new InputException($"{path} has {file.Length} bytes, a text may have 1 to {TextBytesMax}: split it.")
            : File.ReadAllBytes(path);
    }
}

/// <summary>Puts the same questions to models, one after another.</summary>
internal sealed class Examiner(Questions questions, int threads, TextWriter progress, bool isPlain)
{
    /// <summary>Loads a model, asks, and drops it.</summary>
    /// <exception cref="InputException">It cannot be loaded.</exception>
    public ModelScore Examine(string model, CancellationToken cancellation)
    {
        var (parameters, tokenizer) = Load(model);
        using var owned = parameters;
        using var kernels = new CpuKernels(threads);
        using var examined = new ModelUnderTest(parameters, tokenizer, kernels);
        var texts = questions.Texts.Select(text => Told(model, text.Name, step => examined.Score(text.Name, text.Text, step, cancellation))).ToList();
        var tasks = questions.Tasks.Select(one => Told(model, one.Task.Name, step => examined.Score(one.Task, one.Examples, step, cancellation))).ToList();
        return new ModelScore(model, texts, tasks);
    }

    /// <summary>A model by its place: a run's newest checkpoint, or whatever model lies there.</summary>
    public static (Parameters Parameters, Tokenizer Tokenizer) Load(string dir)
    {
        if (new RunDirectory(dir) is { HoldsRun: true } run)
        {
            return CheckpointFolder.LoadVerified(run);
        }

        using var model = ModelFile.Open(dir);
        return (model.LoadParameters(), model.Tokenizer);
    }

    private T Told<T>(string model, string what, Func<IProgress<int>, T> work)
    {
        var steps = new Steps(count => progress.Write($"\r{model}: {what} {count}"));
        var result = work(isPlain ? new Steps(_ => { }) : steps);
        progress.Write(isPlain ? $"{model}: {what} done\n" : $"\r{new string(' ', model.Length + what.Length + 14)}\r");
        return result;
    }

    // Progress<T> would post to another thread and lose the order.
    private sealed class Steps(Action<int> tell) : IProgress<int>
    {
        public void Report(int value) => tell(value);
    }
}
