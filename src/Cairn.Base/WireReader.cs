using System.Buffers.Binary;
using System.Text;

namespace Cairn.Base;

/// <summary>Reads what <see cref="WireWriter"/> wrote, from hostile bytes: it never throws and never reads past the end. The first fault sticks:
/// after it every read gives zero and <see cref="Ok"/> is false, so that a parser checks once at the end.</summary>
public ref struct WireReader
{
    private readonly ReadOnlySpan<byte> _bytes;
    private int _at;

    /// <summary>Begins at the first byte.</summary>
    /// <param name="bytes">From anywhere.</param>
    public WireReader(ReadOnlySpan<byte> bytes)
    {
        _bytes = bytes;
        Ok = true;
    }

    /// <summary>No fault so far.</summary>
    public bool Ok { get; private set; }

    /// <summary>No fault, and every byte was read.</summary>
    public readonly bool Complete => Ok && _at == _bytes.Length;

    /// <summary>How many bytes were read.</summary>
    public readonly int Position => _at;

    /// <summary>How many bytes are left.</summary>
    public readonly int Remaining => Ok ? _bytes.Length - _at : 0;

    /// <summary>One byte.</summary>
    public byte Byte()
    {
        var span = Raw(1);
        return span.IsEmpty ? (byte)0 : span[0];
    }

    /// <summary>A 32-bit number.</summary>
    public int Int32()
    {
        var span = Raw(4);
        return span.IsEmpty ? 0 : BinaryPrimitives.ReadInt32LittleEndian(span);
    }

    /// <summary>A 64-bit number.</summary>
    public long Int64()
    {
        var span = Raw(8);
        return span.IsEmpty ? 0 : BinaryPrimitives.ReadInt64LittleEndian(span);
    }

    /// <summary>A 32-bit float.</summary>
    public float Single()
    {
        var span = Raw(4);
        return span.IsEmpty ? 0 : BinaryPrimitives.ReadSingleLittleEndian(span);
    }

    /// <summary>A 64-bit float.</summary>
    public double Double()
    {
        var span = Raw(8);
        return span.IsEmpty ? 0 : BinaryPrimitives.ReadDoubleLittleEndian(span);
    }

    /// <summary>A digest.</summary>
    public Digest Digest()
    {
        var span = Raw(Base.Digest.Size);
        return span.IsEmpty ? default : new Digest(span);
    }

    /// <summary>A count of things to follow; a fault if it is outside 0…<paramref name="max"/> or more than the bytes left can hold.</summary>
    /// <param name="max">The most that the rules allow.</param>
    /// <param name="bytesEach">The least that one of them takes.</param>
    public int Count(int max, int bytesEach = 1)
    {
        var count = Int32();
        if (count < 0 || count > max || (long)count * bytesEach > Remaining)
        {
            Fail();
            return 0;
        }

        return count;
    }

    /// <summary>A length and as many bytes.</summary>
    /// <param name="max">The most that the rules allow.</param>
    public ReadOnlySpan<byte> Bytes(int max) => Raw(Count(max));

    /// <summary>A text as length and strict UTF-8.</summary>
    /// <param name="maxBytes">The most bytes that the rules allow.</param>
    public string Text(int maxBytes)
    {
        var bytes = Bytes(maxBytes);
        if (!System.Text.Unicode.Utf8.IsValid(bytes))
        {
            Fail();
            return "";
        }

        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>Exactly that many bytes, or none and a fault.</summary>
    /// <param name="length">0 or more.</param>
    public ReadOnlySpan<byte> Raw(int length)
    {
        if (!Ok || length < 0 || length > _bytes.Length - _at)
        {
            Fail();
            return default;
        }

        var span = _bytes.Slice(_at, length);
        _at += length;
        return span;
    }

    /// <summary>Marks the bytes as faulty: a value that was read is not allowed here.</summary>
    public void Fail()
    {
        Ok = false;
    }
}
