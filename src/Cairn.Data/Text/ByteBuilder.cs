using System.Runtime.CompilerServices;

namespace Cairn.Data;

/// <summary>Text that grows at its end.</summary>
internal sealed class ByteBuilder
{
    private byte[] _bytes;

    /// <summary>Begins empty.</summary>
    /// <param name="capacity">Bytes to have room for.</param>
    public ByteBuilder(int capacity)
    {
        _bytes = new byte[Math.Max(capacity, 16)];
    }

    /// <summary>How many bytes were written.</summary>
    public int Count { get; private set; }

    /// <summary>The bytes so far; valid until the next is added.</summary>
    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Count);

    /// <summary>The array behind, for text that is kept.</summary>
    public byte[] Array => _bytes;

    /// <summary>One byte.</summary>
    /// <param name="value">Any.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(byte value)
    {
        if (Count == _bytes.Length)
        {
            Grow(1);
        }

        _bytes[Count++] = value;
    }

    /// <summary>Several bytes.</summary>
    /// <param name="bytes">Any.</param>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _bytes.Length - Count)
        {
            Grow(bytes.Length);
        }

        bytes.CopyTo(_bytes.AsSpan(Count));
        Count += bytes.Length;
    }

    /// <summary>A space, unless the text is empty or ends with one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddSpace()
    {
        if (Count > 0 && _bytes[Count - 1] != ' ')
        {
            Add((byte)' ');
        }
    }

    /// <summary>Removes what was written beyond a length.</summary>
    /// <param name="count">0 to <see cref="Count"/>.</param>
    public void Truncate(int count) => Count = count;

    /// <summary>Removes a space at the end.</summary>
    public void TrimEnd() => Count -= Count > 0 && _bytes[Count - 1] == ' ' ? 1 : 0;

    private void Grow(int more) =>
        System.Array.Resize(ref _bytes, (int)Math.Min(System.Array.MaxLength, Math.Max(2L * _bytes.Length, (long)Count + more)));
}
