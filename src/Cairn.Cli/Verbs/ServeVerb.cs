using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using Cairn.Base;
using Cairn.Cli.Serving;
using Cairn.Compute;
using Cairn.Formats;
using Cairn.Inference;
using Cairn.Node;
using Cairn.Web;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn serve</c>: a model over HTTP, in the way of OpenAI's interface.</summary>
internal static class ServeVerb
{
    // Published models name contexts for which no memory suffices.
    private const int UsualContextMax = 8192;
    private const string KeyVariable = "CAIRN_API_KEY";

    private static readonly Option<string?> Model = new("--model")
    {
        Description = "A run's folder (its newest checkpoint is taken), a folder with config.json, safetensors and tokenizer.json, or a .gguf file. " +
            "Default: the newest run.",
    };

    private static readonly Option<string?> Follow = new("--follow")
    {
        Description = "A run's folder: its newest checkpoint is served, and each newer one as soon as it is there, without ending what runs.",
    };

    private static readonly Option<string?> Name = new("--name") { Description = "By which the model is asked for. Default: the name of its folder or file." };
    private static readonly Option<string> Host = new("--host")
    {
        Description = "The address to listen on. The usual one can be reached from this machine alone; 0.0.0.0 lets everybody in who reaches it.",
        DefaultValueFactory = _ => "127.0.0.1",
    };

    private static readonly Option<int> Port = new("--port") { Description = "The port to listen on; 0 for any.", DefaultValueFactory = _ => InferenceOptions.UsualPort };
    private static readonly Option<string> Precision = new("--precision")
    {
        Description = "How the matrices are held: f32, bf16 (half of the memory), int8 (a quarter).",
        DefaultValueFactory = _ => "f32",
    };

    private static readonly Option<int> Threads = new("--threads")
    {
        Description = "Threads to compute with. Changes no bit.",
        DefaultValueFactory = _ => Environment.ProcessorCount,
    };

    private static readonly Option<int?> Context = new("--context")
    {
        Description = $"The longest text in tokens, prompt and continuation together. Default: the model's, at most {UsualContextMax}.",
    };

    private static readonly Option<int?> CacheTokens = new("--cache-tokens")
    {
        Description = "Tokens of all texts together whose keys and values are kept. Default: four times the longest text.",
    };

    private static readonly Option<int> Parallel = new("--parallel") { Description = "Texts continued at once.", DefaultValueFactory = _ => 16 };
    private static readonly Option<int> Waiting = new("--waiting")
    {
        Description = "Continuations that may wait beside those; more are refused (429).",
        DefaultValueFactory = _ => 64,
    };

    private static readonly Option<double> RequestSeconds = new("--request-seconds")
    {
        Description = "The longest that a request may take.",
        DefaultValueFactory = _ => 600,
    };

    private static readonly Option<double> BodyMax = new("--body-mib")
    {
        Description = "The largest body of a request in MiB; larger ones are refused (413).",
        DefaultValueFactory = _ => 4,
    };

    private static readonly Option<string?> Keys = new("--api-key-file")
    {
        Description = $"A file that only you can read, with a key on each line: a request must have one of them. A single key may also stand in {KeyVariable}.",
    };

    public static Command Create()
    {
        var command = new Command(
            "serve",
            "Serves a model over HTTP in the way of OpenAI's interface: completions, chat, streams, tokens, health, metrics. Ctrl-C ends it.\n\n" +
            "Examples:  cairn serve --model model.gguf --precision int8\n           cairn serve --follow runs/swarm-1")
        {
            Model, Follow, Name, Host, Port, Precision, Threads, Context, CacheTokens, Parallel, Waiting, RequestSeconds, BodyMax, Keys,
        };
        command.SetAction(ServeAsync);
        return command;
    }

    private static async Task<int> ServeAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var options = OptionsOf(parsed);
        var (path, name, follows) = PlaceOf(parsed);
        var named = follows ? NamedCheckpoints.Open(new RunDirectory(path)) : null;
        using var owned = named;
        var folder = named is null ? ModelPlace.FolderOf(path) : named.Verify(cancellation);
        var first = await Task.Run(() => Load(parsed, folder, name), cancellation);
        await using var server = await InferenceServer.StartAsync(first, options);
        Console.WriteLine($"{name} is served at {server.Address}{Reach(options)}");
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var run = named is null ? null
            : new FollowedRun(new RunDirectory(path), named, folder, newer => Load(parsed, newer, name), server.Switch, Console.Error.WriteLine, TimeProvider.System);
        var following = run?.FollowAsync(either.Token) ?? Task.Delay(Timeout.Infinite, either.Token);
        try
        {
            // A failure of either is ours: it ends the process.
            await await Task.WhenAny(server.Failed, following);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Ctrl-C.
        }

        await either.CancelAsync();
        return ExitCode.Success;
    }

    // What is served, by which name, and whether it is a run that is followed.
    private static (string Path, string Name, bool Follows) PlaceOf(ParseResult parsed)
    {
        var (model, follow) = (parsed.GetValue(Model), parsed.GetValue(Follow));
        if (model is not null && follow is not null)
        {
            throw new InputException("--model names what stays, --follow a run that goes on: give one of them.");
        }

        var path = follow ?? model ?? RunFolders.Newest();
        return (path, parsed.GetValue(Name) ?? NameOf(path), follow is not null);
    }

    private static string NameOf(string path)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        return full.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) ? Path.GetFileNameWithoutExtension(full) : Path.GetFileName(full);
    }

    private static ServedModel Load(ParseResult parsed, string folder, string name)
    {
        using var file = ModelFile.Open(folder);
        var options = new BatchModelOptions(
            PrecisionOf(parsed.GetValue(Precision)!), parsed.GetValue(Threads), parsed.GetValue(Context) ?? Math.Min(file.Shape.Context, UsualContextMax),
            parsed.GetValue(CacheTokens));
        var served = ServedModel.Load(file, name, Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))), options);
        using var process = Process.GetCurrentProcess();
        var (model, memory) = (served.Model, Mebibytes(process.WorkingSet64));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"""
            loaded {folder} in {served.LoadTime.TotalSeconds:0.0} s: {model.Shape.ParameterCount:N0} parameters in {Mebibytes(model.ParameterBytes)} ({model.Precision})
            {model.CacheTokens:N0} tokens of cache in {Mebibytes(model.CacheBytes)}, texts of up to {served.LengthMax:N0}; the process takes {memory}
            turns of a conversation become text by {served.TemplateFrom}
            """));
        return served;
    }

    private static string Mebibytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:N1} MiB");

    private static MatrixPrecision PrecisionOf(string name) => name switch
    {
        "f32" => MatrixPrecision.F32,
        "bf16" => MatrixPrecision.Bf16,
        "int8" => MatrixPrecision.Int8,
        _ => throw new InputException($"--precision is '{name}', must be f32, bf16 or int8."),
    };

    private static InferenceOptions OptionsOf(ParseResult parsed)
    {
        var faults = new List<string>();
        T Within<T>(Option<T> option, T least, T most)
            where T : IComparable<T>
        {
            var value = parsed.GetValue(option)!;
            if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
            {
                faults.Add(string.Create(CultureInfo.InvariantCulture, $"{option.Name} is {value}, must be {least} to {most}"));
            }

            return value;
        }

        if (!IPAddress.TryParse(parsed.GetValue(Host), out var address))
        {
            faults.Add($"--host is '{parsed.GetValue(Host)}', must be an IP address such as 127.0.0.1");
        }

        var options = new InferenceOptions(address ?? IPAddress.Loopback, Within(Port, 0, IPEndPoint.MaxPort))
        {
            Parallel = Within(Parallel, 1, 256),
            WaitingMax = Within(Waiting, 0, 4096),
            RequestTimeMax = TimeSpan.FromSeconds(Math.Clamp(Within(RequestSeconds, 0.1, 86_400), 0.1, 86_400)),
            BodyBytesMax = (int)(1048576 * Math.Clamp(Within(BodyMax, 0.001, 256), 0.001, 256)),
            Faulted = fault => Console.Error.WriteLine($"a request failed by a bug of Cairn: {fault}"),
        };
        return faults.Count == 0 ? options with { Keys = KeysOf(parsed.GetValue(Keys)) } : throw new InputException(string.Join("; ", faults) + ".");
    }

    private static List<string> KeysOf(string? path)
    {
        var keys = new List<string>();
        if (Environment.GetEnvironmentVariable(KeyVariable) is { } one)
        {
            // Whoever sets it wants a key to be asked for: a blank one would let everybody in.
            keys.Add(!string.IsNullOrWhiteSpace(one) ? one.Trim()
                : throw new InputException($"{KeyVariable} is set and blank: put a key into it, or unset it if no key is to be asked for."));
        }

        if (path is not null)
        {
            keys.AddRange(ReadKeys(path));
        }

        return keys;
    }

    private static List<string> ReadKeys(string path)
    {
        var lines = Encoding.UTF8.GetString(SecretFile.ReadExisting(path)).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return lines.Length > 0 ? [.. lines] : throw new InputException($"--api-key-file {path} has no key: write one on each line.");
    }

    private static string Reach(InferenceOptions options) => IPAddress.IsLoopback(options.Address) ? " (on this machine alone)"
        : options.Keys.Count > 0 ? ": whoever reaches this machine and has a key is answered, and hears the line in the clear"
        : ": EVERYBODY who reaches this machine is answered; --api-key-file would ask for a key";
}
