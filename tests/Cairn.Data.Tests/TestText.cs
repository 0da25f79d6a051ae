using System.Text;
using Cairn.Base;

namespace Cairn.Data.Tests;

/// <summary>Small texts that every test can make without a file.</summary>
internal static class TestText
{
    private static readonly string[] Subjects = ["The stone", "A traveller", "The river", "An old bridge", "The cairn", "Every peer", "No validator"];
    private static readonly string[] Verbs = ["carries", "finds", "doesn't see", "crosses", "remembers", "isn't", "counts"];
    private static readonly string[] Objects = ["the path", "12345 stones", "a friend's house", "nothing at all", "naïve café tables", "the hill, slowly", "\"home\""];

    public static string Sentence(ref SeededRandom random) =>
        $"{Subjects[random.NextBelow(Subjects.Length)]} {Verbs[random.NextBelow(Verbs.Length)]} {Objects[random.NextBelow(Objects.Length)]}.";

    public static Corpus Corpus(ulong seed = 1, int documents = 400)
    {
        var random = new SeededRandom(seed, "test-corpus");
        var list = new List<Document>();
        for (var i = 0; i < documents; i++)
        {
            var text = new StringBuilder();
            for (var line = 0; line < 3; line++)
            {
                text.Append(Sentence(ref random)).Append(line < 2 ? " " : "\n");
            }

            list.Add(new Document(Encoding.UTF8.GetBytes(text.ToString()), i % 20 == 3));
        }

        return new Corpus(list, "test");
    }

    public static byte[] RandomBytes(ref SeededRandom random, int lengthMax)
    {
        // Half the time text with damage, half the time plain noise.
        var bytes = random.NextBelow(2) == 0
            ? new byte[random.NextBelow(lengthMax + 1)]
            : Encoding.UTF8.GetBytes(Sentence(ref random) + " 𝔘nicode\u00a0\u2003ſ 漢字 \r\n\r\n 9٣४ ");
        for (var i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == 0 || random.NextBelow(20) == 0)
            {
                bytes[i] = (byte)random.NextBelow(256);
            }
        }

        return bytes;
    }
}
