namespace Cairn.Inference;

/// <summary>A text whose keys and values are kept, in pages of a <see cref="BatchModel"/>.</summary>
public sealed class CachedText
{
    /// <summary>Tokens whose keys and values are kept.</summary>
    public int Length { get; internal set; }

    /// <summary>The pages in the order of the tokens; the last may have room.</summary>
    internal List<int> Pages { get; } = [];

    /// <summary>Pages, from the first on, that are full and stand in the index of beginnings, here or as another's.</summary>
    internal int Indexed { get; set; }

    /// <summary>The serial of the beginning that <see cref="Indexed"/> pages make.</summary>
    internal long Beginning { get; set; }

    /// <summary>Tokens behind the indexed pages.</summary>
    internal List<int> Rest { get; } = [];

    /// <summary>Whether it was closed.</summary>
    internal bool IsClosed { get; set; }
}
