namespace Cairn.Data;

/// <summary>The words of a document by their hashes: runs of letters and digits, ASCII in lower case, every byte beyond ASCII a letter. What is left out here (case,
/// punctuation, spacing) makes no difference between two documents.</summary>
public sealed class WordRuns
{
    /// <summary>Words of a run.</summary>
    public const int RunLength = 5;

    private const ulong Prime = 0x100_0000_01B3;
    private const ulong Basis = 0xCBF2_9CE4_8422_2325;
    private readonly List<ulong> _words = [];

    /// <summary>How many words.</summary>
    public int Count => _words.Count;

    /// <summary>Their bytes.</summary>
    public long Bytes { get; private set; }

    /// <summary>Takes the words of a document instead of those before.</summary>
    /// <param name="text">UTF-8.</param>
    public void Read(ReadOnlySpan<byte> text)
    {
        _words.Clear();
        Bytes = 0;
        var (word, length) = (Basis, 0);
        foreach (var value in text)
        {
            var lower = value is >= (byte)'A' and <= (byte)'Z' ? (byte)(value | 0x20) : value;
            if (lower is >= (byte)'a' and <= (byte)'z' or >= (byte)'0' and <= (byte)'9' or >= 0x80)
            {
                word = (word ^ lower) * Prime;
                length++;
            }
            else if (length > 0)
            {
                Bytes += length;
                _words.Add(Mixed(word));
                (word, length) = (Basis, 0);
            }
        }

        if (length > 0)
        {
            Bytes += length;
            _words.Add(Mixed(word));
        }
    }

    /// <summary>Two hashes of all words in order: the same for documents that say the same.</summary>
    public (ulong First, ulong Second) Whole()
    {
        var (first, second) = (0x9E37_79B9_7F4A_7C15UL, 0xC2B2_AE3D_27D4_EB4FUL);
        foreach (var word in _words)
        {
            first = Mixed(first ^ word) + 0x632B_E59B_D9B4_E019;
            second = Mixed(second + (word * 0xD6E8_FEB8_6659_FD93));
        }

        return (first, second);
    }

    /// <summary>The hash of each run of words; of a document shorter than one, that of all its words.</summary>
    /// <param name="runs">Receives them.</param>
    public void Runs(List<uint> runs)
    {
        runs.Clear();
        for (var from = 0; from == 0 || from + RunLength <= _words.Count; from++)
        {
            var run = 0UL;
            for (var i = from; i < Math.Min(from + RunLength, _words.Count); i++)
            {
                run = Mixed(run ^ _words[i]) + 0x9E37_79B9_7F4A_7C15;
            }

            runs.Add((uint)(Mixed(run) >> 32));
        }
    }

    /// <summary>The part of its runs that occurred earlier in the document, 0 to 1.</summary>
    public double RepeatedPart()
    {
        var runs = new List<uint>(_words.Count);
        Runs(runs);
        var seen = new HashSet<uint>(runs.Count);
        return (double)runs.Count(run => !seen.Add(run)) / runs.Count;
    }

    /// <summary>Spreads the bits of a number, one to one.</summary>
    internal static ulong Mixed(ulong value)
    {
        value = (value ^ (value >> 33)) * 0xFF51_AFD7_ED55_8CCD;
        value = (value ^ (value >> 33)) * 0xC4CE_B9FE_1A85_EC53;
        return value ^ (value >> 33);
    }
}
