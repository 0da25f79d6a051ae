using System.Text;
using Cairn.Base;

namespace Cairn.Node.Tests;

/// <summary>A small language of its own: invented words in sentences of a fixed grammar, always the same.</summary>
internal static class TestCorpus
{
    private static readonly string[] Syllables = ["ka", "lo", "mi", "ren", "tu", "sha", "vel", "or", "din", "pe", "gul", "as"];

    /// <summary>Writes about 90 KB of text.</summary>
    /// <returns>The path.</returns>
    public static string Write(string path)
    {
        var random = new SeededRandom(7, "test-corpus");
        var (subjects, verbs, things) = (Words(40, ref random), Words(30, ref random), Words(60, ref random));
        var text = new StringBuilder();
        for (var line = 0; text.Length < 90_000; line++)
        {
            text.Append($"The {Pick(subjects, ref random)} {Pick(verbs, ref random)}s the {Pick(things, ref random)} of {random.NextBelow(30)} {Pick(things, ref random)}s.\n");
            if (line % 12 == 11)
            {
                text.Append('\n');
            }
        }

        File.WriteAllText(path, text.ToString());
        return path;
    }

    // The smaller of two draws: some words are common, most are rare.
    private static string Pick(string[] words, ref SeededRandom random) =>
        words[Math.Min(random.NextBelow(words.Length), random.NextBelow(words.Length))];

    private static string[] Words(int count, ref SeededRandom random)
    {
        var words = new string[count];
        for (var i = 0; i < count; i++)
        {
            for (var s = 2 + random.NextBelow(2); s > 0; s--)
            {
                words[i] += Syllables[random.NextBelow(Syllables.Length)];
            }
        }

        return words;
    }
}
