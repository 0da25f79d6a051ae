using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Cairn.Data;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn data prepare</c>: makes a data set from text.</summary>
internal static class DataVerb
{
    private static readonly TextOptions Text = new();
    private static readonly Option<string> Out = new("--out") { Description = "The folder of the data set.", DefaultValueFactory = _ => "data" };
    private static readonly Option<int> Vocabulary = new("--vocabulary") { Description = "Tokens to learn.", DefaultValueFactory = _ => 4096 };
    private static readonly Option<string?> Given = new("--tokenizer") { Description = "A tokenizer.json to use instead of learning one." };
    private static readonly Option<bool> Json = new("--json") { Description = "Print one line of JSON and nothing else." };

    public static Command Create()
    {
        var prepare = new Command(
            "prepare",
            "Reads text, learns a vocabulary, and writes tokenizer, shards and manifest. Called again it makes only what is missing.\n\n" +
            "Examples:  cairn data prepare --out data\n           cairn data prepare --data ~/books notes.jsonl --text-field body --vocabulary 16384 --out data/books")
        {
            Out, Vocabulary, Given, Json,
        };
        Text.AddTo(prepare);
        prepare.SetAction(Prepare);
        return new Command("data", "Makes the data set that a run trains on.") { prepare };
    }

    private static int Prepare(ParseResult parsed)
    {
        var options = new DataSetOptions { Corpus = Text.Read(parsed), VocabularySize = parsed.GetValue(Vocabulary), TokenizerPath = parsed.GetValue(Given) };
        var (json, clock) = (parsed.GetValue(Json), Stopwatch.StartNew());
        using var data = DataSet.Prepare(options, parsed.GetValue(Out)!, StageProgress.For(json));
        var manifest = data.Manifest;
        if (json)
        {
            var prepared = new PreparedData(
                data.Folder, data.Digest.ToString(), manifest.Source, manifest.VocabularySize, manifest.TrainTokens, manifest.Train.Sum(shard => shard.Documents),
                manifest.HeldOut.Tokens, manifest.HeldOut.Documents, manifest.BytesPerToken, clock.Elapsed.TotalSeconds);
            Console.WriteLine(JsonSerializer.Serialize(prepared, DataJson.Default.PreparedData));
            return ExitCode.Success;
        }

        Console.WriteLine($"text        {manifest.Source}");
        Console.WriteLine($"vocabulary  {manifest.VocabularySize} tokens, {manifest.BytesPerToken:F2} bytes of held-out text each");
        var documents = manifest.Train.Sum(shard => shard.Documents);
        Console.WriteLine($"train       {manifest.TrainTokens:N0} tokens of {documents:N0} documents in {manifest.Train.Count} shard(s)");
        Console.WriteLine($"held out    {manifest.HeldOut.Tokens:N0} tokens of {manifest.HeldOut.Documents:N0} documents");
        Console.WriteLine($"data set    {data.Digest}");
        Console.WriteLine($"\nit lies in {data.Folder}");
        return ExitCode.Success;
    }
}
