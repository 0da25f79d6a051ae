using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Cairn.Data;

/// <summary>What the pre-tokenizer tells apart.</summary>
internal enum CharacterKind : byte
{
    /// <summary>Punctuation, symbols, marks, controls, and every byte that is not part of valid UTF-8.</summary>
    Other,

    /// <summary>Unicode category L.</summary>
    Letter,

    /// <summary>Unicode category N.</summary>
    Number,

    /// <summary>White space that does not end a line.</summary>
    Space,

    /// <summary>Carriage return or line feed.</summary>
    LineEnd,
}

/// <summary>Classifies the character at a place of UTF-8 text. Bytes that are not valid UTF-8 count one by one as <see cref="CharacterKind.Other"/>,
/// so that every sequence of bytes has exactly one reading.</summary>
internal static class CharacterClass
{
    private static readonly CharacterKind[] Ascii = BuildAscii();
    private static readonly CharacterKind[] Plane0 = BuildPlane0();

    /// <summary>The kind of the character that begins at a place.</summary>
    /// <param name="text">Any bytes.</param>
    /// <param name="at">A place inside it.</param>
    /// <param name="length">How many bytes the character takes, 1 to 4.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static CharacterKind At(ReadOnlySpan<byte> text, int at, out int length)
    {
        var first = text[at];
        if (first < 128)
        {
            length = 1;
            return Ascii[first];
        }

        return Wide(text[at..], out length);
    }

    private static CharacterKind Wide(ReadOnlySpan<byte> text, out int length)
    {
        if (Rune.DecodeFromUtf8(text, out var rune, out length) != OperationStatus.Done)
        {
            length = 1;
            return CharacterKind.Other;
        }

        return rune.IsBmp ? Plane0[rune.Value] : KindOf(rune.Value);
    }

    private static CharacterKind KindOf(int codePoint)
    {
        if (codePoint is '\r' or '\n')
        {
            return CharacterKind.LineEnd;
        }

        if (Rune.IsValid(codePoint) && Rune.IsWhiteSpace(new Rune(codePoint)))
        {
            return CharacterKind.Space;
        }

        return CharUnicodeInfo.GetUnicodeCategory(codePoint) switch
        {
            <= UnicodeCategory.OtherLetter => CharacterKind.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => CharacterKind.Number,
            _ => CharacterKind.Other,
        };
    }

    private static CharacterKind[] BuildAscii()
    {
        var kinds = new CharacterKind[128];
        for (var value = 0; value < kinds.Length; value++)
        {
            kinds[value] = KindOf(value);
        }

        return kinds;
    }

    private static CharacterKind[] BuildPlane0()
    {
        var kinds = new CharacterKind[0x10000];
        for (var value = 0; value < kinds.Length; value++)
        {
            kinds[value] = KindOf(value);
        }

        return kinds;
    }
}
