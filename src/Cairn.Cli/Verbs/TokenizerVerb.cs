using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Cairn.Base;
using Cairn.Data;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn tokenizer train|encode|decode</c>: text to ids and back.</summary>
internal static class TokenizerVerb
{
    private static readonly TextOptions Text = new();
    private static readonly Option<string> Out = new("--out") { Description = "Where to write it.", DefaultValueFactory = _ => DataSet.TokenizerFileName };
    private static readonly Option<int> Vocabulary = new("--vocabulary") { Description = "Tokens to learn.", DefaultValueFactory = _ => 4096 };
    private static readonly Option<string> Used = new("--tokenizer") { Description = "The tokenizer.json.", DefaultValueFactory = _ => DataSet.TokenizerFileName };
    private static readonly Option<bool> Special = new("--special") { Description = "Read and write special tokens such as <|endoftext|> as such." };
    private static readonly Argument<string?> Words = new("text") { Description = "The text; without it, what comes in.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Argument<string[]> Ids = new("ids") { Description = "The ids; without them, those that come in.", Arity = ArgumentArity.ZeroOrMore };
    private static readonly Option<bool> Json = new("--json") { Description = "Print one line of JSON and nothing else." };

    public static Command Create()
    {
        var train = new Command(
            "train",
            "Learns a byte-level vocabulary and writes a tokenizer.json that other programs read too.\n\n" +
            "Example:  cairn tokenizer train --data ~/books --vocabulary 16384 --out books.json")
        {
            Out, Vocabulary, Json,
        };
        Text.AddTo(train);
        train.SetAction(Train);
        var encode = new Command(
            "encode", "Prints the ids of a text.\n\nExample:  cairn tokenizer encode --tokenizer data/tokenizer.json \"Returns the sum.\"")
        {
            Words, Used, Special, Json,
        };
        encode.SetAction(Encode);
        var decode = new Command(
            "decode", "Prints the text of ids, byte for byte.\n\nExample:  cairn tokenizer decode --tokenizer data/tokenizer.json 82 1012 259")
        {
            Ids, Used, Special, Json,
        };
        decode.SetAction(Decode);
        return new Command("tokenizer", "Turns text into ids and back.") { train, encode, decode };
    }

    private static int Train(ParseResult parsed)
    {
        BpeTrainer.CheckSize(parsed.GetValue(Vocabulary));
        var (json, path, clock) = (parsed.GetValue(Json), parsed.GetValue(Out)!, Stopwatch.StartNew());
        var progress = StageProgress.For(json);
        progress?.Report("reading text");
        var corpus = Corpus.Load(Text.Read(parsed));
        progress?.Report($"learning {parsed.GetValue(Vocabulary)} tokens from {corpus.TrainBytes / 1e6:F1} MB");
        var tokenizer = BpeTrainer.Train(corpus, parsed.GetValue(Vocabulary));
        DurableFile.Write(path, tokenizer.Save);
        Console.WriteLine(json
            ? JsonSerializer.Serialize(
                new TrainedTokenizer(
                    path, tokenizer.Digest.ToString(), tokenizer.VocabularySize, tokenizer.EosId, corpus.TrainBytes, corpus.TrainCount, clock.Elapsed.TotalSeconds),
                DataJson.Default.TrainedTokenizer)
            : $"{tokenizer.VocabularySize} tokens, digest {tokenizer.Digest.Short}, in {path}");
        return ExitCode.Success;
    }

    private static int Encode(ParseResult parsed)
    {
        var tokenizer = Tokenizer.Load(parsed.GetValue(Used)!);
        var bytes = parsed.GetValue(Words) is { } words ? Encoding.UTF8.GetBytes(words) : ReadInput("a text");
        int[] ids;
        if (parsed.GetValue(Special))
        {
            ids = tokenizer.Encode(Encoding.UTF8.GetString(bytes), allowSpecial: true);
        }
        else
        {
            var list = new List<int>();
            tokenizer.Encode(bytes, list);
            ids = [.. list];
        }

        Console.WriteLine(parsed.GetValue(Json)
            ? JsonSerializer.Serialize(new EncodedText(ids, bytes.Length), DataJson.Default.EncodedText)
            : string.Join(' ', ids));
        return ExitCode.Success;
    }

    private static int Decode(ParseResult parsed)
    {
        var tokenizer = Tokenizer.Load(parsed.GetValue(Used)!);
        var given = parsed.GetValue(Ids) is { Length: > 0 } words ? words : [Encoding.UTF8.GetString(ReadInput("ids"))];
        var ids = new List<int>();
        foreach (var word in given.SelectMany(words => words.Split([' ', ',', '\n', '\r', '\t', '[', ']'], StringSplitOptions.RemoveEmptyEntries)))
        {
            if (!int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var id) || id >= tokenizer.VocabularySize)
            {
                throw new InputException($"'{word}' is no id of this tokenizer: give numbers from 0 to {tokenizer.VocabularySize - 1}.");
            }

            ids.Add(id);
        }

        var bytes = tokenizer.Decode([.. ids], parsed.GetValue(Special));
        if (parsed.GetValue(Json))
        {
            Console.WriteLine(JsonSerializer.Serialize(new DecodedText(Encoding.UTF8.GetString(bytes), bytes.Length), DataJson.Default.DecodedText));
            return ExitCode.Success;
        }

        using var output = Console.OpenStandardOutput();
        output.Write(bytes);
        if (!Console.IsOutputRedirected)
        {
            output.Write("\n"u8);
        }

        return ExitCode.Success;
    }

    private static byte[] ReadInput(string what)
    {
        if (!Console.IsInputRedirected)
        {
            throw new InputException($"nothing to work on: give {what} as an argument, or send it in.");
        }

        using var input = Console.OpenStandardInput();
        using var content = new MemoryStream();
        input.CopyTo(content);
        return content.ToArray();
    }
}
