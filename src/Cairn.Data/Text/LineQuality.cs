using System.Runtime.CompilerServices;

namespace Cairn.Data;

/// <summary>Tells prose from code and signatures, and lines that say the same of another thing.</summary>
internal static class LineQuality
{
    private const int WordsMin = 4;
    private static readonly bool[] Plain = BuildPlain();

    /// <summary>True for a line that reads as English: several words, nearly all of it letters and ordinary punctuation.</summary>
    /// <param name="line">UTF-8.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool IsProse(ReadOnlySpan<byte> line)
    {
        var (spaces, odd) = (0, 0);
        foreach (var value in line)
        {
            spaces += value == ' ' ? 1 : 0;
            odd += Plain[value] ? 0 : 1;
        }

        return spaces >= WordsMin - 1 && odd * 10 <= line.Length && !HasTraces(line) && System.Text.Unicode.Utf8.IsValid(line);
    }

    // Of code, of addresses, and of markup that the writers escaped twice.
    private static bool HasTraces(ReadOnlySpan<byte> line) =>
        line.IndexOf("__"u8) >= 0 || line.IndexOf("://"u8) >= 0 || line.IndexOf("xref:"u8) >= 0 || line.IndexOf("&lt;"u8) >= 0 || line.IndexOf("&gt;"u8) >= 0;

    /// <summary>A fingerprint of a line without its names and numbers (words with a digit, an underscore, or a capital or point inside), case and punctuation.</summary>
    /// <param name="line">UTF-8.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static ulong NearHash(ReadOnlySpan<byte> line)
    {
        const ulong Prime = 0x100_0000_01B3;
        var hash = 0xCBF2_9CE4_8422_2325;
        for (var at = 0; at < line.Length; at++)
        {
            // FNV-1a of the word's letters; a name counts as the same word as every other name.
            var (word, letters, isName) = (0xCBF2_9CE4_8422_2325, 0, false);
            for (; at < line.Length && line[at] != ' '; at++)
            {
                var value = line[at];
                var lower = (byte)(value | 0x20);
                if (lower is >= (byte)'a' and <= (byte)'z')
                {
                    isName |= letters > 0 && value != lower;
                    word = (word ^ lower) * Prime;
                    letters++;
                }
                else
                {
                    isName |= value is (>= (byte)'0' and <= (byte)'9') or (byte)'_' || (value == '.' && at + 1 < line.Length && line[at + 1] != ' ');
                }
            }

            hash = (hash ^ (isName ? 1 : word)) * 0x9E37_79B9_7F4A_7C15;
            hash ^= hash >> 32;
        }

        return hash;
    }

    private static bool[] BuildPlain()
    {
        var plain = new bool[256];
        foreach (var value in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ,.'-;"u8)
        {
            plain[value] = true;
        }

        return plain;
    }
}
