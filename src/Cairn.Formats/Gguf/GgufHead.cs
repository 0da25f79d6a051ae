using Cairn.Base;

namespace Cairn.Formats;

/// <summary>The head of a GGUF file (versions 2 and 3): named values and the table of tensors.</summary>
internal sealed class GgufHead
{
    private const uint Magic = 0x4655_4747;
    private const int ValuesMax = 1 << 14, TensorsMax = 1 << 16, ElementsMax = 1 << 23;
    private readonly FileBytes _file;
    private readonly Dictionary<string, GgufValue> _values = new(StringComparer.Ordinal);

    private GgufHead(FileBytes file)
    {
        _file = file;
        var cursor = new GgufCursor(file);
        if (file.Length < 24 || cursor.UInt32() != Magic)
        {
            throw cursor.Refused("it is no GGUF file");
        }

        var version = cursor.UInt32();
        if (version is not (2 or 3))
        {
            throw cursor.Refused($"it is GGUF of version {version}, 2 and 3 are read");
        }

        var tensors = cursor.Count(TensorsMax, 24, "tensors");
        var values = cursor.Count(ValuesMax, 13, "values");
        for (var i = 0; i < values; i++)
        {
            var name = cursor.Text();
            if (!_values.TryAdd(name, GgufValue.Read(cursor, ElementsMax)))
            {
                throw cursor.Refused($"value '{name}' is given twice");
            }
        }

        Tensors = ReadTensors(cursor, tensors);
    }

    /// <summary>In the order of the table.</summary>
    public IReadOnlyList<StoredTensor> Tensors { get; }

    /// <summary>Reads a head.</summary>
    /// <exception cref="InputException">It is not GGUF, damaged or hostile.</exception>
    public static GgufHead Read(FileBytes file) => new(file);

    public long? Number(string name) => _values.TryGetValue(name, out var value) ? value.Number(_file) : null;

    public double? Real(string name) => _values.TryGetValue(name, out var value) ? value.Real(_file) : null;

    public bool? Flag(string name) => _values.TryGetValue(name, out var value) ? value.Flag(_file) : null;

    public string? Text(string name) => _values.TryGetValue(name, out var value) ? value.Text(_file) : null;

    public long[]? Numbers(string name) => _values.TryGetValue(name, out var value) ? value.Numbers(_file) : null;

    public float[]? Floats(string name) => _values.TryGetValue(name, out var value) ? value.Floats(_file) : null;

    public byte[][]? Texts(string name) => _values.TryGetValue(name, out var value) ? value.Texts(_file) : null;

    private List<StoredTensor> ReadTensors(GgufCursor cursor, int count)
    {
        var (found, names) = (new List<(StoredTensor Tensor, ulong Offset)>(), new HashSet<string>(StringComparer.Ordinal));
        for (var i = 0; i < count; i++)
        {
            var name = cursor.Text();
            if (!names.Add(name))
            {
                throw cursor.Refused($"tensor '{name}' is listed twice");
            }

            var dimensions = cursor.UInt32();
            if (dimensions is not (1 or 2))
            {
                throw cursor.Refused($"tensor '{name}' has {dimensions} dimensions, 1 and 2 are read");
            }

            var columns = Side(cursor, name);
            var rows = dimensions == 2 ? Side(cursor, name) : 1;
            var type = (NumberType)cursor.UInt32();
            if (!NumberTypes.IsKnown(type))
            {
                throw cursor.Refused($"tensor '{name}' is of number type {(uint)type}, read are {string.Join(", ", NumberTypes.Names)}");
            }

            if (columns % NumberTypes.BlockLength(type) != 0)
            {
                throw cursor.Refused($"tensor '{name}' has rows of {columns} numbers, which is no multiple of {NumberTypes.BlockLength(type)}");
            }

            found.Add((new StoredTensor(name, type, rows, columns, 0, Path.GetFileName(_file.Path)), cursor.UInt64()));
        }

        return Place(cursor, found);
    }

    private List<StoredTensor> Place(GgufCursor cursor, List<(StoredTensor Tensor, ulong Offset)> found)
    {
        var alignment = Number("general.alignment") ?? 32;
        if (alignment is < 8 or > 1 << 16 || alignment % 8 != 0)
        {
            throw cursor.Refused($"it aligns tensors to {alignment} bytes");
        }

        var data = (cursor.At + alignment - 1) / alignment * alignment;
        var placed = new List<StoredTensor>();
        foreach (var (tensor, offset) in found)
        {
            if (offset % (ulong)alignment != 0 || data > _file.Length || offset > (ulong)(_file.Length - data) || tensor.Bytes > _file.Length - data - (long)offset)
            {
                throw cursor.Refused($"tensor '{tensor.Name}' lies at {offset}, where its {tensor.Bytes} bytes are not");
            }

            placed.Add(tensor with { At = data + (long)offset });
        }

        // Else a small file could claim any number of large tensors.
        var end = data;
        foreach (var tensor in placed.OrderBy(tensor => tensor.At))
        {
            if (tensor.At < end)
            {
                throw cursor.Refused($"tensor '{tensor.Name}' overlaps another");
            }

            end = tensor.At + tensor.Bytes;
        }

        return placed;
    }

    private static int Side(GgufCursor cursor, string name) =>
        cursor.UInt64() is >= 1 and <= 1 << 24 and var side ? (int)side : throw cursor.Refused($"tensor '{name}' has a side that no model has");
}
