using System.Text;

namespace Cairn.Data;

/// <summary>The printable stand-ins of the 256 bytes in token files: bytes that print keep their Latin-1 character, the other 68 take
/// U+0100 upwards in order (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", §2.2; the convention of tokenizer.json).</summary>
internal static class ByteAlphabet
{
    private static readonly char[] Characters = BuildCharacters();
    private static readonly short[] Bytes = BuildBytes();

    /// <summary>Writes bytes as text of one character each.</summary>
    /// <param name="bytes">Any bytes.</param>
    public static string ToText(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        foreach (var value in bytes)
        {
            text.Append(Characters[value]);
        }

        return text.ToString();
    }

    /// <summary>Reads such a text.</summary>
    /// <param name="text">From anywhere.</param>
    /// <returns>The bytes, or null if a character stands for none.</returns>
    public static byte[]? ToBytes(string text)
    {
        var bytes = new byte[text.Length];
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] >= Bytes.Length || Bytes[text[i]] < 0)
            {
                return null;
            }

            bytes[i] = (byte)Bytes[text[i]];
        }

        return bytes;
    }

    private static char[] BuildCharacters()
    {
        var characters = new char[256];
        var next = 256;
        for (var value = 0; value < 256; value++)
        {
            var prints = value is (>= 33 and <= 126) or (>= 161 and <= 172) or (>= 174 and <= 255);
            characters[value] = (char)(prints ? value : next++);
        }

        return characters;
    }

    private static short[] BuildBytes()
    {
        var bytes = new short[Characters.Max() + 1];
        Array.Fill(bytes, (short)-1);
        for (var value = 0; value < 256; value++)
        {
            bytes[Characters[value]] = (short)value;
        }

        return bytes;
    }
}
