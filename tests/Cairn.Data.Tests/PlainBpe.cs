using System.Text;

namespace Cairn.Data.Tests;

/// <summary>Byte pair encoding as the paper writes it, without any table kept between steps: the truth for the fast code.</summary>
internal static class PlainBpe
{
    public static List<byte[]> Train(Corpus corpus, int merges)
    {
        var words = Words(corpus);
        var tokens = new List<byte[]>();
        for (var merge = 0; merge < merges; merge++)
        {
            var counts = new Dictionary<(int, int), int>();
            foreach (var word in words)
            {
                for (var i = 0; i + 1 < word.Count; i++)
                {
                    counts[(word[i], word[i + 1])] = counts.GetValueOrDefault((word[i], word[i + 1])) + 1;
                }
            }

            var best = counts.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key).First().Key;
            byte[] bytes = [.. Bytes(tokens, best.Item1), .. Bytes(tokens, best.Item2)];
            tokens.Add(bytes);
            foreach (var word in words)
            {
                Replace(word, best, 256 + tokens.Count);
            }
        }

        return tokens;
    }

    public static int[] Encode(byte[] word, MergeTable merges)
    {
        var ids = word.Select(value => (int)value).ToList();
        while (true)
        {
            var (best, at) = (MergeTable.None, -1);
            for (var i = 0; i + 1 < ids.Count; i++)
            {
                var rank = merges.Rank(ids[i], ids[i + 1], out _);
                (best, at) = rank < best ? (rank, i) : (best, at);
            }

            if (at < 0)
            {
                return [.. ids];
            }

            merges.Rank(ids[at], ids[at + 1], out var result);
            ids[at] = result;
            ids.RemoveAt(at + 1);
        }
    }

    private static List<List<int>> Words(Corpus corpus)
    {
        var words = new List<List<int>>();
        foreach (var document in corpus.Documents.Where(document => !document.HeldOut))
        {
            foreach (System.Text.RegularExpressions.Match match in PreTokenizerTests.Regex.Matches(Encoding.UTF8.GetString(document.Text.Span)))
            {
                words.Add([.. Encoding.UTF8.GetBytes(match.Value).Select(value => (int)value)]);
            }
        }

        return words;
    }

    private static byte[] Bytes(List<byte[]> tokens, int id) => id < 256 ? [(byte)id] : tokens[id - 257];

    private static void Replace(List<int> word, (int Left, int Right) pair, int id)
    {
        for (var i = 0; i + 1 < word.Count; i++)
        {
            if ((word[i], word[i + 1]) == pair)
            {
                word[i] = id;
                word.RemoveAt(i + 1);
            }
        }
    }
}
