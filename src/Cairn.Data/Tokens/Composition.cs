using System.Buffers;
using System.Text;

namespace Cairn.Data;

/// <summary>Unicode's composed form (NFC; Unicode Standard Annex 15) of UTF-8 text: an accent and its letter become one character. The runtime does it only with the
/// libraries of a locale, and differently with each version of them.</summary>
/// <remarks>Bytes that are not valid UTF-8 stay as they are, and nothing is composed across them.</remarks>
internal static class Composition
{
    private const uint Excluded = 1u << 31;
    private const int SyllableBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TailBase = 0x11A7;
    private const int Leads = 19, Vowels = 21, Tails = 28, Syllables = Leads * Vowels * Tails;
    private static readonly Dictionary<int, (int First, int Second)> Parts = [];
    private static readonly Dictionary<(int First, int Second), int> Wholes = [];
    private static readonly Dictionary<int, byte> Classes = [];

    static Composition()
    {
        var table = CompositionTable.Decompositions;
        for (var at = 0; at < table.Length; at += 3)
        {
            var (whole, first, second) = ((int)table[at], (int)table[at + 1], table[at + 2]);
            Parts.Add(whole, (first, (int)(second & ~Excluded)));
            if ((second & Excluded) == 0)
            {
                Wholes.Add((first, (int)second), whole);
            }
        }

        var classes = CompositionTable.Classes;
        for (var at = 0; at < classes.Length; at += 3)
        {
            for (var character = classes[at]; character <= classes[at + 1]; character++)
            {
                Classes.Add((int)character, (byte)classes[at + 2]);
            }
        }
    }

    /// <summary>The composed form.</summary>
    /// <param name="text">Any bytes.</param>
    /// <returns>The text itself where nothing can change.</returns>
    public static ReadOnlySpan<byte> Compose(ReadOnlySpan<byte> text)
    {
        // Below U+0300 every character stands for itself and joins nothing before it.
        if (text.IndexOfAnyInRange((byte)0xCC, (byte)0xFF) < 0)
        {
            return text;
        }

        var (output, run) = (new ArrayBufferWriter<byte>(text.Length + 16), new List<int>());
        while (!text.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(text, out var rune, out var length) == OperationStatus.Done)
            {
                Decompose(rune.Value, run);
            }
            else
            {
                length = 1;
                Flush(run, output);
                output.Write(text[..1]);
            }

            text = text[length..];
        }

        Flush(run, output);
        return output.WrittenSpan;
    }

    private static void Decompose(int character, List<int> run)
    {
        if (character is >= SyllableBase and < SyllableBase + Syllables)
        {
            var index = character - SyllableBase;
            run.Add(LeadBase + (index / (Vowels * Tails)));
            run.Add(VowelBase + (index / Tails % Vowels));
            if (index % Tails > 0)
            {
                run.Add(TailBase + (index % Tails));
            }
        }
        else if (Parts.TryGetValue(character, out var parts))
        {
            Decompose(parts.First, run);
            if (parts.Second > 0)
            {
                Decompose(parts.Second, run);
            }
        }
        else
        {
            run.Add(character);
        }
    }

    private static void Flush(List<int> run, ArrayBufferWriter<byte> output)
    {
        Order(run);
        Join(run);
        foreach (var character in run)
        {
            output.Advance(new Rune(character).EncodeToUtf8(output.GetSpan(4)));
        }

        run.Clear();
    }

    // Marks between two letters stand in the order of their class; those of one class keep their order.
    private static void Order(List<int> run)
    {
        for (var start = 0; start < run.Count;)
        {
            var end = start;
            while (end < run.Count && ClassOf(run[end]) != 0)
            {
                end++;
            }

            if (end - start > 1)
            {
                var marks = run.GetRange(start, end - start).OrderBy(ClassOf).ToList();
                for (var i = 0; i < marks.Count; i++)
                {
                    run[start + i] = marks[i];
                }
            }

            start = end + 1;
        }
    }

    private static void Join(List<int> run)
    {
        var (letter, kept, classBefore) = (-1, 0, 0);
        for (var i = 0; i < run.Count; i++)
        {
            var (character, value) = (run[i], ClassOf(run[i]));
            // Blocked by a mark of the same or a higher class in between, or by a letter.
            var free = letter >= 0 && (kept == letter + 1 || (classBefore < value && classBefore != 0));
            if (free && Whole(run[letter], character) is >= 0 and var whole)
            {
                run[letter] = whole;
                continue;
            }

            letter = value == 0 ? kept : letter;
            classBefore = value;
            run[kept++] = character;
        }

        run.RemoveRange(kept, run.Count - kept);
    }

    private static int Whole(int first, int second)
    {
        if (first is >= LeadBase and < LeadBase + Leads && second is >= VowelBase and < VowelBase + Vowels)
        {
            return SyllableBase + ((((first - LeadBase) * Vowels) + second - VowelBase) * Tails);
        }

        return first is >= SyllableBase and < SyllableBase + Syllables && (first - SyllableBase) % Tails == 0 && second is > TailBase and < TailBase + Tails
            ? first + second - TailBase
            : Wholes.GetValueOrDefault((first, second), -1);
    }

    private static int ClassOf(int character) => Classes.GetValueOrDefault(character);
}
