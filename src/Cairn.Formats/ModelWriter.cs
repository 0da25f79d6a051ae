using Cairn.Base;
using Cairn.Model;

namespace Cairn.Formats;

/// <summary>Writes models into files, tensor by tensor: no second copy of the model exists, nor a first one where it is read from files.</summary>
public static class ModelWriter
{
    /// <summary>The largest safetensors file that is written before a model is cut into several, in bytes.</summary>
    public const long ShardBytesMax = 5_000_000_000;

    /// <summary>Writes a GGUF file.</summary>
    /// <param name="model">Any.</param>
    /// <param name="path">Wholly written or not at all.</param>
    /// <param name="type">Of the matrices; norms stay f32, and where rows are no whole blocks, or errors cost most, a finer type takes its place.</param>
    /// <exception cref="InputException">A number does not fit the type, or the place cannot be written.</exception>
    public static void WriteGguf(ModelFile model, string path, NumberType type) => DurableFile.Write(path, stream => GgufWriter.Write(model, type, stream));

    /// <summary>Writes a folder in the layout of Hugging Face, the parameters last: a folder with all its parameters is whole.</summary>
    /// <param name="model">Any.</param>
    /// <param name="folder">Created if missing.</param>
    /// <param name="type">f32, f16 or bf16, of all tensors.</param>
    /// <param name="shardBytesMax">Bytes of tensors in one file; a single tensor may be larger.</param>
    /// <exception cref="InputException">A number does not fit the type, the type is not one of these, or the place cannot be written.</exception>
    public static void WriteHuggingFace(ModelFile model, string folder, NumberType type, long shardBytesMax = ShardBytesMax)
    {
        if (!SafetensorsTable.Holds(type))
        {
            throw new InputException($"safetensors hold no {NumberTypes.NameOf(type)}: choose f32, f16 or bf16, or write a .gguf file");
        }

        var numbers = type switch { NumberType.F16 => "float16", NumberType.BF16 => "bfloat16", _ => "float32" };
        void Small(string name, Action<Stream> write) => DurableFile.Write(Path.Combine(folder, name), write);
        Small(HuggingFaceNames.Tokenizer, model.Tokenizer.Save);
        Small(HuggingFaceNames.TokenizerConfig, stream => TokenizerConfig.Write(stream, model));
        Small(Checkpoint.ConfigFile, stream => HuggingFaceConfig.WriteConfig(stream, model.Shape, model.Generation, numbers));
        Small(Checkpoint.GenerationFile, stream => HuggingFaceConfig.WriteGeneration(stream, model.Generation));
        var shards = Cut(model.Layout, type, shardBytesMax);
        if (shards.Count == 1)
        {
            Small(Checkpoint.ParametersFile, stream => WriteShard(model, shards[0], type, stream));
            return;
        }

        string NameOf(int shard) => $"model-{shard + 1:D5}-of-{shards.Count:D5}.safetensors";
        for (var shard = 0; shard < shards.Count; shard++)
        {
            Small(NameOf(shard), stream => WriteShard(model, shards[shard], type, stream));
        }

        var places = shards.SelectMany((tensors, shard) => tensors.Select(tensor => (tensor.Name, NameOf(shard))));
        Small(SafetensorsIndex.FileName, stream => SafetensorsIndex.Write(stream, places, NumberTypes.Bytes(type, model.Layout.Length)));
    }

    /// <summary>Writes what a folder in the layout of Hugging Face says of a model's special tokens and chat template.</summary>
    /// <param name="model">Any.</param>
    /// <param name="path">Wholly written or not at all.</param>
    /// <exception cref="InputException">The place cannot be written.</exception>
    public static void WriteTokenizerConfig(ModelFile model, string path) => DurableFile.Write(path, stream => TokenizerConfig.Write(stream, model));

    private static List<List<ParameterTensor>> Cut(ParameterLayout layout, NumberType type, long bytesMax)
    {
        var (shards, bytes) = (new List<List<ParameterTensor>> { new() }, 0L);
        foreach (var tensor in layout.Tensors)
        {
            var size = NumberTypes.Bytes(type, tensor.Length);
            if (bytes > 0 && bytes + size > bytesMax)
            {
                shards.Add([]);
                bytes = 0;
            }

            shards[^1].Add(tensor);
            bytes += size;
        }

        return shards;
    }

    private static void WriteShard(ModelFile model, List<ParameterTensor> tensors, NumberType type, Stream stream)
    {
        stream.Write(SafetensorsHeader.Write(tensors, SafetensorsTable.NameOf(type), (int)NumberTypes.Bytes(type, 1)));
        foreach (var tensor in tensors)
        {
            var values = new float[checked((int)tensor.Length)];
            model.Read(tensor, values);
            var row = new byte[NumberTypes.Bytes(type, tensor.Columns)];
            for (var at = 0; at < values.Length; at += tensor.Columns)
            {
                NumberCodec.Encode(type, values.AsSpan(at, tensor.Columns), row);
                stream.Write(row);
            }
        }
    }
}
