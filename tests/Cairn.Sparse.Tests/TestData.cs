using Cairn.Base;

namespace Cairn.Sparse.Tests;

/// <summary>Small grids and random updates that every test draws from.</summary>
internal static class TestData
{
    public static readonly Digest Rules = Digest.Of("rules of the test"u8);
    public static readonly Round Round = new(3);
    public static readonly Uid Uid = new(7);

    /// <summary>A matrix of four whole chunks, a short vector, a small matrix, a vector that ends on a short run, a matrix with edges, and a column of prime length.</summary>
    public static ChunkGrid Mixed { get; } = new(
    [
        new TensorSpec("wide", 128, 128, 0),
        new TensorSpec("gain", 1, 33, 16384),
        new TensorSpec("odd", 6, 35, 16500),
        new TensorSpec("long", 1, 4096 + 301, 17000),
        new TensorSpec("edges", 70, 130, 21_500),
        new TensorSpec("prime", 67, 1, 31_000),
    ]);

    /// <summary>Every quantiser in both modes.</summary>
    public static TheoryData<QuantizerKind, WireMode> Formats
    {
        get
        {
            var formats = new TheoryData<QuantizerKind, WireMode>();
            foreach (var quantizer in Enum.GetValues<QuantizerKind>())
            {
                formats.Add(quantizer, WireMode.Fast);
                formats.Add(quantizer, WireMode.Small);
            }

            return formats;
        }
    }

    public static float[] Normal(long count, string purpose, float scale = 1)
    {
        var random = new SeededRandom(1, purpose);
        var values = new float[count];
        for (var i = 0; i < count; i++)
        {
            values[i] = scale * (float)random.NextNormal();
        }

        return values;
    }

    public static SparseUpdate Update(ChunkGrid grid, string purpose, int uid = 7, QuantizerKind quantizer = QuantizerKind.SignMagnitude) =>
        Encoded(grid, Normal(grid.FlatLength, purpose, 1e-3f), uid, quantizer);

    public static SparseUpdate Encoded(ChunkGrid grid, float[] delta, int uid = 7, QuantizerKind quantizer = QuantizerKind.SignMagnitude)
    {
        var encoder = new SparseEncoder(grid, quantizer);
        Assert.True(encoder.TryEncode(Rules, Round, new Uid(uid), new float[delta.Length], delta, new float[delta.Length], out var update, out _));
        return update!;
    }

    /// <summary>A one-tensor update with chosen places and values; at most four different values.</summary>
    public static SparseUpdate Handmade(ChunkGrid grid, int uid, params (int Index, float Value)[] sent)
    {
        var levels = sent.Select(s => s.Value).Distinct().ToArray();
        var codes = sent.Select(s => (byte)Array.IndexOf(levels, s.Value)).ToArray();
        Array.Resize(ref levels, 4);
        var indices = sent.Select(s => (ushort)s.Index).ToArray();
        var book = new LevelBook(new Codebook(0, 1, levels[0], levels[1], levels[2], levels[3]));
        return new SparseUpdate(grid, Rules, Round, new Uid(uid), [new SparseTensor(grid[0], indices, codes, [], book)]);
    }

    public static float[] Dense(ISparseUpdate update, int tensor)
    {
        var dense = new float[update.Grid[tensor].Spec.Length];
        update[tensor].SubtractFrom(-1, dense);
        return dense;
    }
}
