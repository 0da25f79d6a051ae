using System.Buffers.Binary;
using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>Reads what a contract wrote, from hostile bytes: never throws, never reads past the end, and takes only the one form that <see cref="AbiWriter"/> writes of
/// each value. The first fault sticks.</summary>
public ref struct AbiReader
{
    private readonly ReadOnlySpan<byte> _bytes;
    private int _at;

    /// <summary>Begins at the first word.</summary>
    /// <param name="bytes">From anywhere.</param>
    public AbiReader(ReadOnlySpan<byte> bytes)
    {
        _bytes = bytes;
        Ok = true;
    }

    /// <summary>No fault so far.</summary>
    public bool Ok { get; private set; }

    /// <summary>32 bytes.</summary>
    public Digest Word()
    {
        var word = WordAt(_at);
        _at += AbiWriter.WordSize;
        return word.IsEmpty ? default : new Digest(word);
    }

    /// <summary>A number below 2¹²⁸.</summary>
    public UInt128 Number()
    {
        var word = WordAt(_at);
        _at += AbiWriter.WordSize;
        return NumberOf(word);
    }

    /// <summary>A number below 2⁶⁴.</summary>
    public ulong UInt64()
    {
        var value = Number();
        Ok &= value <= ulong.MaxValue;
        return Ok ? (ulong)value : 0;
    }

    /// <summary>Yes or no.</summary>
    public bool Flag()
    {
        var value = Number();
        Ok &= value <= 1;
        return Ok && value == 1;
    }

    /// <summary>An address.</summary>
    public EvmAddress Address()
    {
        var word = WordAt(_at);
        _at += AbiWriter.WordSize;
        Ok &= !word.IsEmpty && !word[..(AbiWriter.WordSize - EvmAddress.Size)].ContainsAnyExcept((byte)0);
        return Ok ? new EvmAddress(word[(AbiWriter.WordSize - EvmAddress.Size)..]) : default;
    }

    /// <summary>Bytes of any length.</summary>
    /// <param name="max">The most that are taken.</param>
    public ReadOnlySpan<byte> Bytes(int max)
    {
        var offset = Number();
        if (!Ok || offset > (UInt128)_bytes.Length)
        {
            Ok = false;
            return default;
        }

        var start = (int)offset;
        var length = NumberOf(WordAt(start));
        if (!Ok || length > (UInt128)Math.Min(max, _bytes.Length))
        {
            Ok = false;
            return default;
        }

        var count = (int)length;
        var padding = (AbiWriter.WordSize - (count % AbiWriter.WordSize)) % AbiWriter.WordSize;
        var behind = _bytes[(start + AbiWriter.WordSize)..];
        if ((long)count + padding > behind.Length || behind.Slice(count, padding).ContainsAnyExcept((byte)0))
        {
            Ok = false;
            return default;
        }

        return behind[..count];
    }

    private ReadOnlySpan<byte> WordAt(int at)
    {
        if (!Ok || at > _bytes.Length - AbiWriter.WordSize)
        {
            Ok = false;
            return default;
        }

        return _bytes.Slice(at, AbiWriter.WordSize);
    }

    private UInt128 NumberOf(ReadOnlySpan<byte> word)
    {
        if (word.IsEmpty || word[..16].ContainsAnyExcept((byte)0))
        {
            Ok = false;
            return 0;
        }

        return BinaryPrimitives.ReadUInt128BigEndian(word[16..]);
    }
}
