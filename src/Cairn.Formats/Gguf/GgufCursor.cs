using System.Buffers.Binary;
using System.Text;
using Cairn.Base;

namespace Cairn.Formats;

/// <summary>Reads the head of a GGUF file from first byte to last, from hostile bytes: whatever a length claims, nothing beyond the file is looked at.</summary>
internal sealed class GgufCursor(FileBytes file)
{
    public const int TextBytesMax = 1 << 20;

    /// <summary>The next byte.</summary>
    public long At { get; private set; }

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    public byte Byte() => Take(1)[0];

    /// <summary>A length and as many bytes.</summary>
    public ReadOnlySpan<byte> Bytes()
    {
        var length = UInt64();
        return length <= TextBytesMax ? Take((int)length) : throw Refused($"a text in it claims {length} bytes, {TextBytesMax} are read");
    }

    public string Text() => Encoding.UTF8.GetString(Bytes());

    /// <summary>A count of things to follow.</summary>
    /// <param name="max">The most that is read.</param>
    /// <param name="bytesEach">The least that one takes.</param>
    /// <param name="what">Their name.</param>
    public int Count(int max, int bytesEach, string what)
    {
        var count = UInt64();
        return count <= (ulong)Math.Min(max, (file.Length - At) / bytesEach)
            ? (int)count
            : throw Refused($"it claims {count} {what}, of which at most {Math.Min(max, (file.Length - At) / bytesEach)} can be there");
    }

    public ReadOnlySpan<byte> Take(int count)
    {
        if (count > file.Length - At)
        {
            throw Refused("it is cut short");
        }

        At += count;
        return file.Part(At - count, count);
    }

    public InputException Refused(string reason) => new($"{file.Path} cannot be used: {reason}; fetch the file again or choose another.");
}
