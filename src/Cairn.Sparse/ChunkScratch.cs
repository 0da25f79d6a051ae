namespace Cairn.Sparse;

/// <summary>Numbers of one chunk, one set per worker.</summary>
internal sealed class ChunkScratch
{
    /// <summary>The sum of each element.</summary>
    public float[] Sums { get; } = new float[TopK.ChunkMax];

    /// <summary>How many updates sent each element.</summary>
    public int[] Selectors { get; } = new int[TopK.ChunkMax];

    /// <summary>How many more sent it as positive than as negative.</summary>
    public int[] Votes { get; } = new int[TopK.ChunkMax];

    /// <summary>Where the values of each element end among <see cref="Values"/>.</summary>
    public int[] Ends { get; } = new int[TopK.ChunkMax];

    /// <summary>All values of the chunk, element by element.</summary>
    public float[] Values { get; private set; } = [];

    /// <summary>The mean size of what each update sent of the chunk.</summary>
    public double[] Sizes { get; private set; } = [];

    /// <summary>Makes room for so many updates of a chunk.</summary>
    public void Reserve(int updates)
    {
        if (Sizes.Length != updates)
        {
            (Values, Sizes) = (new float[updates * TopK.KeepMax], new double[updates]);
        }
    }
}
