namespace Cairn.Sparse;

/// <summary>Turns the kept values of one tensor into codes, and says what codes stand for.</summary>
internal interface IQuantizer
{
    /// <summary>Which one it is.</summary>
    QuantizerKind Kind { get; }

    /// <summary>Bits of a code on the wire: 1 or 2.</summary>
    int BitsPerValue { get; }

    /// <summary>Bytes of what the codes stand for, before the scales.</summary>
    int HeaderBytes { get; }

    /// <summary>Whether each chunk has a scale of 4 bits.</summary>
    bool HasScales { get; }

    /// <summary>Quantises values.</summary>
    /// <param name="grid">The tensor's cut.</param>
    /// <param name="values">The kept values, chunk after chunk: [ValueCount], all finite.</param>
    /// <param name="codes">Receives a code for each.</param>
    /// <param name="scales">Receives a scale code for each chunk; empty if there are none.</param>
    /// <returns>What the codes stand for, or null if that lies outside the range that a receiver accepts: training has diverged.</returns>
    LevelBook? TryQuantize(TensorGrid grid, ReadOnlySpan<float> values, Span<byte> codes, Span<byte> scales);

    /// <summary>Writes a book.</summary>
    /// <param name="book">Of this kind.</param>
    /// <param name="header">Exactly HeaderBytes.</param>
    void Write(LevelBook book, Span<byte> header);

    /// <summary>Reads a book from anywhere.</summary>
    /// <param name="header">Exactly HeaderBytes.</param>
    /// <returns>Null if a number is not finite or out of its range.</returns>
    LevelBook? TryRead(ReadOnlySpan<byte> header);

    /// <summary>Whether book and scales fit each other, as far as can be told without the codes.</summary>
    /// <param name="book">As read.</param>
    /// <param name="scalesUsed">A bit for each scale code that occurs.</param>
    bool IsBookInForm(LevelBook book, int scalesUsed);

    /// <summary>Which codes a chunk that is not zero may have: a bit for each, or <see cref="LevelBook.AllCodes"/>.</summary>
    int CodesAllowed(LevelBook book);

    /// <summary>Whether the codes of a tensor name all that the book must have been made for.</summary>
    bool UsesItsBook(LevelBook book, ReadOnlySpan<byte> codes);
}

/// <summary>The quantisers by kind.</summary>
internal static class Quantizers
{
    private static readonly PublishedQuantizer Published = new();
    private static readonly ChunkQuantizer SignMagnitude = new(QuantizerKind.SignMagnitude);
    private static readonly ChunkQuantizer Sign = new(QuantizerKind.Sign);

    public static IQuantizer Of(QuantizerKind kind) => kind switch
    {
        QuantizerKind.Published => Published,
        QuantizerKind.SignMagnitude => SignMagnitude,
        _ => Sign,
    };
}
