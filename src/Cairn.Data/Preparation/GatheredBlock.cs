using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Base;

namespace Cairn.Data;

/// <summary>How much of a source was read and lost.</summary>
internal sealed record SourceCounts
{
    /// <summary>Documents that were read.</summary>
    public long Read { get; set; }

    /// <summary>Their bytes.</summary>
    public long ReadBytes { get; set; }

    /// <summary>Documents that were kept.</summary>
    public long Kept { get; set; }

    /// <summary>Their bytes.</summary>
    public long KeptBytes { get; set; }

    /// <summary>Documents left out, by <see cref="Loss"/>.</summary>
    public long[] Lost { get; set; } = new long[Enum.GetValues<Loss>().Length];

    /// <summary>Their bytes.</summary>
    public long[] LostBytes { get; set; } = new long[Enum.GetValues<Loss>().Length];
}

/// <summary>Where reading stands after a block; with it the block is complete.</summary>
internal sealed record BlockState
{
    /// <summary>Which source, from 0.</summary>
    public required int Source { get; init; }

    /// <summary>Which of its files is read next, or has been read in part.</summary>
    public required int File { get; init; }

    /// <summary>Documents of that file that were taken.</summary>
    public required long Documents { get; init; }

    /// <summary>True if nothing of the source is left.</summary>
    public required bool IsLast { get; init; }

    /// <summary>Of the source up to here.</summary>
    public required SourceCounts Counts { get; init; }

    /// <summary>Of the block's texts.</summary>
    public required string Digest { get; init; }
}

/// <summary>Texts that were kept, about as many as go into one shard, in a file of the work folder: <c>0000003.texts</c>, and beside it where reading stood when it
/// was complete.</summary>
internal sealed class GatheredBlock
{
    private readonly List<byte[]> _texts = [];

    /// <summary>Bytes of text.</summary>
    public long Bytes { get; private set; }

    /// <summary>The texts, in order.</summary>
    public IReadOnlyList<byte[]> Texts => _texts;

    /// <summary>Adds a text.</summary>
    public void Add(byte[] text)
    {
        _texts.Add(text);
        Bytes += text.Length;
    }

    /// <summary>Names the texts and their order.</summary>
    public Digest ComputeDigest()
    {
        using var hasher = new Hasher("cairn/gathered-texts");
        foreach (var text in _texts)
        {
            hasher.Append(text.Length);
            hasher.Append(text);
        }

        return hasher.Finish();
    }

    /// <summary>Writes texts, then the state: whoever finds a state finds its texts.</summary>
    public void Write(string folder, int number, BlockState state)
    {
        DurableFile.Write(TextsPath(folder, number), stream =>
        {
            Span<byte> length = stackalloc byte[4];
            foreach (var text in _texts)
            {
                BinaryPrimitives.WriteInt32LittleEndian(length, text.Length);
                stream.Write(length);
                stream.Write(text);
            }
        });
        DurableFile.Write(StatePath(folder, number), JsonSerializer.SerializeToUtf8Bytes(state, PreparationJson.Default.BlockState));
    }

    /// <summary>The state of a complete block, or null.</summary>
    public static BlockState? Find(string folder, int number)
    {
        try
        {
            return File.Exists(StatePath(folder, number)) && File.Exists(TextsPath(folder, number))
                ? JsonSerializer.Deserialize(File.ReadAllBytes(StatePath(folder, number)), PreparationJson.Default.BlockState) : null;
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
            return null;
        }
    }

    /// <summary>Reads a complete block, or null if its texts are not those of its state.</summary>
    public static GatheredBlock? TryRead(string folder, int number, BlockState state)
    {
        var block = new GatheredBlock();
        try
        {
            using var file = new FileStream(TextsPath(folder, number), FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
            var length = new byte[4];
            while (file.ReadAtLeast(length, 4, throwOnEndOfStream: false) is var read && read > 0)
            {
                var size = BinaryPrimitives.ReadInt32LittleEndian(length);
                if (read < 4 || size < 0 || size > file.Length - file.Position)
                {
                    return null;
                }

                var text = new byte[size];
                file.ReadExactly(text);
                block.Add(text);
            }
        }
        catch (IOException)
        {
            return null;
        }

        return block.ComputeDigest().ToString() == state.Digest ? block : null;
    }

    private static string TextsPath(string folder, int number) => Path.Combine(folder, $"{number:D7}.texts");

    private static string StatePath(string folder, int number) => Path.Combine(folder, $"{number:D7}.json");
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, NewLine = "\n")]
[JsonSerializable(typeof(BlockState))]
[JsonSerializable(typeof(DataCard))]
internal sealed partial class PreparationJson : JsonSerializerContext;
