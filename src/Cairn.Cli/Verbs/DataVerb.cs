using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Cairn.Base;
using Cairn.Data;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn data prepare</c>: makes a data set from text.</summary>
internal static class DataVerb
{
    private static readonly TextOptions Text = new();
    private static readonly Option<string> Out = new("--out") { Description = "The folder of the data set.", DefaultValueFactory = _ => "data" };
    private static readonly Option<int> Vocabulary = new("--vocabulary") { Description = "Tokens to learn.", DefaultValueFactory = _ => 4096 };
    private static readonly Option<string?> Given = new("--tokenizer") { Description = "A tokenizer.json to use instead of learning one." };
    private static readonly Option<string[]> Mix = new("--mix")
    {
        Description = "PATH=WEIGHT of several sources, files or folders: parts of the text, none taken twice.",
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<string[]> AnnealMix = new("--anneal-mix")
    {
        Description = "PATH=WEIGHT of other sources, for the end of a run: an annealing part of the set, mixed by itself (run create --anneal-rounds).",
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<string> Repeated = new("--duplicates")
    {
        Description = "What was said before: kept, exact (left out: the same words in the same order) or near (left out too: most runs of five words shared).",
        DefaultValueFactory = _ => "kept",
    };

    private static readonly Option<int> Memory = new("--duplicate-memory")
    {
        Description = "Megabytes to remember it with; the card says what part of the new was lost by it. Part of what the data set is.",
        DefaultValueFactory = _ => 512,
    };

    private static readonly Option<bool> Filter = new("--filter")
    {
        Description = "Leave out documents that are too short or too long, hardly letters, no words, or say the same again and again.",
    };

    private static readonly Option<bool> Stream = new("--stream")
    {
        Description = "Read text piece by piece however much there is. Goes without saying with the five options above, packed files, Parquet, and text beyond 8 GB.",
    };

    private static readonly Option<int> Threads = new("--threads")
    {
        Description = "Threads that look at documents. Changes no byte.",
        DefaultValueFactory = _ => Environment.ProcessorCount,
    };

    private static readonly Option<bool> Json = new("--json") { Description = "Print one line of JSON and nothing else." };

    public static Command Create()
    {
        var prepare = new Command(
            "prepare",
            "Reads text (.txt, .md, .jsonl, each also as .gz or .zst, .parquet), leaves out what is to be left out, learns a vocabulary, and writes " +
            "tokenizer, shards, manifest and card. " +
            "Killed at any instant, the same command goes on and gives the same bytes. A run takes the folder with --data.\n\n" +
            "Examples:  cairn data prepare --out data\n" +
            "           cairn data prepare --data ~/books notes.jsonl --text-field body --vocabulary 16384 --out data/books\n" +
            "           cairn data prepare --mix web.parquet=0.7 books=0.3 --filter --duplicates near --out data/mix\n" +
            "           cairn data prepare --mix web.parquet=0.7 books=0.3 --anneal-mix maths=0.4 answers.jsonl=0.3 web.parquet=0.3 --out data/two")
        {
            Out, Vocabulary, Given, Mix, AnnealMix, Filter, Repeated, Memory, Stream, Threads, Json,
        };
        Text.AddTo(prepare);
        prepare.SetAction(Prepare);
        return new Command("data", "Makes the data set that a run trains on.") { prepare };
    }

    private static int Prepare(ParseResult parsed)
    {
        var (json, clock) = (parsed.GetValue(Json), Stopwatch.StartNew());
        var progress = StageProgress.For(json);
        using var data = OptionsOf(parsed) is { } streamed
            ? DataPreparation.Run(streamed, parsed.GetValue(Out)!, progress)
            : DataSet.Prepare(
                new DataSetOptions { Corpus = Text.Read(parsed), VocabularySize = parsed.GetValue(Vocabulary), TokenizerPath = parsed.GetValue(Given) },
                parsed.GetValue(Out)!, progress);
        var manifest = data.Manifest;
        if (json)
        {
            var prepared = new PreparedData(
                data.Folder, data.Digest.ToString(), manifest.Source, manifest.VocabularySize, manifest.TrainTokens, manifest.Train.Sum(shard => shard.Documents),
                manifest.HeldOut.Tokens, manifest.HeldOut.Documents, manifest.BytesPerToken, clock.Elapsed.TotalSeconds,
                manifest.Anneal.Sum(shard => shard.Tokens), manifest.Anneal.Sum(shard => shard.Documents));
            Console.WriteLine(JsonSerializer.Serialize(prepared, DataJson.Default.PreparedData));
            return ExitCode.Success;
        }

        Console.WriteLine($"text        {manifest.Source}");
        Console.WriteLine($"vocabulary  {manifest.VocabularySize} tokens, {manifest.BytesPerToken:F2} bytes of held-out text each");
        var documents = manifest.Train.Sum(shard => shard.Documents);
        Console.WriteLine($"train       {manifest.TrainTokens:N0} tokens of {documents:N0} documents in {manifest.Train.Count} shard(s)");
        if (manifest.AnnealShards > 0)
        {
            Console.WriteLine(
                $"anneal      {manifest.Anneal.Sum(shard => shard.Tokens):N0} of these tokens, of {manifest.Anneal.Sum(shard => shard.Documents):N0} documents, " +
                $"in the last {manifest.AnnealShards} shard(s)");
        }

        Console.WriteLine($"held out    {manifest.HeldOut.Tokens:N0} tokens of {manifest.HeldOut.Documents:N0} documents");
        Console.WriteLine($"data set    {data.Digest}");
        var card = Path.Combine(data.Folder, DataCard.MarkdownName);
        Console.WriteLine(File.Exists(card) ? $"\nit lies in {data.Folder}, and what it is made of stands in {card}" : $"\nit lies in {data.Folder}");
        return ExitCode.Success;
    }

    // Null where nothing is asked for that needs it: then the text is held in memory, and the same data sets come out as ever.
    private static PreparationOptions? OptionsOf(ParseResult parsed)
    {
        var (corpus, mix, memory, threads) = (Text.Read(parsed), parsed.GetValue(Mix) ?? [], parsed.GetValue(Memory), parsed.GetValue(Threads));
        var anneal = parsed.GetValue(AnnealMix) ?? [];
        var duplicates = parsed.GetValue(Repeated) switch
        {
            "kept" => Duplicates.Kept,
            "exact" => Duplicates.Exact,
            "near" => Duplicates.Near,
            var other => throw new InputException($"--duplicates {other} is not known: say kept, exact or near."),
        };
        if (memory is < 1 or > 1 << 20 || threads is < 1 or > 256 || (mix.Length > 0 && corpus.Paths.Count > 0))
        {
            throw new InputException("--duplicate-memory must be 1 to 1,048,576 megabytes, --threads 1 to 256, and --mix goes without --data.");
        }

        var asked = mix.Length > 0 || anneal.Length > 0 || duplicates != Duplicates.Kept || parsed.GetValue(Filter) || parsed.GetValue(Stream);
        if (!asked && !corpus.Paths.Any(path => DataPreparation.IsNeededFor(path)) && SizeOf(corpus.Paths) <= corpus.TextBytesMax)
        {
            return null;
        }

        return corpus.Paths.Count + mix.Length == 0 ? throw new InputException("name the text with --data or --mix: the documentation beside the SDK is taken as it is.")
            : new PreparationOptions
            {
                Sources = mix.Length > 0 ? [.. mix.Select(text => Weighted("--mix", text))] : [.. corpus.Paths.Select(path => new WeightedSource(path, null))],
                AnnealSources = [.. anneal.Select(text => Weighted("--anneal-mix", text))],
                TextField = corpus.JsonField,
                HeldOutPart = corpus.HeldOutPart,
                VocabularySize = parsed.GetValue(Vocabulary),
                TokenizerPath = parsed.GetValue(Given),
                Filter = parsed.GetValue(Filter) ? new TextFilter() : null,
                Duplicates = duplicates,
                DuplicateBytes = (long)memory << 20,
                Threads = threads,
            };
    }

    private static WeightedSource Weighted(string option, string text) =>
        text.LastIndexOf('=') is > 0 and var at && double.TryParse(text.AsSpan(at + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out var weight) && weight > 0
            ? new WeightedSource(text[..at], weight)
            : throw new InputException($"{option} {text} names no source and weight: write PATH=WEIGHT, such as books=0.3.");

    private static long SizeOf(IReadOnlyList<string> paths) => paths.Sum(path =>
        File.Exists(path) ? new FileInfo(path).Length
        : Directory.Exists(path) ? new DirectoryInfo(path).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length) : 0);
}
