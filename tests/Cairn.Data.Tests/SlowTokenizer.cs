using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Cairn.Data.Tests;

/// <summary>What a tokenizer.json means, done the slow and plain way with strings, regular expressions and lists: what the real tokenizer is held against. Composition
/// (NFC) has golden values of its own and is taken as given.</summary>
internal sealed class SlowTokenizer(JsonNode file)
{
    private readonly Dictionary<string, int> _ids = file["model"]!["vocab"]!.AsObject().ToDictionary(entry => entry.Key, entry => (int)entry.Value!);

    private readonly Dictionary<(string, string), int> _ranks = file["model"]!["merges"]!.AsArray()
        .Select((merge, rank) => (Pair: merge is JsonArray pair ? ((string)pair[0]!, (string)pair[1]!) : Two((string)merge!), rank))
        .ToDictionary(merge => merge.Pair, merge => merge.rank);

    private readonly List<JsonNode> _added = [.. file["added_tokens"]!.AsArray().Select(token => token!)];

    public List<int> Encode(string text, bool special)
    {
        var (ids, first) = (new List<int>(), true);
        while (text.Length > 0)
        {
            // The leftmost name of an added token, of those the longest.
            var next = _added.Where(token => special || !(bool)token["special"]!)
                .Select(token => (At: text.IndexOf((string)token["content"]!, StringComparison.Ordinal), Name: (string)token["content"]!, Id: (int)token["id"]!))
                .Where(found => found.At >= 0).OrderBy(found => found.At).ThenByDescending(found => found.Name.Length).FirstOrDefault((text.Length, "", -1));
            if (next.Item1 > 0)
            {
                ids.AddRange(Segment(text[..next.Item1], first));
            }

            if (next.Item3 >= 0)
            {
                ids.Add(next.Item3);
            }

            (text, first) = (text[(next.Item1 + next.Item2.Length)..], false);
        }

        return ids;
    }

    private static (string, string) Two(string merge) => (merge.Split(' ')[0], merge.Split(' ')[1]);

    private IEnumerable<int> Segment(string text, bool first)
    {
        foreach (var step in Steps(file["normalizer"], "normalizers"))
        {
            text = (string)step["type"]! switch
            {
                "NFC" => Encoding.UTF8.GetString(Composition.Compose(Encoding.UTF8.GetBytes(text))),
                "Prepend" => (string)step["prepend"]! + text,
                _ => text.Replace((string)step["pattern"]!["String"]!, (string)step["content"]!, StringComparison.Ordinal),
            };
        }

        List<string> words = [text];
        foreach (var step in Steps(file["pre_tokenizer"], "pretokenizers"))
        {
            words = [.. words.SelectMany(word => Cut(step, word, first))];
        }

        return words.SelectMany(Merge);
    }

    private static IEnumerable<JsonNode> Steps(JsonNode? step, string parts) =>
        step is null ? [] : (string)step["type"]! == "Sequence" ? step[parts]!.AsArray().Select(part => part!) : [step];

    private static IEnumerable<string> Cut(JsonNode step, string word, bool first)
    {
        const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
        switch ((string)step["type"]!)
        {
            case "Metaspace":
                return [((string)step["prepend_scheme"]! == "always" || first ? "▁" : "") + word.Replace(' ', '▁')];
            case "Split" when step["pattern"]!["Regex"] is { } pattern:
                return PreTokenizerTests.Build((string)pattern!).Matches(word).Select(match => match.Value);
            case "Split":
                // MergedWithPrevious: a space ends its piece.
                return Regex.Matches(word, "[^ ]* |[^ ]+").Select(match => match.Value);
            default:
                var pieces = step["use_regex"] is null || (bool)step["use_regex"]! ? Regex.Matches(word, Gpt2).Select(match => match.Value) : [word];
                return pieces.Select(piece => string.Concat(Encoding.UTF8.GetBytes(piece).Select(value => ByteAlphabet.ToText([value]))));
        }
    }

    private List<int> Merge(string word)
    {
        if ((bool)file["model"]!["ignore_merges"]! && _ids.TryGetValue(word, out var whole))
        {
            return [whole];
        }

        var pieces = word.EnumerateRunes().SelectMany(rune => _ids.ContainsKey(rune.ToString())
            ? (IEnumerable<string>)[rune.ToString()]
            : Encoding.UTF8.GetBytes(rune.ToString()).Select(value => $"<0x{value:X2}>")).ToList();
        while (true)
        {
            var best = Enumerable.Range(0, Math.Max(0, pieces.Count - 1)).Where(at => _ranks.ContainsKey((pieces[at], pieces[at + 1])))
                .OrderBy(at => _ranks[(pieces[at], pieces[at + 1])]).ThenBy(at => at).FirstOrDefault(-1);
            if (best < 0)
            {
                return [.. pieces.Select(piece => _ids[piece])];
            }

            pieces[best] += pieces[best + 1];
            pieces.RemoveAt(best + 1);
        }
    }
}
