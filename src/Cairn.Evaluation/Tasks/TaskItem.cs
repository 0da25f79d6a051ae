namespace Cairn.Evaluation;

/// <summary>One question of a task.</summary>
/// <param name="Id">What the file calls it, or its number.</param>
/// <param name="Example">The question with its right answer, as it stands before others (few-shot).</param>
public abstract record TaskItem(string Id, string Example);

/// <summary>A question with answers to choose from: the one that the model holds likeliest counts.</summary>
/// <param name="Id">What the file calls it, or its number.</param>
/// <param name="Example">The question with its right answer.</param>
/// <param name="Choices">At least two.</param>
/// <param name="Gold">The right one.</param>
/// <param name="IsNormed">True where the likelihood for each character is a measure too.</param>
public sealed record ChoiceItem(string Id, string Example, IReadOnlyList<Choice> Choices, int Gold, bool IsNormed) : TaskItem(Id, Example);

/// <summary>One answer.</summary>
/// <param name="Context">What stands before it.</param>
/// <param name="Continuation">What is scored, with the blank before it.</param>
/// <param name="Length">Characters (Unicode scalar values) of the answer as the file has it, by which its likelihood is divided.</param>
public readonly record struct Choice(string Context, string Continuation, int Length);

/// <summary>A question that is answered freely.</summary>
/// <param name="Id">What the file calls it, or its number.</param>
/// <param name="Example">The question with its right answer.</param>
/// <param name="Prompt">What the model continues.</param>
/// <param name="Stops">Where an answer ends.</param>
/// <param name="TokensMax">The most tokens of an answer.</param>
/// <param name="Judge">Says what is right of an answer.</param>
public sealed record OpenItem(
    string Id, string Example, string Prompt, IReadOnlyList<string> Stops, int TokensMax, Func<string, IReadOnlyList<Mark>> Judge) : TaskItem(Id, Example);

/// <summary>What an answer is worth by one measure.</summary>
/// <param name="Metric">The measure, by the name that the LM Evaluation Harness gives it.</param>
/// <param name="Value">1 for right, 0 for wrong.</param>
public readonly record struct Mark(string Metric, double Value);
