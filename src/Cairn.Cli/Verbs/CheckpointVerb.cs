using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Cairn.Base;
using Cairn.Formats;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn checkpoint inspect|convert|verify|diff|average|reference</c>: models in files, ours and those of others.</summary>
internal static class CheckpointVerb
{
    private static readonly Argument<string> Model = new("model")
    {
        Description = "A folder with config.json, model.safetensors and tokenizer.json, a .gguf file, or a run's folder (its newest checkpoint is taken).",
    };

    private static readonly Argument<string> Out = new("out") { Description = "Where to write: a .gguf file, or else a folder in the layout of Hugging Face." };
    private static readonly Argument<string> Other = new("other") { Description = "The other model." };
    private static readonly Argument<string[]> Models = new("models")
    {
        Description = "The models, of one shape and tokenizer.",
        Arity = ArgumentArity.OneOrMore,
    };
    private static readonly Option<double[]> Parts = new("--parts")
    {
        Description = "How much each model counts; default: all alike.",
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<string> Type = new("--type")
    {
        Description = $"How numbers are stored: {string.Join(", ", NumberTypes.Names)}; a folder takes the first three.",
        DefaultValueFactory = _ => "f32",
    };

    private static readonly Option<double> ShardGigabytes = new("--shard-gb")
    {
        Description = "A folder's parameters are cut into files of at most as many gigabytes.",
        DefaultValueFactory = _ => ModelWriter.ShardBytesMax / 1e9,
    };

    private static readonly Option<string?> Text = new("--text") { Description = "A file of text to measure on. Default: hard cases that are built in." };
    private static readonly Option<int> TokensMax = new("--max-tokens") { Description = "Tokens of the greedy continuation.", DefaultValueFactory = _ => 48 };
    private static readonly Option<int> Threads = new("--threads") { Description = "Threads to compute with.", DefaultValueFactory = _ => Environment.ProcessorCount };
    private static readonly Option<bool> Json = new("--json") { Description = "Print one line of JSON and nothing else." };

    public static Command Create()
    {
        var inspect = new Command(
            "inspect", "Shows what is in a model's files: shape, tokenizer, tensors.\n\nExample:  cairn checkpoint inspect model.gguf") { Model, Json };
        inspect.SetAction(Inspect);
        var convert = new Command(
            "convert",
            "Writes a model in another format, or with numbers of another type, tensor by tensor.\n\n" +
            "Example:  cairn checkpoint convert runs/swarm-1 model.gguf --type q8_0")
        {
            Model, Out, Type, ShardGigabytes,
        };
        convert.SetAction(Convert);
        var verify = new Command(
            "verify",
            "Reads every number of a model, refuses what is damaged, and prints the digests by which runs name it.\n\nExample:  cairn checkpoint verify runs/swarm-1")
        {
            Model, Json,
        };
        verify.SetAction(Verify);
        var diff = new Command(
            "diff",
            "Says how far two models of one shape are apart, tensor by tensor. Ends with 4 where they differ.\n\n" +
            "Example:  cairn checkpoint diff runs/swarm-1 model.gguf")
        {
            Model, Other, Json,
        };
        diff.SetAction(Diff);
        var average = new Command(
            "average", "Writes the mean of models.\n\nExample:  cairn checkpoint average mean.gguf runs/a runs/b --parts 2 1") { Out, Models, Parts, Type };
        average.SetAction(Average);
        var reference = new Command(
            "reference",
            "Prints what a model gives, as JSON: ids of texts, the loss of each token, a greedy continuation. Another program that reads the same file must give the " +
            "same (tools/llama-cpp/check.mjs compares it with llama.cpp).\n\nExample:  cairn checkpoint reference model.gguf > reference.json")
        {
            Model, Text, TokensMax, Threads,
        };
        reference.SetAction(Reference);
        return new Command("checkpoint", "Reads, writes and compares models in files.") { inspect, convert, verify, diff, average, reference };
    }

    private static int Inspect(ParseResult parsed)
    {
        using var model = ModelPlace.Open(parsed.GetValue(Model)!);
        var found = ModelDescription.Of(model);
        Console.WriteLine(parsed.GetValue(Json) ? JsonSerializer.Serialize(found, ModelJson.Default.ModelDescription) : found.ToText());
        return ExitCode.Success;
    }

    private static int Convert(ParseResult parsed)
    {
        var (path, type, gigabytes) = (parsed.GetValue(Out)!, NumberTypes.Parse(parsed.GetValue(Type)!), parsed.GetValue(ShardGigabytes));
        if (!(gigabytes is > 0 and < 1e6))
        {
            throw new InputException($"--shard-gb is {gigabytes}, must be above 0 and below 1,000,000.");
        }

        using var model = ModelPlace.Open(parsed.GetValue(Model)!);
        Write(model, path, type, (long)(gigabytes * 1e9));
        return ExitCode.Success;
    }

    private static int Verify(ParseResult parsed)
    {
        using var model = ModelPlace.Open(parsed.GetValue(Model)!);
        var found = ModelCheck.Of(model);
        Console.WriteLine(parsed.GetValue(Json)
            ? JsonSerializer.Serialize(
                new VerifiedModel(model.Path, found.Parameters, found.Base.ToString(), found.Checkpoint.ToString(), found.Pieces), ModelJson.Default.VerifiedModel)
            : string.Create(CultureInfo.InvariantCulture, $"{model.Path} is whole: {found.Parameters:N0} parameters, all finite") +
              $"{(found.Pieces is true ? $", as {ModelCheck.PiecesFile} says" : "")}\nbase        {found.Base}\ncheckpoint  {found.Checkpoint}");
        return ExitCode.Success;
    }

    private static int Diff(ParseResult parsed)
    {
        using var first = ModelPlace.Open(parsed.GetValue(Model)!);
        using var second = ModelPlace.Open(parsed.GetValue(Other)!);
        var found = ModelComparison.Of(first, second);
        var same = found.SameParameters && found.SameTokenizer && found.SameTemplate;
        if (parsed.GetValue(Json))
        {
            Console.WriteLine(JsonSerializer.Serialize(found, ModelJson.Default.ModelComparison));
            return same ? ExitCode.Success : ExitCode.Disagreement;
        }

        foreach (var tensor in found.Tensors.Where(tensor => tensor.Differing > 0))
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{tensor.Name,-48} {tensor.Differing,12:N0} differ, by at most {tensor.Largest:G3}, {tensor.Relative:P3} of its size"));
        }

        Console.WriteLine(
            $"parameters: {(found.SameParameters ? "the same" : "others")}; tokenizer: {(found.SameTokenizer ? "the same" : "another")}; " +
            $"chat template: {(found.SameTemplate ? "the same" : "another")}");
        return same ? ExitCode.Success : ExitCode.Disagreement;
    }

    private static int Average(ParseResult parsed)
    {
        var models = new List<ModelFile>();
        try
        {
            models.AddRange(parsed.GetValue(Models)!.Select(ModelPlace.Open));
            using var average = new AveragedModel(models, parsed.GetValue(Parts) is { Length: > 0 } parts ? parts : null);
            Write(average, parsed.GetValue(Out)!, NumberTypes.Parse(parsed.GetValue(Type)!), ModelWriter.ShardBytesMax);
        }
        finally
        {
            models.ForEach(model => model.Dispose());
        }

        return ExitCode.Success;
    }

    private static void Write(ModelFile model, string path, NumberType type, long shardBytesMax)
    {
        var single = path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase);
        if (single ? Directory.Exists(path) : File.Exists(path) || (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any()))
        {
            throw new InputException($"{path} is there already: name a .gguf file, or a folder that is new or empty.");
        }

        if (single)
        {
            ModelWriter.WriteGguf(model, path, type);
        }
        else
        {
            ModelWriter.WriteHuggingFace(model, path, type, shardBytesMax);
        }

        using var written = ModelFile.Open(path);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{path}: {written.Shape.ParameterCount:N0} parameters as {NumberTypes.NameOf(type)} in {written.Tensors.Sum(tensor => tensor.Bytes) / 1e6:N1} MB"));
    }

    private static int Reference(ParseResult parsed)
    {
        using var model = ModelPlace.Open(parsed.GetValue(Model)!);
        var text = parsed.GetValue(Text) is { } path ? ReadText(path) : null;
        var found = ModelReference.Of(model, text, Math.Clamp(parsed.GetValue(TokensMax), 1, 4096), Math.Clamp(parsed.GetValue(Threads), 1, 256));
        Console.WriteLine(JsonSerializer.Serialize(found, ModelReferenceJson.Default.ModelReference));
        return ExitCode.Success;
    }

    private static string ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path} cannot be read: {e.Message} Give a file of text.", e);
        }
    }
}
