using System.Text;
using System.Text.Json;
using Cairn.Base;
using Cairn.Compute;
using Cairn.Data;
using Cairn.Formats;
using Cairn.Inference;
using Cairn.Model;

namespace Cairn.Bench;

/// <summary>Tokens per second of inference: one text, eight texts at once, and a prompt of 512, each precision apart, on a model drawn at random that is larger than
/// any cache. Beside llama.cpp on the same file, in turns, if asked.</summary>
internal static class InferenceBenchmark
{
    private const int PromptLength = 512;
    private const int Streams = 8;

    public static Benchmark Entry { get; } = new(
        "inference", "tokens/s of one text, of eight at once and of a prompt; --against FOLDER of node-llama-cpp measures llama.cpp beside", Run);

    private static int Run(BenchmarkOptions options, TextWriter output)
    {
        var folder = Directory.CreateTempSubdirectory("cairn-bench-").FullName;
        try
        {
            var shape = ShapeOf(options);
            using (var parameters = Draw(shape))
            {
                Checkpoint.Save(parameters, new GenerationDefaults(), (name, write) => DurableFile.Write(Path.Combine(folder, name), write));
            }

            DurableFile.Write(Path.Combine(folder, "tokenizer.json"), Bytes().Save);
            output.WriteLine(
                $"{shape.ParameterCount / 1e6:F0} M parameters, {options.Threads} thread(s), {BenchClock.Name(options.Threads)} time, median of {Rounds(options)} turns");
            output.WriteLine($"{"",-6} {"",-22} {"ours",12} {(options.Against is null ? "" : "llama.cpp"),12}");
            var results = new List<object>();
            foreach (var precision in Precisions(options))
            {
                results.AddRange(Measure(precision, folder, options, output));
            }

            if (options.Json)
            {
                output.WriteLine(JsonSerializer.Serialize(new { benchmark = "inference", parameters = shape.ParameterCount, threads = options.Threads, results }));
            }

            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static int Rounds(BenchmarkOptions options) => options.Quick ? 1 : 7;

    private static MatrixPrecision[] Precisions(BenchmarkOptions options) => options.Precision switch
    {
        "bf16" => [MatrixPrecision.Bf16],
        "int8" => [MatrixPrecision.Int8],
        "f32" => [MatrixPrecision.F32],
        _ => Enum.GetValues<MatrixPrecision>(),
    };

    // 107 M parameters: 428 MB, 214 MB and 114 MB.
    private static ModelShape ShapeOf(BenchmarkOptions options) => options.Quick || options.Shape == "tiny"
        ? new ModelShape(1024, 128, 2, 4, 2, 384, 1024)
        : new ModelShape(8192, 768, 16, 12, 4, 2048, 1024);

    private static Parameters Draw(ModelShape shape) => Initializer.Create(new ParameterLayout(shape), 1);

    // Bytes, the end of a text, and names for the other rows of the embedding.
    private static Tokenizer Bytes() => Tokenizer.Of(
        new TokenizerParts
        {
            Family = TokenizerFamily.Llama3,
            Tokens = [.. Enumerable.Range(0, 256).Select(value => new[] { (byte)value }).Append(Encoding.UTF8.GetBytes(Tokenizer.EndOfText))],
            Kinds = [.. Enumerable.Range(0, 257).Select(id => id == 256 ? TokenKind.Control : TokenKind.Normal)],
            Merges = [],
        },
        "the benchmark's tokenizer");

    private static IEnumerable<object> Measure(MatrixPrecision precision, string folder, BenchmarkOptions options, TextWriter output)
    {
        using var file = ModelFile.Open(folder);
        using var model = BatchModel.Load(file, new BatchModelOptions(precision, options.Threads, CacheTokens: Streams * 1024));
        var gguf = Path.Combine(folder, $"{precision}.gguf");
        if (options.Against is not null)
        {
            var type = precision switch { MatrixPrecision.F32 => NumberType.F32, MatrixPrecision.Bf16 => NumberType.BF16, _ => NumberType.Q80 };
            ModelWriter.WriteGguf(file, gguf, type);
        }

        using var peer = options.Against is { } modules ? LlamaPeer.Start(modules, gguf, options.Threads) : null;
        var steps = options.Quick ? 4 : 24;
        var work = new (string Name, string Command, int Tokens, Action Ours)[]
        {
            ("one text", $"streams 1 {steps}", steps, () => Continue(model, 1, steps)),
            ("eight texts", $"streams {Streams} {steps}", Streams * steps, () => Continue(model, Streams, steps)),
            ("prompt of 512", $"prompt {PromptLength}", PromptLength, () => Prompt(model)),
        };
        foreach (var (name, command, tokens, ours) in work)
        {
            // Once to warm up, then in turns.
            ours();
            peer?.Run(command);
            var (mine, theirs) = (new List<double>(), new List<double>());
            for (var round = 0; round < Rounds(options); round++)
            {
                mine.Add(BenchClock.Seconds(options.Threads, ours));
                if (peer is not null)
                {
                    theirs.Add(peer.Run(command));
                }
            }

            var speed = tokens / BenchClock.Median(mine);
            double? other = peer is null ? null : tokens / BenchClock.Median(theirs);
            output.WriteLine($"{precision,-6} {name,-22} {speed,8:F1} t/s {(other is null ? "" : $"{other,8:F1} t/s  {speed / other,5:F2}x")}");
            yield return new { precision = precision.ToString(), name, ours = speed, llamaCpp = other };
        }
    }

    private static void Continue(BatchModel model, int texts, int steps)
    {
        var open = Enumerable.Range(0, texts).Select(_ => model.Open()).ToArray();
        foreach (var text in open)
        {
            model.Reserve(text, steps);
        }

        var tokens = new int[texts];
        var pieces = new BatchPiece[texts];
        for (var step = 0; step < steps; step++)
        {
            for (var i = 0; i < texts; i++)
            {
                tokens[i] = ((step + i) % 250) + 2;
                pieces[i] = new BatchPiece(open[i], tokens.AsMemory(i, 1), true);
            }

            model.Run(pieces);
            for (var i = 0; i < texts; i++)
            {
                _ = Likeliest(model.Logits(i));
            }
        }

        Array.ForEach(open, model.Close);
    }

    private static void Prompt(BatchModel model)
    {
        var text = model.Open();
        model.Reserve(text, PromptLength);
        model.Run([new BatchPiece(text, Enumerable.Range(0, PromptLength).Select(at => (at % 250) + 2).ToArray(), true)]);
        _ = Likeliest(model.Logits(0));
        model.Close(text);
    }

    private static int Likeliest(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var i = 1; i < logits.Length; i++)
        {
            best = logits[i] > logits[best] ? i : best;
        }

        return best;
    }
}
