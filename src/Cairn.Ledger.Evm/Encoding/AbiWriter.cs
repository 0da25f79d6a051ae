using System.Buffers.Binary;
using System.Text;
using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>Writes the arguments of a call in the contract ABI: words of 32 bytes in order, and behind them what has no fixed length.</summary>
public sealed class AbiWriter
{
    /// <summary>Size of a word in bytes.</summary>
    public const int WordSize = 32;

    // An argument is a word, or bytes that go behind all words and are pointed to from one.
    private readonly List<(byte[] Bytes, bool Behind)> _arguments = [];

    /// <summary>A number.</summary>
    /// <param name="value">Any.</param>
    public AbiWriter Number(UInt128 value)
    {
        var word = new byte[WordSize];
        BinaryPrimitives.WriteUInt128BigEndian(word.AsSpan(16), value);
        return Add(word, behind: false);
    }

    /// <summary>Yes or no.</summary>
    /// <param name="value">Any.</param>
    public AbiWriter Flag(bool value) => Number(value ? 1u : 0u);

    /// <summary>32 bytes.</summary>
    /// <param name="value">Any.</param>
    public AbiWriter Word(Digest value) => Add(value.ToArray(), behind: false);

    /// <summary>An address.</summary>
    /// <param name="value">Any.</param>
    public AbiWriter Address(EvmAddress value) => Add([.. new byte[WordSize - EvmAddress.Size], .. value.Bytes], behind: false);

    /// <summary>Bytes of any length.</summary>
    /// <param name="value">Any.</param>
    public AbiWriter Bytes(ReadOnlySpan<byte> value) => Add([.. Length(value.Length), .. Padded(value)], behind: true);

    /// <summary>A list of words.</summary>
    /// <param name="values">Any.</param>
    public AbiWriter Words(IReadOnlyList<Digest> values) => Add([.. Length(values.Count), .. values.SelectMany(value => value.ToArray())], behind: true);

    /// <summary>A list of byte strings.</summary>
    /// <param name="values">Any.</param>
    public AbiWriter Strings(IReadOnlyList<byte[]> values)
    {
        var list = new AbiWriter();
        foreach (var value in values)
        {
            list.Bytes(value);
        }

        return Add([.. Length(values.Count), .. list.ToArray()], behind: true);
    }

    /// <summary>A list of things of fixed length.</summary>
    /// <param name="count">How many.</param>
    /// <param name="items">All of them, one after another.</param>
    public AbiWriter List(int count, AbiWriter items) => Add([.. Length(count), .. items.ToArray()], behind: true);

    /// <summary>The arguments.</summary>
    public byte[] ToArray()
    {
        var (words, behind) = (new List<byte>(), new List<byte>());
        foreach (var (bytes, isBehind) in _arguments)
        {
            words.AddRange(isBehind ? Length((_arguments.Count * WordSize) + behind.Count) : bytes);
            behind.AddRange(isBehind ? bytes : []);
        }

        return [.. words, .. behind];
    }

    /// <summary>A call: four bytes that name the function, and the arguments.</summary>
    /// <param name="signature">Name and types, such as "post(bytes32,bytes)".</param>
    public byte[] Call(string signature) => [.. Selector(signature), .. ToArray()];

    /// <summary>The four bytes by which a function or an error is named.</summary>
    /// <param name="signature">Name and types.</param>
    public static byte[] Selector(string signature) => Keccak.Hash(Encoding.ASCII.GetBytes(signature)).ToArray()[..4];

    private static byte[] Length(int value)
    {
        var word = new byte[WordSize];
        BinaryPrimitives.WriteInt32BigEndian(word.AsSpan(WordSize - sizeof(int)), value);
        return word;
    }

    private static byte[] Padded(ReadOnlySpan<byte> value) => [.. value, .. new byte[(WordSize - (value.Length % WordSize)) % WordSize]];

    private AbiWriter Add(byte[] bytes, bool behind)
    {
        _arguments.Add((bytes, behind));
        return this;
    }
}
