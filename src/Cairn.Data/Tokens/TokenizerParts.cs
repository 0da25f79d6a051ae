namespace Cairn.Data;

/// <summary>What a token is; the numbers are those of GGUF.</summary>
public enum TokenKind
{
    /// <summary>Comes out of text by merging.</summary>
    Normal = 1,

    /// <summary>Stands for what has no token.</summary>
    Unknown = 2,

    /// <summary>Steers a model (the end of a text, the turn of a speaker); text never yields it by itself, and it is left out of text.</summary>
    Control = 3,

    /// <summary>Found in text before anything is merged, and written into text like any other.</summary>
    UserDefined = 4,

    /// <summary>A number that nothing uses.</summary>
    Unused = 5,

    /// <summary>One byte of a character that has no token (families whose tokens are characters).</summary>
    Byte = 6,
}

/// <summary>What cuts text into words, and of what the tokens are made.</summary>
public enum TokenizerFamily
{
    /// <summary>Bytes; words as in GPT-2 (numbers are as long as they are).</summary>
    Gpt2,

    /// <summary>Bytes; words as in Llama 3 (numbers in groups of up to three).</summary>
    Llama3,

    /// <summary>Bytes; words as in Qwen 2 (numbers digit by digit).</summary>
    Qwen2,

    /// <summary>Characters, and bytes for those without a token; the whole text is one word (SentencePiece, as in Llama 2 and Gemma 3).</summary>
    SentencePiece,
}

/// <summary>Where a space is put before text (the SentencePiece family).</summary>
public enum SpacePrefix
{
    /// <summary>Nowhere.</summary>
    Never,

    /// <summary>At the beginning of the text, unless a token of another kind than text stands there.</summary>
    First,

    /// <summary>At the beginning and after every such token.</summary>
    EverySegment,
}

/// <summary>All that makes a tokenizer, whatever file it was in: readers fill it, <see cref="Tokenizer.Of"/> checks it, writers take it from <see
/// cref="Tokenizer.Parts"/>.</summary>
public sealed record TokenizerParts
{
    /// <summary>The kind of cutting and merging.</summary>
    public required TokenizerFamily Family { get; init; }

    /// <summary>The bytes of text that each id stands for; of a <see cref="TokenKind.Control"/> or <see cref="TokenKind.UserDefined"/> token its name.</summary>
    public required IReadOnlyList<byte[]> Tokens { get; init; }

    /// <summary>What each id is; as many as <see cref="Tokens"/>.</summary>
    public required IReadOnlyList<TokenKind> Kinds { get; init; }

    /// <summary>In ascending order of rank.</summary>
    public required IReadOnlyList<Merge> Merges { get; init; }

    /// <summary>True if a word that is itself a token is not built by merges ("ignore_merges"; byte families).</summary>
    public bool WholeWordsFirst { get; init; }

    /// <summary>True if text is brought into composed form first (Unicode NFC, as in Qwen 2): an accent and its letter become one character.</summary>
    public bool Composes { get; init; }

    /// <summary>Where a space is put before text.</summary>
    public SpacePrefix Prefix { get; init; }

    /// <summary>The id that begins a text, if the model wants one there.</summary>
    public int? Begin { get; init; }

    /// <summary>The id that ends a text; null to look for one of the usual names.</summary>
    public int? End { get; init; }
}
