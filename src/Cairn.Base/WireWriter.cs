using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Cairn.Base;

/// <summary>Writes the canonical byte order of the wire (docs/wire.md): little-endian numbers, lengths before contents, no padding.</summary>
public sealed class WireWriter
{
    private readonly ArrayBufferWriter<byte> _buffer = new();

    /// <summary>The bytes so far.</summary>
    public ReadOnlySpan<byte> Written => _buffer.WrittenSpan;

    /// <summary>The bytes so far in a new array.</summary>
    public byte[] ToArray() => _buffer.WrittenSpan.ToArray();

    /// <summary>One byte.</summary>
    /// <param name="value">Any.</param>
    public void Byte(byte value) => _buffer.Write([value]);

    /// <summary>A 32-bit number.</summary>
    /// <param name="value">Any.</param>
    public void Int32(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_buffer.GetSpan(4), value);
        _buffer.Advance(4);
    }

    /// <summary>A 64-bit number.</summary>
    /// <param name="value">Any.</param>
    public void Int64(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_buffer.GetSpan(8), value);
        _buffer.Advance(8);
    }

    /// <summary>A 32-bit float by its bits.</summary>
    /// <param name="value">Any.</param>
    public void Single(float value)
    {
        BinaryPrimitives.WriteSingleLittleEndian(_buffer.GetSpan(4), value);
        _buffer.Advance(4);
    }

    /// <summary>A 64-bit float by its bits.</summary>
    /// <param name="value">Any.</param>
    public void Double(double value)
    {
        BinaryPrimitives.WriteDoubleLittleEndian(_buffer.GetSpan(8), value);
        _buffer.Advance(8);
    }

    /// <summary>A digest, 32 bytes.</summary>
    /// <param name="value">Any.</param>
    public void Digest(Digest value)
    {
        value.CopyTo(_buffer.GetSpan(Base.Digest.Size));
        _buffer.Advance(Base.Digest.Size);
    }

    /// <summary>Bytes without a length: the reader must know it.</summary>
    /// <param name="bytes">Any.</param>
    public void Raw(ReadOnlySpan<byte> bytes) => _buffer.Write(bytes);

    /// <summary>A 32-bit length, then the bytes.</summary>
    /// <param name="bytes">Any.</param>
    public void Bytes(ReadOnlySpan<byte> bytes)
    {
        Int32(bytes.Length);
        Raw(bytes);
    }

    /// <summary>A text as length and UTF-8.</summary>
    /// <param name="text">Any.</param>
    public void Text(string text) => Bytes(Encoding.UTF8.GetBytes(text));
}
