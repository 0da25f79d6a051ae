namespace Cairn.Data;

/// <summary>Where text comes from.</summary>
public sealed record CorpusOptions
{
    /// <summary>Files (.txt, .md, .jsonl) and folders of them; empty for the English of the .NET SDK's reference documentation.</summary>
    public IReadOnlyList<string> Paths { get; init; } = [];

    /// <summary>The field of a .jsonl record that holds its text.</summary>
    public string JsonField { get; init; } = "text";

    /// <summary>The part of the text that is held out from training: above 0, below 1.</summary>
    public double HeldOutPart { get; init; } = 0.05;

    /// <summary>The most text that is read, in bytes: it is held in memory while it is encoded.</summary>
    public long TextBytesMax { get; init; } = 8L << 30;
}
