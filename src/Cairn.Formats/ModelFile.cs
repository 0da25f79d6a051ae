using Cairn.Base;
using Cairn.Data;
using Cairn.Model;

namespace Cairn.Formats;

/// <summary>A model in files of any format that is read here: its shape, its tokenizer, its chat template, and its parameters tensor by tensor.</summary>
/// <remarks>Opening reads the heads of files and the tokenizer; parameters are mapped and decoded when they are asked for. Not safe for two callers at once.</remarks>
public abstract class ModelFile : IDisposable
{
    private readonly List<FileBytes> _files = [];

    private protected ModelFile(string path) => Path = path;

    /// <summary>Where it lies.</summary>
    public string Path { get; }

    /// <summary>The name of the format, for people.</summary>
    public abstract string Format { get; }

    /// <summary>The shape.</summary>
    public ModelShape Shape => Layout.Shape;

    /// <summary>Where each tensor stands in <see cref="Parameters"/>.</summary>
    public ParameterLayout Layout { get; private protected init; } = null!;

    /// <summary>Text to ids and back; it has an id for every row of the embedding. It may have more: published models come with tokens that were added without a row.
    /// Whoever gives ids to the model compares them with its vocabulary.</summary>
    public Tokenizer Tokenizer { get; private protected init; } = null!;

    /// <summary>How a conversation becomes one text, in the language of Jinja; null where the model says nothing of it.</summary>
    public string? ChatTemplate { get; private protected init; }

    /// <summary>What begins and ends a text, and suggestions for sampling.</summary>
    public GenerationDefaults Generation { get; private protected init; } = new();

    /// <summary>The tensors as the files hold them.</summary>
    public abstract IReadOnlyList<StoredTensor> Tensors { get; }

    /// <summary>Opens a folder in the layout of Hugging Face (a Cairn checkpoint is one), or a GGUF file.</summary>
    /// <param name="path">The folder, a file in it, or the .gguf file.</param>
    /// <returns>The caller disposes it.</returns>
    /// <exception cref="InputException">There is no model, or it is damaged, hostile or of a kind that cannot be built.</exception>
    public static ModelFile Open(string path)
    {
        if (Directory.Exists(path))
        {
            var files = Directory.GetFiles(path, "*.gguf");
            return files.Length == 1 && !File.Exists(System.IO.Path.Combine(path, Checkpoint.ConfigFile)) ? GgufModel.Open(files[0]) : HuggingFaceModel.Open(path);
        }

        return System.IO.Path.GetFileName(path) is Checkpoint.ConfigFile or Checkpoint.ParametersFile or SafetensorsIndex.FileName
            ? HuggingFaceModel.Open(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!)
            : GgufModel.Open(path);
    }

    /// <summary>Decodes one tensor.</summary>
    /// <param name="tensor">Of <see cref="Layout"/>.</param>
    /// <param name="values">As long as the tensor; overwritten.</param>
    /// <exception cref="InputException">A number is not finite.</exception>
    public abstract void Read(ParameterTensor tensor, Span<float> values);

    /// <summary>Loads all parameters.</summary>
    /// <returns>The caller disposes them.</returns>
    /// <exception cref="InputException">A number is not finite, or the model is larger than one machine of this version holds.</exception>
    public Parameters LoadParameters()
    {
        var parameters = new Parameters(Layout);
        try
        {
            foreach (var tensor in Layout.Tensors)
            {
                Read(tensor, parameters[tensor]);
            }

            return parameters;
        }
        catch
        {
            parameters.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        Close();
    }

    /// <summary>Frees what was opened; called by <see cref="Dispose"/> and when opening fails.</summary>
    private protected virtual void Close() => _files.ForEach(file => file.Dispose());

    private protected FileBytes Map(FileBytes file)
    {
        _files.Add(file);
        return file;
    }

    /// <summary>A tokenizer with an id for every row of the embedding: published models round their vocabulary up. Others were given tokens without rows; what begins
    /// and ends texts is read and foreseen with every text, and so must have one.</summary>
    private protected Tokenizer Fit(Tokenizer tokenizer)
    {
        var vocabulary = Shape.Vocabulary;
        foreach (var (id, does) in new (int?, string)[] { (tokenizer.BosId, "begins"), (tokenizer.EosId, "ends") })
        {
            if (id >= vocabulary)
            {
                throw new InputException(
                    $"{Path} cannot be used: its tokenizer {does} texts with token {id}, but its embedding has only {vocabulary} rows; " +
                    "fetch the tokenizer that belongs to these parameters, or add the rows.");
            }
        }

        var missing = vocabulary - tokenizer.VocabularySize;
        if (missing <= 0)
        {
            return tokenizer;
        }

        var parts = tokenizer.Parts;
        return Tokenizer.Of(
            parts with
            {
                Tokens = [.. parts.Tokens, .. Enumerable.Repeat(Array.Empty<byte>(), missing)],
                Kinds = [.. parts.Kinds, .. Enumerable.Repeat(TokenKind.Unused, missing)],
            },
            "the tokenizer");
    }
}
