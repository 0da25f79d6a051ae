namespace Cairn.Data;

/// <summary>What is left out as said before.</summary>
public enum Duplicates
{
    /// <summary>Nothing.</summary>
    Kept = 0,

    /// <summary>Documents with the same words in the same order, whatever their case, punctuation and spacing.</summary>
    Exact = 1,

    /// <summary>Those, and documents that share most of their runs of five words (<see cref="MinHash"/>).</summary>
    Near = 2,
}

/// <summary>A source of text and its part of the whole.</summary>
/// <param name="Path">A file or a folder.</param>
/// <param name="Weight">Above 0, relative to those of the other sources; null where everything is taken.</param>
public sealed record WeightedSource(string Path, double? Weight);

/// <summary>How text is prepared that need not fit into memory.</summary>
public sealed record PreparationOptions
{
    /// <summary>Where text comes from, in order: of what two sources both have, the first keeps it. All with a weight, or none.</summary>
    public required IReadOnlyList<WeightedSource> Sources { get; init; }

    /// <summary>Where the text of the annealing part comes from, as <see cref="Sources"/>; none for no such part. It is mixed, and freed of what it says
    /// twice, by itself: it may say again what the main part says.</summary>
    public IReadOnlyList<WeightedSource> AnnealSources { get; init; } = [];

    /// <summary>Those of both parts, the main one's first.</summary>
    internal IReadOnlyList<WeightedSource> AllSources => [.. Sources, .. AnnealSources];

    /// <summary>The field of JSON lines, or column of Parquet, that holds the text.</summary>
    public string TextField { get; init; } = "text";

    /// <summary>The part that is held out: above 0, below 1. No more than <see cref="HeldOutBytesMax"/> is.</summary>
    public double HeldOutPart { get; init; } = 0.05;

    /// <summary>The most text that is held out, in bytes.</summary>
    public long HeldOutBytesMax { get; init; } = 256L << 20;

    /// <summary>The size of the vocabulary to train.</summary>
    public int VocabularySize { get; init; } = 4096;

    /// <summary>About how much text a vocabulary is trained on, in bytes: documents chosen by their hash.</summary>
    public long VocabularyBytesMax { get; init; } = 256L << 20;

    /// <summary>A tokenizer.json to use instead of training one, or null.</summary>
    public string? TokenizerPath { get; init; }

    /// <summary>What is left out for its form, or null for nothing.</summary>
    public TextFilter? Filter { get; init; }

    /// <summary>What is left out as said before.</summary>
    public Duplicates Duplicates { get; init; }

    /// <summary>Memory for remembering what was said before, in bytes.</summary>
    public long DuplicateBytes { get; init; } = 512L << 20;

    /// <summary>About how much text goes into one shard, in bytes: what is lost when a preparation is killed, and what is in memory at once, some times over.</summary>
    public long ShardTextBytes { get; init; } = 128L << 20;

    /// <summary>Threads. Changes no byte.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;
}
