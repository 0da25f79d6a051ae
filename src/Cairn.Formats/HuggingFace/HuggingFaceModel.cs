using Cairn.Base;
using Cairn.Data;
using Cairn.Model;

namespace Cairn.Formats;

/// <summary>A model in a folder in the layout of Hugging Face: config.json, one or several safetensors files, tokenizer.json, and what else there is.</summary>
internal sealed class HuggingFaceModel : ModelFile
{
    private readonly Dictionary<string, (StoredTensor Tensor, FileBytes File)> _tensors = new(StringComparer.Ordinal);

    private HuggingFaceModel(string folder) : base(folder)
    {
        try
        {
            Layout = new ParameterLayout(Small(Checkpoint.ConfigFile, HuggingFaceConfig.ReadConfig));
            foreach (var name in FilesOf(folder))
            {
                Add(Map(FileBytes.Open(System.IO.Path.Combine(folder, name))));
            }

            Compare();
            Tokenizer = Fit(Tokenizer.Load(System.IO.Path.Combine(folder, HuggingFaceNames.Tokenizer)));
            ChatTemplate = TokenizerConfig.ReadTemplate(folder);
            var generation = File.Exists(System.IO.Path.Combine(folder, Checkpoint.GenerationFile)) ? Checkpoint.GenerationFile : Checkpoint.ConfigFile;
            Generation = WithEnd(Small(generation, HuggingFaceConfig.ReadGeneration));
        }
        catch
        {
            Close();
            throw;
        }
    }

    public override string Format => "Hugging Face folder";

    public override IReadOnlyList<StoredTensor> Tensors => [.. _tensors.Values.Select(one => one.Tensor)];

    /// <summary>Opens a folder.</summary>
    /// <exception cref="InputException">It is not a model that can be built.</exception>
    public static new HuggingFaceModel Open(string folder) => new(folder);

    public override void Read(ParameterTensor tensor, Span<float> values)
    {
        var (stored, file) = _tensors[tensor.Name];
        stored.Decode(file, values);
    }

    private static IReadOnlyList<string> FilesOf(string folder)
    {
        var index = System.IO.Path.Combine(folder, SafetensorsIndex.FileName);
        return !File.Exists(System.IO.Path.Combine(folder, Checkpoint.ParametersFile)) && File.Exists(index)
            ? SafetensorsIndex.FilesOf(index)
            : [Checkpoint.ParametersFile];
    }

    private GenerationDefaults WithEnd(GenerationDefaults generation) =>
        TokenizerConfig.ReadEnd(Path) is { } name && Tokenizer.SpecialId(name) is >= 0 and var id && id != generation.EndToken && !generation.OtherEnds.Contains(id)
            ? generation with { OtherEnds = [.. generation.OtherEnds, id] } : generation;

    private void Add(FileBytes file)
    {
        foreach (var tensor in SafetensorsTable.Read(file))
        {
            if (!_tensors.TryAdd(tensor.Name, (tensor, file)))
            {
                throw Refused($"tensor '{tensor.Name}' is in two files");
            }
        }
    }

    private void Compare()
    {
        foreach (var tensor in Layout.Tensors)
        {
            if (!_tensors.TryGetValue(tensor.Name, out var found))
            {
                throw Refused($"tensor '{tensor.Name}' is missing");
            }

            if (found.Tensor.Rows != tensor.Rows || found.Tensor.Columns != tensor.Columns)
            {
                throw Refused($"tensor '{tensor.Name}' has {found.Tensor.Rows} rows of {found.Tensor.Columns}, config.json says {tensor.Rows} of {tensor.Columns}");
            }
        }

        foreach (var name in _tensors.Keys)
        {
            // Some programs write the head of a tied model and the table of rotary frequencies too: both follow from the rest.
            var follows = (name == "lm_head.weight" && Shape.TiedHead) || name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal);
            if (!Layout.TryFind(name, out _) && !follows)
            {
                throw Refused($"tensor '{name}' does not belong to this model");
            }
        }
    }

    private T Small<T>(string name, Func<Stream, T> read)
    {
        var path = System.IO.Path.Combine(Path, name);
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 12);
            return read(stream);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path} cannot be read ({e.Message}): name a folder with config.json, model.safetensors and tokenizer.json, or a .gguf file.", e);
        }
        catch (InputException e)
        {
            throw new InputException($"{Path}: {e.Message}", e);
        }
    }

    private InputException Refused(string reason) => new($"{Path} cannot be used: {reason}; fetch the model again or choose another.");
}
