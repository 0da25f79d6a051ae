namespace Cairn.Data;

/// <summary>What a document says, in numbers.</summary>
/// <param name="Whole">Of all its words in order.</param>
/// <param name="Bands">As <see cref="MinHash.Sign"/> gives them, or null where only the whole counts.</param>
internal sealed record Said((ulong First, ulong Second) Whole, ulong[]? Bands);

/// <summary>Decides in order of documents which say what one before them said. Memory of fixed size; what was kept alone is remembered.</summary>
internal sealed class Remembered
{
    private readonly SeenFilter? _first;
    private readonly SeenFilter? _second;
    private readonly SeenFilter[] _bands = [];

    /// <summary>Takes the memory.</summary>
    /// <param name="kind">What counts.</param>
    /// <param name="bytes">Memory in all: a quarter for whole documents, three quarters for bands; all for whole ones where only they count.</param>
    public Remembered(Duplicates kind, long bytes)
    {
        Kind = kind;
        if (kind == Duplicates.Kept)
        {
            return;
        }

        var whole = kind == Duplicates.Exact ? bytes : bytes / 4;
        (_first, _second) = (new SeenFilter(whole / 2), new SeenFilter(whole / 2));
        if (kind == Duplicates.Near)
        {
            _bands = [.. Enumerable.Range(0, MinHash.Bands).Select(_ => new SeenFilter((bytes - whole) / MinHash.Bands))];
        }
    }

    /// <summary>What counts.</summary>
    public Duplicates Kind { get; }

    /// <summary>The part of new documents that are now taken for known by chance, because the memory fills.</summary>
    public double FalsePart => _first is null ? 0
        : 1 - ((1 - (_first.FalsePart * _second!.FalsePart)) * _bands.Aggregate(1.0, (all, band) => all * (1 - band.FalsePart)));

    /// <summary>Judges a document, and remembers it if it is kept.</summary>
    public Loss Judge(Said said)
    {
        if (_first is null)
        {
            return Loss.None;
        }

        if (_first.Contains(said.Whole.First) && _second!.Contains(said.Whole.Second))
        {
            return Loss.Exact;
        }

        for (var band = 0; band < _bands.Length; band++)
        {
            if (_bands[band].Contains(said.Bands![band]))
            {
                return Loss.Near;
            }
        }

        Remember(said);
        return Loss.None;
    }

    /// <summary>Remembers a document that was kept.</summary>
    public void Remember(Said said)
    {
        _first?.Add(said.Whole.First);
        _second?.Add(said.Whole.Second);
        for (var band = 0; band < _bands.Length; band++)
        {
            _bands[band].Add(said.Bands![band]);
        }
    }
}
