using System.Buffers.Binary;
using System.Text;
using Cairn.Base;

namespace Cairn.Formats;

/// <summary>The types of a GGUF file's values.</summary>
internal enum GgufKind : uint
{
    UInt8, Int8, UInt16, Int16, UInt32, Int32, Float32, Bool, Text, Array, UInt64, Int64, Float64,
}

/// <summary>A value of a GGUF file's head: where it lies. It is decoded when it is asked for, so that a head costs no more memory than it has entries.</summary>
/// <param name="Kind">What it is; of an array what its elements are.</param>
/// <param name="Count">Elements of an array; −1 for a single value.</param>
/// <param name="At">Its first byte.</param>
internal readonly record struct GgufValue(GgufKind Kind, int Count, long At)
{
    private static readonly int[] Sizes = [1, 1, 2, 2, 4, 4, 4, 1, 8, 0, 8, 8, 8];

    /// <summary>Reads past a value.</summary>
    public static GgufValue Read(GgufCursor cursor, int elementsMax)
    {
        var kind = KindOf(cursor);
        if (kind != GgufKind.Array)
        {
            var at = cursor.At;
            Skip(cursor, kind);
            return new GgufValue(kind, -1, at);
        }

        kind = KindOf(cursor);
        if (kind == GgufKind.Array)
        {
            throw cursor.Refused("it has an array of arrays, which no model needs");
        }

        var count = cursor.Count(elementsMax, Sizes[(int)kind], "elements of an array");
        var value = new GgufValue(kind, count, cursor.At);
        if (kind == GgufKind.Text)
        {
            for (var i = 0; i < count; i++)
            {
                Skip(cursor, kind);
            }
        }
        else
        {
            cursor.Take(count * Sizes[(int)kind]);
        }

        return value;
    }

    /// <summary>A whole number of any type, or null.</summary>
    public long? Number(FileBytes file) => Count >= 0 || Kind is GgufKind.Text or GgufKind.Bool or GgufKind.Float32 or GgufKind.Float64 ? null
        : Integer(file.Part(At, Sizes[(int)Kind]));

    /// <summary>Any number, or null.</summary>
    public double? Real(FileBytes file) => Count >= 0 ? null : Kind switch
    {
        GgufKind.Float32 => BinaryPrimitives.ReadSingleLittleEndian(file.Part(At, 4)),
        GgufKind.Float64 => BinaryPrimitives.ReadDoubleLittleEndian(file.Part(At, 8)),
        _ => Number(file),
    };

    /// <summary>Yes or no, or null.</summary>
    public bool? Flag(FileBytes file) => Count < 0 && Kind == GgufKind.Bool ? file.Part(At, 1)[0] != 0 : null;

    /// <summary>A text, or null.</summary>
    public string? Text(FileBytes file) => Count < 0 && Kind == GgufKind.Text ? Encoding.UTF8.GetString(TextAt(file, At)) : null;

    /// <summary>An array of whole numbers, or null.</summary>
    public long[]? Numbers(FileBytes file)
    {
        if (Count < 0 || Kind is GgufKind.Text or GgufKind.Bool or GgufKind.Float32 or GgufKind.Float64)
        {
            return null;
        }

        var (numbers, size) = (new long[Count], Sizes[(int)Kind]);
        for (var i = 0; i < Count; i++)
        {
            numbers[i] = Integer(file.Part(At + ((long)i * size), size));
        }

        return numbers;
    }

    /// <summary>An array of floats, or null.</summary>
    public float[]? Floats(FileBytes file)
    {
        if (Count < 0 || Kind != GgufKind.Float32)
        {
            return null;
        }

        var numbers = new float[Count];
        NumberCodec.Decode(NumberType.F32, file.Part(At, checked(4 * Count)), numbers);
        return numbers;
    }

    /// <summary>An array of texts as their bytes, or null.</summary>
    public byte[][]? Texts(FileBytes file)
    {
        if (Count < 0 || Kind != GgufKind.Text)
        {
            return null;
        }

        var (texts, at) = (new byte[Count][], At);
        for (var i = 0; i < Count; i++)
        {
            texts[i] = TextAt(file, at).ToArray();
            at += 8 + texts[i].Length;
        }

        return texts;
    }

    private static ReadOnlySpan<byte> TextAt(FileBytes file, long at) => file.Part(at + 8, (int)BinaryPrimitives.ReadUInt64LittleEndian(file.Part(at, 8)));

    private static GgufKind KindOf(GgufCursor cursor) =>
        cursor.UInt32() is <= (uint)GgufKind.Float64 and var kind ? (GgufKind)kind : throw cursor.Refused("it has a value of a type that does not exist");

    private static void Skip(GgufCursor cursor, GgufKind kind)
    {
        if (kind == GgufKind.Text)
        {
            cursor.Bytes();
        }
        else
        {
            cursor.Take(Sizes[(int)kind]);
        }
    }

    private long Integer(ReadOnlySpan<byte> bytes) => Kind switch
    {
        GgufKind.UInt8 => bytes[0],
        GgufKind.Int8 => (sbyte)bytes[0],
        GgufKind.UInt16 => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
        GgufKind.Int16 => BinaryPrimitives.ReadInt16LittleEndian(bytes),
        GgufKind.UInt32 => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
        GgufKind.Int32 => BinaryPrimitives.ReadInt32LittleEndian(bytes),
        _ => BinaryPrimitives.ReadInt64LittleEndian(bytes),
    };
}
