using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Cairn.Base;
using Cairn.Data;

namespace Cairn.Bench;

/// <summary>The tokenizer: time to learn a vocabulary, speed from a cold start on natural text and on words that never repeat, speed back to bytes.</summary>
public static class TokenizerBenchmark
{
    private const int UniqueBytes = 4 << 20;
    private const int SyllablePlaces = 5;

    /// <summary>How the benchmark is listed.</summary>
    public static Benchmark Entry { get; } = new(
        "tokenizer", "Learning a vocabulary, and MB/s of encoding (cold, and on words that never repeat) and decoding on one thread.", Run);

    private static int Run(BenchmarkOptions options, TextWriter output)
    {
        var size = options.Elements > 0 ? checked((int)options.Elements) : options.Quick ? 1024 : 4096;
        var clock = Stopwatch.StartNew();
        var corpus = LoadCorpus();
        var bytes = corpus.TrainBytes + corpus.HeldOutBytes;
        output.WriteLine($"{corpus.Source}: {Mega(bytes)} MB in {corpus.Documents.Count} documents, read in {Fixed(clock.Elapsed.TotalSeconds)} s");
        var rounds = options.Quick ? 1 : 5;
        var result = Measure(corpus, size, rounds);
        output.WriteLine($"learn {result.Tokenizer.VocabularySize} tokens, all cores      {Fixed(result.TrainSeconds)} s wall, "
            + $"{Fixed(result.TrainProcessorSeconds)} s processor");
        output.WriteLine($"encode natural text, cold         {Mega(bytes / result.EncodeSeconds)} MB/s");
        output.WriteLine($"encode words that never repeat    {Mega(result.UniqueBytes / result.UniqueSeconds)} MB/s");
        output.WriteLine($"decode                            {Mega(bytes / result.DecodeSeconds)} MB/s");
        output.WriteLine($"{result.Ids} ids, {Fixed((double)bytes / result.Ids)} bytes per id; medians of {rounds}, one thread, processor time");
        output.WriteLine($"checksum {result.Checksum}: the same for any number of threads");
        if (options.Json)
        {
            output.WriteLine(Json(corpus, result));
        }

        return 0;
    }

    private static Result Measure(Corpus corpus, int size, int rounds)
    {
        Tokenizer? tokenizer = null;
        var (wall, processor) = (new List<double>(), new List<double>());
        var (encode, unique, decode) = (new List<double>(), new List<double>(), new List<double>());
        var words = UniqueWords();
        using var checksum = new Hasher("cairn/bench/tokenizer");
        var (ids, rare) = (new List<int>(), new List<int>());
        for (var round = 0; round < rounds; round++)
        {
            // A new tokenizer each round: it remembers no word.
            var clock = Stopwatch.StartNew();
            processor.Add(BenchClock.Seconds(1, () => tokenizer = BpeTrainer.Train(corpus, size)));
            wall.Add(clock.Elapsed.TotalSeconds);
            ids.Clear();
            encode.Add(BenchClock.Seconds(1, () => EncodeAll(tokenizer!, corpus, ids)));
            decode.Add(BenchClock.Seconds(1, () => tokenizer!.Decode(ids.ToArray())));
            rare.Clear();
            unique.Add(BenchClock.Seconds(1, () => tokenizer!.Encode(words, rare)));
        }

        checksum.Append(tokenizer!.Digest);
        ids.ForEach(id => checksum.Append(id));
        rare.ForEach(id => checksum.Append(id));
        return new Result(
            tokenizer, BenchClock.Median(wall), BenchClock.Median(processor), BenchClock.Median(encode), BenchClock.Median(unique), BenchClock.Median(decode),
            words.Length, ids.Count, checksum.Finish());
    }

    private static void EncodeAll(Tokenizer tokenizer, Corpus corpus, List<int> ids)
    {
        foreach (var document in corpus.Documents)
        {
            tokenizer.Encode(document.Text.Span, ids);
        }
    }

    // Where no SDK is installed, text from a seed stands in: the speeds then say less about natural text.
    private static Corpus LoadCorpus()
    {
        try
        {
            return Corpus.Load(new CorpusOptions());
        }
        catch (InputException)
        {
            var words = UniqueWords();
            return new Corpus([new Document(words.AsMemory(0, words.Length / 2), false), new Document(words.AsMemory(words.Length / 2), true)], "words from a seed");
        }
    }

    // Five syllables each, no word twice: a permutation of all of them, read from its beginning.
    private static byte[] UniqueWords()
    {
        const string Consonants = "bcdfghjklmnprstvwxyz";
        const string Vowels = "aeiou";
        var order = new SeededPermutation((long)Math.Pow(Consonants.Length * Vowels.Length, SyllablePlaces), 1, "bench/words", 0);
        var text = new StringBuilder(UniqueBytes);
        for (var place = 0L; text.Length < UniqueBytes; place++)
        {
            var word = order.At(place);
            for (var syllable = 0; syllable < SyllablePlaces; syllable++)
            {
                text.Append(Consonants[(int)(word % Consonants.Length)]);
                word /= Consonants.Length;
                text.Append(Vowels[(int)(word % Vowels.Length)]);
                word /= Vowels.Length;
            }

            text.Append(' ');
        }

        return Encoding.ASCII.GetBytes(text.ToString());
    }

    private static string Json(Corpus corpus, Result result)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            var textBytes = corpus.TrainBytes + corpus.HeldOutBytes;
            json.WriteStartObject();
            json.WriteString("benchmark", "tokenizer");
            json.WriteString("checksum", result.Checksum.ToString());
            json.WriteNumber("vocabularySize", result.Tokenizer.VocabularySize);
            json.WriteNumber("textBytes", textBytes);
            json.WriteNumber("tokens", result.Ids);
            json.WriteNumber("trainSeconds", Math.Round(result.TrainSeconds, 3));
            json.WriteNumber("encodeColdMegabytesPerSecond", Math.Round(textBytes / result.EncodeSeconds / 1e6, 1));
            json.WriteNumber("encodeUniqueMegabytesPerSecond", Math.Round(result.UniqueBytes / result.UniqueSeconds / 1e6, 1));
            json.WriteNumber("decodeMegabytesPerSecond", Math.Round(textBytes / result.DecodeSeconds / 1e6, 1));
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    private static string Mega(double bytes) => Fixed(bytes / 1e6);

    private static string Fixed(double value) => value.ToString("F2", CultureInfo.InvariantCulture);

    private sealed record Result(
        Tokenizer Tokenizer, double TrainSeconds, double TrainProcessorSeconds, double EncodeSeconds, double UniqueSeconds, double DecodeSeconds, int UniqueBytes,
        int Ids, Digest Checksum);
}
