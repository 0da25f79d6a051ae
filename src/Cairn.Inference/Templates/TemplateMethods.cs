namespace Cairn.Inference;

/// <summary>The methods of Python's texts and maps that templates call. Nothing here changes a value.</summary>
internal static class TemplateMethods
{
    /// <summary>Calls a method.</summary>
    /// <param name="run">The rendering.</param>
    /// <param name="whole">Of what.</param>
    /// <param name="name">Which.</param>
    /// <param name="given">With what.</param>
    /// <param name="result">What it gives.</param>
    /// <returns>False if such a value has no such method.</returns>
    public static bool TryCall(TemplateRun run, object? whole, string name, TemplateArguments given, out object? result)
    {
        object? missing = null;
        result = whole switch
        {
            string text => OfText(run, text, name, given, ref missing),
            TemplateMap map => OfMap(run, map, name, given, ref missing),
            List<object?> list => OfList(run, list, name, given, ref missing),
            TemplateLoop loop when name == "cycle" => loop.Cycle(run, given),
            _ => missing = name,
        };
        return missing is null;
    }

    /// <summary>Text without characters at its ends.</summary>
    public static string Strip(TemplateRun run, string text, object? characters, bool begin = true, bool end = true)
    {
        run.Charge(text.Length);
        var (from, to) = (0, text.Length);
        var goes = Chosen(run, characters as string);
        while (begin && from < to && goes(text[from]))
        {
            from++;
        }

        while (end && from < to && goes(text[to - 1]))
        {
            to--;
        }

        return text[from..to];
    }

    // Blanks, or the characters of a set, however many they are.
    private static Func<char, bool> Chosen(TemplateRun run, string? characters)
    {
        if (characters is null)
        {
            return char.IsWhiteSpace;
        }

        run.ChargeItems(characters.Length);
        HashSet<char> set = [.. characters];
        return set.Contains;
    }

    /// <summary>Text with another in the place of a piece.</summary>
    public static string Replace(TemplateRun run, string text, TemplateArguments given)
    {
        var (old, fresh) = (Text(run, given, 0, "old"), Text(run, given, 1, "new"));
        var count = TemplateValues.IsWhole(given.Get(2, "count"), out var most) && most >= 0 ? most : long.MaxValue;
        if (old.Length == 0)
        {
            throw run.Refused("'replace' looks for an empty text");
        }

        var parts = Split(run, text, old, count);
        run.Charge((long)fresh.Length * parts.Count);
        return string.Join(fresh, parts);
    }

    /// <summary>Each word with a capital.</summary>
    public static string Title(TemplateRun run, string text)
    {
        run.Charge(text.Length);
        var letters = text.ToCharArray();
        for (var i = 0; i < letters.Length; i++)
        {
            letters[i] = i > 0 && char.IsLetter(letters[i - 1]) ? char.ToLowerInvariant(letters[i]) : char.ToUpperInvariant(letters[i]);
        }

        return new string(letters);
    }

    /// <summary>The first letter large, all others small.</summary>
    public static string Capitalize(TemplateRun run, string text)
    {
        run.Charge(text.Length);
        return text.Length == 0 ? text : text[..1].ToUpperInvariant() + Small(run, text[1..]);
    }

    /// <summary>All letters small.</summary>
    public static string Small(TemplateRun run, string text)
    {
        run.Charge(text.Length);
        return string.Create(text.Length, text, (letters, from) => from.AsSpan().ToLowerInvariant(letters));
    }

    private static object? OfText(TemplateRun run, string text, string name, TemplateArguments given, ref object? missing)
    {
        // The ends of a text are seen without going through it, and a search counts for itself.
        run.Charge(name is "startswith" or "endswith" or "find" ? 0 : text.Length);
        return name switch
        {
            "strip" => Strip(run, text, given.Get(0, "chars")),
            "lstrip" => Strip(run, text, given.Get(0, "chars"), end: false),
            "rstrip" => Strip(run, text, given.Get(0, "chars"), begin: false),
            "upper" => text.ToUpperInvariant(),
            "lower" => Small(run, text),
            "title" => Title(run, text),
            "capitalize" => Capitalize(run, text),
            "replace" => Replace(run, text, given),
            "startswith" => Starts(run, text, given, (one, piece) => one.StartsWith(piece, StringComparison.Ordinal)),
            "endswith" => Starts(run, text, given, (one, piece) => one.EndsWith(piece, StringComparison.Ordinal)),
            "removeprefix" => Text(run, given, 0, "prefix") is var front && text.StartsWith(front, StringComparison.Ordinal) ? text[front.Length..] : text,
            "removesuffix" => Text(run, given, 0, "suffix") is var back && text.EndsWith(back, StringComparison.Ordinal) ? text[..^back.Length] : text,
            "find" => (long)new TextSearch(run, Text(run, given, 0, "sub")).In(text),
            "count" => (long)Split(run, text, NotEmpty(run, given), long.MaxValue).Count - 1,
            "split" => Cut(run, text, given, fromEnd: false),
            "rsplit" => Cut(run, text, given, fromEnd: true),
            "splitlines" => Lines(run, text),
            "join" => Join(run, text, given.Get(0, "iterable")),
            "isdigit" => text.Length > 0 && text.All(char.IsDigit),
            "isspace" => text.Length > 0 && text.All(char.IsWhiteSpace),
            _ => missing = name,
        };
    }

    private static object? OfMap(TemplateRun run, TemplateMap map, string name, TemplateArguments given, ref object? missing)
    {
        // Of items each is a list.
        run.ChargeItems(map.Entries.Count * (name == "items" ? 4L : 1));
        return name switch
        {
            "items" => map.Entries.Select(entry => (object?)new List<object?> { entry.Key, entry.Value }).ToList(),
            "keys" => map.Entries.Select(entry => (object?)entry.Key).ToList(),
            "values" => map.Entries.Select(entry => entry.Value).ToList(),
            "get" => given.Get(0, "key") is string key && TemplateValues.TryGet(run, map, key, out var value) ? value : given.Get(1, "default"),
            _ => missing = name,
        };
    }

    private static object? OfList(TemplateRun run, List<object?> list, string name, TemplateArguments given, ref object? missing)
    {
        var wanted = given.Get(0, "value");
        return name switch
        {
            "index" => list.FindIndex(item => TemplateValues.AreEqual(run, item, wanted)) is >= 0 and var at ? (long)at
                : throw run.Refused("a list lacks what it is searched for"),
            "count" => (long)list.Count(item => TemplateValues.AreEqual(run, item, wanted)),
            "append" or "extend" or "insert" or "pop" => throw run.Refused($"'{name}' would change a list"),
            _ => missing = name,
        };
    }

    private static bool Starts(TemplateRun run, string text, TemplateArguments given, Func<string, string, bool> holds)
    {
        bool Holds(object? piece)
        {
            run.Step();
            run.Charge(Math.Min(text.Length, (piece as string)?.Length ?? 0));
            return piece is string one && holds(text, one);
        }

        return given.Get(0, "prefix") switch
        {
            string piece => Holds(piece),
            List<object?> pieces => pieces.Exists(Holds),
            var other => throw run.Refused($"{TemplateValues.KindOf(other)} begins or ends no text"),
        };
    }

    /// <summary>The items of a list as one text.</summary>
    public static string Join(TemplateRun run, string between, object? items)
    {
        var texts = TemplateValues.Items(run, items).ConvertAll(item => TemplateText.Of(run, item));
        run.Charge(texts.Sum(text => (long)text.Length + between.Length));
        return string.Join(between, texts);
    }

    private static List<object?> Cut(TemplateRun run, string text, TemplateArguments given, bool fromEnd)
    {
        var most = TemplateValues.IsWhole(given.Get(1, "maxsplit"), out var cuts) && cuts >= 0 ? cuts : long.MaxValue;
        var parts = given.Get(0, "sep") is null
            ? Words(run, text)
            : Split(run, text, NotEmpty(run, given), fromEnd ? long.MaxValue : most);
        if (fromEnd && parts.Count - 1 > most)
        {
            var kept = parts.Count - (int)most;
            parts = [string.Join(NotEmpty(run, given), parts.Take(kept)), .. parts.Skip(kept)];
        }

        return [.. parts];
    }

    private static List<string> Words(TemplateRun run, string text)
    {
        var words = new List<string>();
        foreach (var range in text.AsSpan().SplitAny([]))
        {
            if (!range.Start.Equals(range.End))
            {
                run.ChargeItems(1);
                words.Add(text[range]);
            }
        }

        return words;
    }

    private static List<string> Split(TemplateRun run, string text, string between, long cutsMax)
    {
        var (parts, search) = (new List<string>(), new TextSearch(run, between));
        var from = 0;
        while (parts.Count < cutsMax && search.In(text, from) is >= 0 and var at)
        {
            run.Step();
            parts.Add(text[from..at]);
            from = at + between.Length;
        }

        parts.Add(text[from..]);
        return parts;
    }

    private static List<object?> Lines(TemplateRun run, string text)
    {
        var lines = Split(run, text.Replace("\r\n", "\n", StringComparison.Ordinal), "\n", long.MaxValue);
        return [.. lines[^1].Length == 0 ? lines.Take(lines.Count - 1) : lines];
    }

    private static string NotEmpty(TemplateRun run, TemplateArguments given) =>
        Text(run, given, 0, "sep") is { Length: > 0 } text ? text : throw run.Refused("a text is cut at an empty one");

    private static string Text(TemplateRun run, TemplateArguments given, int place, string name) =>
        given.Get(place, name) as string ?? throw run.Refused($"'{name}' must be a text");
}
