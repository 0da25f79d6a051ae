using System.Globalization;

namespace Cairn.Data;

/// <summary>How token files write tokens as text.</summary>
public static class TokenizerText
{
    /// <summary>The mark that stands for a space in tokens of characters (U+2581).</summary>
    public const char SpaceMark = '\u2581';

    /// <summary>The bytes of a text in the byte alphabet, or null if a character stands for none.</summary>
    /// <param name="text">From anywhere.</param>
    public static byte[]? ToBytes(string text) => ByteAlphabet.ToBytes(text);

    /// <summary>The byte that a name such as &lt;0x0A&gt; stands for, or null.</summary>
    /// <param name="name">From anywhere.</param>
    public static byte? ToByte(string name) =>
        name is ['<', '0', 'x', _, _, '>']
        && byte.TryParse(name.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) ? value : null;

    /// <summary>A token of characters with its marks as spaces.</summary>
    /// <param name="name">From anywhere.</param>
    public static string WithSpaces(string name) => name.Replace(SpaceMark, ' ');
}
