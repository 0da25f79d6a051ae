using Cairn.Base;

namespace Cairn.Evaluation;

/// <summary>Examples with their answers before each question: the first of a file, the same before every question, so that nothing is drawn and a figure can be
/// repeated. The harness draws them anew for each question; over many questions the two differ by luck alone.</summary>
/// <param name="Examples">Each a question with its right answer.</param>
public sealed record FewShot(IReadOnlyList<string> Examples)
{
    private const string Between = "\n\n";

    /// <summary>No examples.</summary>
    public static FewShot None { get; } = new([]);

    /// <summary>The first questions of a task.</summary>
    /// <param name="task">Of the same kind; other questions than those asked.</param>
    /// <param name="count">How many.</param>
    /// <exception cref="InputException">It has fewer.</exception>
    public static FewShot Of(EvaluationTask task, int count) => task.Items.Count >= count
        ? new FewShot([.. task.Items.Take(count).Select(item => item.Example)])
        : throw new InputException($"{count} examples are wanted and the file has {task.Items.Count}: ask for fewer (--few-shot), or give a larger file.");

    /// <summary>What stands before a question.</summary>
    /// <param name="task">The task.</param>
    /// <param name="item">Which of its questions.</param>
    public string Before(EvaluationTask task, int item) => task.Descriptions[item] + string.Concat(Examples.Select(example => example + Between));
}
