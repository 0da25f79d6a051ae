namespace Cairn.Data;

/// <summary>What a data set is made from.</summary>
public sealed record DataSetOptions
{
    /// <summary>The text.</summary>
    public CorpusOptions Corpus { get; init; } = new();

    /// <summary>The size of the vocabulary to train: 257 to <see cref="BpeTrainer.VocabularySizeMax"/>. A text too small for it gives a smaller one.</summary>
    public int VocabularySize { get; init; } = 4096;

    /// <summary>A tokenizer.json to use instead of training one, or null.</summary>
    public string? TokenizerPath { get; init; }

    /// <summary>About how much text goes into one shard, in bytes, at least 1: what is lost when a preparation is killed. Part of the identity of the data set.</summary>
    public long ShardTextBytes { get; init; } = 256L << 20;
}
