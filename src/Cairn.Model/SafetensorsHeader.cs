using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;
using Cairn.Base;

namespace Cairn.Model;

/// <summary>The table of contents of a safetensors file: 8 bytes of length, then JSON that gives each tensor's type, shape and place in the
/// data.</summary>
/// <param name="Entries">In the order of the data, which they cover without gaps or overlaps.</param>
public sealed record SafetensorsHeader(IReadOnlyList<SafetensorsHeader.Entry> Entries)
{
    /// <summary>The longest header that is read: far above the 90 KB that 723 tensors take.</summary>
    public const int BytesMax = 1 << 23;

    private const string Metadata = "__metadata__";

    /// <summary>One tensor.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Type">How its numbers are stored, such as F32 or BF16.</param>
    /// <param name="Dimensions">Its sides, the slowest first.</param>
    /// <param name="Begin">Its first byte in the data.</param>
    /// <param name="End">The byte after its last.</param>
    public sealed record Entry(string Name, string Type, long[] Dimensions, long Begin, long End);

    /// <summary>The length and the JSON of tensors that follow each other, filled up with spaces to a multiple of 8.</summary>
    /// <param name="tensors">In the order of the data.</param>
    /// <param name="type">How their numbers are stored: F32, F16 or BF16.</param>
    /// <param name="bytesEach">Bytes of one number.</param>
    public static byte[] Write(IEnumerable<ParameterTensor> tensors, string type = "F32", int bytesEach = sizeof(float))
    {
        var buffer = new ArrayBufferWriter<byte>();
        buffer.Write(stackalloc byte[8]);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject(Metadata);
            json.WriteString("format", "pt");
            json.WriteEndObject();
            var at = 0L;
            foreach (var tensor in tensors)
            {
                WriteEntry(json, tensor, type, at, at + (tensor.Length * bytesEach));
                at += tensor.Length * bytesEach;
            }

            json.WriteEndObject();
        }

        buffer.Write("       "u8[..(-buffer.WrittenCount & 7)]);
        var bytes = buffer.WrittenSpan.ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(bytes, bytes.Length - 8);
        return bytes;
    }

    /// <summary>Reads a header from anywhere: never takes more than <see cref="BytesMax"/>.</summary>
    /// <param name="stream">At the first byte; left behind the header.</param>
    /// <exception cref="InputException">It is not a header, or its places do not fit together.</exception>
    public static SafetensorsHeader Read(Stream stream)
    {
        Span<byte> prefix = stackalloc byte[8];
        Fill(stream, prefix);
        var length = BinaryPrimitives.ReadInt64LittleEndian(prefix);
        if (length is < 2 or > BytesMax)
        {
            throw Refused($"its header claims {length} bytes, allowed are 2 to {BytesMax}");
        }

        if (stream.CanSeek && length > stream.Length - stream.Position)
        {
            throw Refused($"its header claims {length} bytes, of which {stream.Length - stream.Position} are there");
        }

        var bytes = new byte[(int)length];
        Fill(stream, bytes);
        try
        {
            using var document = JsonDocument.Parse(bytes);
            return new SafetensorsHeader(Parse(document.RootElement));
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            // The second kind is how the reader reports text that is not UTF-8, when the text is asked for.
            throw new InputException("the safetensors file cannot be used: its header is not JSON; fetch the file again", fault);
        }
    }

    /// <summary>Reads exactly as many bytes, or refuses.</summary>
    internal static void Fill(Stream stream, Span<byte> bytes)
    {
        if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
        {
            throw Refused("it is cut short");
        }
    }

    /// <summary>The refusal with its reason.</summary>
    internal static InputException Refused(string reason) =>
        new($"the safetensors file cannot be used: {reason}; fetch the file again or choose another");

    private static void WriteEntry(Utf8JsonWriter json, ParameterTensor tensor, string type, long begin, long end)
    {
        json.WriteStartObject(tensor.Name);
        json.WriteString("dtype", type);
        json.WriteStartArray("shape");
        foreach (var dimension in tensor.Dimensions)
        {
            json.WriteNumberValue(dimension);
        }

        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(begin);
        json.WriteNumberValue(end);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static List<Entry> Parse(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw Refused("its header is not an object");
        }

        var entries = new List<Entry>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var property in root.EnumerateObject())
        {
            if (property.Name == Metadata)
            {
                continue;
            }

            if (!names.Add(property.Name))
            {
                throw Refused($"tensor '{property.Name}' is listed twice");
            }

            entries.Add(ParseEntry(property));
        }

        entries.Sort((left, right) => left.Begin.CompareTo(right.Begin));
        long at = 0;
        foreach (var entry in entries)
        {
            if (entry.Begin != at || entry.End < entry.Begin)
            {
                throw Refused($"tensor '{entry.Name}' lies at {entry.Begin}…{entry.End} where {at} was next");
            }

            at = entry.End;
        }

        return entries;
    }

    private static Entry ParseEntry(JsonProperty property)
    {
        if (property.Value.ValueKind == JsonValueKind.Object
            && property.Value.TryGetProperty("dtype", out var type) && type.ValueKind == JsonValueKind.String
            && property.Value.TryGetProperty("shape", out var shape) && TryNumbers(shape, 8, out var dimensions)
            && property.Value.TryGetProperty("data_offsets", out var places) && TryNumbers(places, 2, out var offsets) && offsets.Length == 2)
        {
            return new Entry(property.Name, type.GetString()!, dimensions, offsets[0], offsets[1]);
        }

        throw Refused($"tensor '{property.Name}' lacks a proper dtype, shape or data_offsets");
    }

    private static bool TryNumbers(JsonElement array, int countMax, out long[] numbers)
    {
        numbers = [];
        if (array.ValueKind != JsonValueKind.Array || array.GetArrayLength() > countMax)
        {
            return false;
        }

        numbers = new long[array.GetArrayLength()];
        for (var i = 0; i < numbers.Length; i++)
        {
            if (array[i].ValueKind != JsonValueKind.Number || !array[i].TryGetInt64(out numbers[i]) || numbers[i] < 0)
            {
                return false;
            }
        }

        return true;
    }
}
