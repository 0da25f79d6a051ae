using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Formats;

/// <summary>Numbers to stored bytes and back. Every stored byte sequence decodes to something; whether it is finite the reader of the tensor checks.</summary>
internal static class NumberCodec
{
    public const int Q80Length = 32, Q80Bytes = 34;
    public const int Q4KLength = 256, Q4KBytes = 144;

    /// <summary>Decodes whole blocks.</summary>
    /// <param name="type">A type that is known here.</param>
    /// <param name="bytes">Exactly as many as <paramref name="values"/> take.</param>
    /// <param name="values">Overwritten.</param>
    public static void Decode(NumberType type, ReadOnlySpan<byte> bytes, Span<float> values)
    {
        Invariant.Check(bytes.Length == NumberTypes.Bytes(type, values.Length));
        switch (type)
        {
            case NumberType.F32:
                bytes.CopyTo(MemoryMarshal.AsBytes(values));
                break;
            case NumberType.F16:
                DecodeF16(bytes, values);
                break;
            case NumberType.BF16:
                DecodeBf16(bytes, values);
                break;
            case NumberType.Q80:
                DecodeQ80(bytes, values);
                break;
            default:
                Q4KCodec.Decode(bytes, values);
                break;
        }
    }

    /// <summary>Encodes whole blocks.</summary>
    /// <param name="type">A type that is known here.</param>
    /// <param name="values">Finite.</param>
    /// <param name="bytes">Exactly as many as they take; overwritten.</param>
    /// <exception cref="InputException">A number is too large for the type.</exception>
    public static void Encode(NumberType type, ReadOnlySpan<float> values, Span<byte> bytes)
    {
        Invariant.Check(bytes.Length == NumberTypes.Bytes(type, values.Length));
        switch (type)
        {
            case NumberType.F32:
                MemoryMarshal.AsBytes(values).CopyTo(bytes);
                break;
            case NumberType.F16:
                EncodeF16(values, bytes);
                break;
            case NumberType.BF16:
                EncodeBf16(values, bytes);
                break;
            case NumberType.Q80:
                EncodeQ80(values, bytes);
                break;
            default:
                Q4KCodec.Encode(values, bytes);
                break;
        }
    }

    /// <summary>A half as a float.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float ReadHalf(ReadOnlySpan<byte> bytes) => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes);

    /// <summary>Writes a float as the nearest half.</summary>
    /// <returns>What the half says.</returns>
    /// <exception cref="InputException">It is too large.</exception>
    internal static float WriteHalf(Span<byte> bytes, float value)
    {
        var half = (Half)value;
        if (!Half.IsFinite(half))
        {
            throw new InputException($"a parameter or a scale of {value} is too large for a half-precision number: choose f32 or bf16");
        }

        BinaryPrimitives.WriteHalfLittleEndian(bytes, half);
        return (float)half;
    }

    private static void DecodeF16(ReadOnlySpan<byte> bytes, Span<float> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = ReadHalf(bytes[(2 * i)..]);
        }
    }

    private static void EncodeF16(ReadOnlySpan<float> values, Span<byte> bytes)
    {
        for (var i = 0; i < values.Length; i++)
        {
            WriteHalf(bytes[(2 * i)..], values[i]);
        }
    }

    private static void DecodeBf16(ReadOnlySpan<byte> bytes, Span<float> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(bytes[(2 * i)..]) << 16);
        }
    }

    // To the nearest, ties to even. Only the largest floats of all round up to infinity; they are cut instead.
    private static void EncodeBf16(ReadOnlySpan<float> values, Span<byte> bytes)
    {
        for (var i = 0; i < values.Length; i++)
        {
            var bits = BitConverter.SingleToUInt32Bits(values[i]);
            var rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
            BinaryPrimitives.WriteUInt16LittleEndian(bytes[(2 * i)..], (ushort)((rounded & 0x7F80) == 0x7F80 ? bits >> 16 : rounded));
        }
    }

    private static void DecodeQ80(ReadOnlySpan<byte> bytes, Span<float> values)
    {
        for (; !values.IsEmpty; bytes = bytes[Q80Bytes..], values = values[Q80Length..])
        {
            var scale = ReadHalf(bytes);
            for (var i = 0; i < Q80Length; i++)
            {
                values[i] = scale * (sbyte)bytes[2 + i];
            }
        }
    }

    private static void EncodeQ80(ReadOnlySpan<float> values, Span<byte> bytes)
    {
        for (; !values.IsEmpty; bytes = bytes[Q80Bytes..], values = values[Q80Length..])
        {
            var largest = 0f;
            foreach (var value in values[..Q80Length])
            {
                largest = MathF.Max(largest, MathF.Abs(value));
            }

            var scale = largest / 127;
            WriteHalf(bytes, scale);
            var inverse = scale > 0 ? 1 / scale : 0;
            for (var i = 0; i < Q80Length; i++)
            {
                // The inverse of the smallest scales is infinite, and so would be a zero times it.
                var level = MathF.Round(values[i] * inverse, MidpointRounding.AwayFromZero);
                bytes[2 + i] = (byte)(sbyte)(float.IsNaN(level) ? 0 : Math.Clamp(level, -127, 127));
            }
        }
    }
}
