using Cairn.Base;

namespace Cairn.Model;

/// <summary>A model as a folder that others can load: parameters, configuration, defaults of generation. The room opens no file: whoever
/// owns the folder
/// hands out streams by name, and writes them as durably as it likes.</summary>
public static class Checkpoint
{
    /// <summary>Name of the parameters' file.</summary>
    public const string ParametersFile = "model.safetensors";

    /// <summary>Name of the shape's file.</summary>
    public const string ConfigFile = "config.json";

    /// <summary>Name of the file with the defaults of generation.</summary>
    public const string GenerationFile = "generation_config.json";

    /// <summary>Writes the three files, the parameters last: a folder with parameters is whole.</summary>
    /// <param name="parameters">The model.</param>
    /// <param name="generation">Special tokens and suggestions.</param>
    /// <param name="write">Gives the file of a name to a writer of its content, such as a durable file in a folder.</param>
    public static void Save(Parameters parameters, GenerationDefaults generation, Action<string, Action<Stream>> write)
    {
        write(ConfigFile, stream => HuggingFaceConfig.WriteConfig(stream, parameters.Shape, generation));
        write(GenerationFile, stream => HuggingFaceConfig.WriteGeneration(stream, generation));
        write(ParametersFile, stream => SafetensorsFile.Write(stream, parameters));
    }

    /// <summary>Reads a model whose shape only its folder knows.</summary>
    /// <param name="open">Opens the stream of a name, from anywhere; disposed here.</param>
    /// <returns>The caller disposes the parameters.</returns>
    /// <exception cref="InputException">The files are damaged or of a model that we cannot build.</exception>
    public static Parameters Load(Func<string, Stream> open)
    {
        ModelShape shape;
        using (var stream = open(ConfigFile))
        {
            shape = HuggingFaceConfig.ReadConfig(stream);
        }

        return LoadParameters(new ParameterLayout(shape), open);
    }

    /// <summary>Reads a model whose shape is known beforehand (from the rules of a run): a file of another shape is refused before memory
    /// is taken.</summary>
    /// <param name="layout">The layout.</param>
    /// <param name="open">Opens the stream of a name, from anywhere; disposed here.</param>
    /// <returns>The caller disposes the parameters.</returns>
    /// <exception cref="InputException">The file is damaged or of another model.</exception>
    public static Parameters LoadParameters(ParameterLayout layout, Func<string, Stream> open)
    {
        using var stream = open(ParametersFile);
        return SafetensorsFile.Read(stream, layout);
    }

    /// <summary>The name of a checkpoint: its shape and its parameters.</summary>
    /// <param name="parameters">The model.</param>
    public static Digest Digest(Parameters parameters) => Digest(parameters.Shape, parameters.Digest());

    /// <summary>The name of a checkpoint whose parameters are known by their digest alone.</summary>
    /// <param name="shape">The model's shape.</param>
    /// <param name="parameters">Their <see cref="BaseDigest"/>.</param>
    public static Digest Digest(ModelShape shape, Digest parameters)
    {
        using var config = new MemoryStream();
        HuggingFaceConfig.WriteConfig(config, shape, new GenerationDefaults());
        using var hasher = new Hasher("cairn/checkpoint");
        hasher.Append(Base.Digest.Of(config.GetBuffer().AsSpan(0, (int)config.Length)));
        hasher.Append(parameters);
        return hasher.Finish();
    }
}
