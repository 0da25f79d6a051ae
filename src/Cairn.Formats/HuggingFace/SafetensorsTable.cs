using System.Buffers.Binary;
using Cairn.Base;
using Cairn.Model;

namespace Cairn.Formats;

/// <summary>The tensors of one mapped safetensors file.</summary>
internal static class SafetensorsTable
{
    private static readonly (string Name, NumberType Type)[] Types = [("F32", NumberType.F32), ("F16", NumberType.F16), ("BF16", NumberType.BF16)];

    /// <summary>The name of a type in safetensors.</summary>
    public static string NameOf(NumberType type) => Types.Single(one => one.Type == type).Name;

    /// <summary>True if safetensors can hold a type.</summary>
    public static bool Holds(NumberType type) => Types.Any(one => one.Type == type);

    /// <summary>Reads the head of a file.</summary>
    /// <exception cref="InputException">It is no safetensors file, damaged or hostile; the message names the file.</exception>
    public static IEnumerable<StoredTensor> Read(FileBytes file)
    {
        try
        {
            return ReadEntries(file);
        }
        catch (InputException e) when (!e.Message.Contains(file.Path, StringComparison.Ordinal))
        {
            throw new InputException($"{file.Path}: {e.Message}", e);
        }
    }

    private static List<StoredTensor> ReadEntries(FileBytes file)
    {
        var length = (int)Math.Min(file.Length, SafetensorsHeader.BytesMax + 8);
        using var stream = new MemoryStream(file.Part(0, length).ToArray());
        var header = SafetensorsHeader.Read(stream);
        var data = 8 + BinaryPrimitives.ReadInt64LittleEndian(file.Part(0, 8));
        var tensors = new List<StoredTensor>();
        foreach (var entry in header.Entries)
        {
            if (entry.End > file.Length - data)
            {
                throw Refused($"tensor '{entry.Name}' ends at {entry.End}, of {file.Length - data} bytes");
            }

            tensors.Add(TensorOf(entry, data, Path.GetFileName(file.Path)));
        }

        return header.Entries is [.., var last] && last.End != file.Length - data ? throw Refused("bytes follow the last tensor") : tensors;
    }

    private static StoredTensor TensorOf(SafetensorsHeader.Entry entry, long data, string file)
    {
        if (Types.FirstOrDefault(one => one.Name == entry.Type) is not { Name: not null } type)
        {
            throw Refused($"tensor '{entry.Name}' has type {entry.Type}, read are {string.Join(", ", Types.Select(one => one.Name))}");
        }

        if (entry.Dimensions.Length is not (1 or 2) || entry.Dimensions.Any(side => side is < 1 or > 1 << 24))
        {
            throw Refused($"tensor '{entry.Name}' has shape [{string.Join(", ", entry.Dimensions)}], which no tensor of a model has");
        }

        var (rows, columns) = entry.Dimensions.Length == 2 ? ((int)entry.Dimensions[0], (int)entry.Dimensions[1]) : (1, (int)entry.Dimensions[0]);
        var tensor = new StoredTensor(entry.Name, type.Type, rows, columns, data + entry.Begin, file);
        return tensor.Bytes == entry.End - entry.Begin ? tensor
            : throw Refused($"tensor '{entry.Name}' claims {entry.End - entry.Begin} bytes, its shape takes {tensor.Bytes}");
    }

    private static InputException Refused(string reason) => new($"the safetensors file cannot be used: {reason}; fetch the file again or choose another");
}
