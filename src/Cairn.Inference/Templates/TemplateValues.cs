namespace Cairn.Inference;

/// <summary>What a name means that nobody gave a value: writes nothing, is false, and has no parts.</summary>
/// <param name="Name">For refusals.</param>
internal sealed record TemplateUndefined(string Name);

/// <summary>Names with values, in the order in which they came.</summary>
internal sealed class TemplateMap
{
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);
    private readonly List<KeyValuePair<string, object?>> _entries = [];

    public IReadOnlyList<KeyValuePair<string, object?>> Entries => _entries;

    public object? this[string name]
    {
        set
        {
            if (_places.TryAdd(name, _entries.Count))
            {
                _entries.Add(new(name, value));
            }
            else
            {
                _entries[_places[name]] = new(name, value);
            }
        }
    }

    public bool TryGet(string name, out object? value)
    {
        var found = _places.TryGetValue(name, out var place);
        value = found ? _entries[place].Value : null;
        return found;
    }
}

/// <summary>What <c>namespace()</c> gives: values that a loop may change and that stay changed after it.</summary>
internal sealed class TemplateNamespace
{
    public Dictionary<string, object?> Values { get; } = new(StringComparer.Ordinal);
}

/// <summary>What is given to a function, a filter or a method.</summary>
/// <param name="Places">In order.</param>
/// <param name="Names">By name.</param>
internal sealed record TemplateArguments(IReadOnlyList<object?> Places, IReadOnlyDictionary<string, object?> Names)
{
    public static TemplateArguments None { get; } = new([], new Dictionary<string, object?>());

    public object? Get(int place, string name, object? otherwise = null) =>
        place < Places.Count ? Places[place] : Names.TryGetValue(name, out var value) ? value : otherwise;
}

/// <summary>Something that can be called.</summary>
internal delegate object? TemplateFunction(TemplateRun run, TemplateArguments arguments);

/// <summary>What values are and how they compare.</summary>
internal static class TemplateValues
{
    /// <summary>True unless none, undefined, false, zero or empty.</summary>
    public static bool IsTrue(object? value) => value switch
    {
        null or TemplateUndefined => false,
        bool flag => flag,
        long number => number != 0,
        double number => number != 0,
        string text => text.Length > 0,
        List<object?> list => list.Count > 0,
        TemplateMap map => map.Entries.Count > 0,
        _ => true,
    };

    /// <summary>The value as a whole number.</summary>
    public static bool IsWhole(object? value, out long number)
    {
        number = value switch { long whole => whole, bool flag => flag ? 1 : 0, _ => 0 };
        return value is long or bool;
    }

    /// <summary>The value as a number.</summary>
    public static bool IsNumber(object? value, out double number)
    {
        number = value is double real ? real : IsWhole(value, out var whole) ? whole : 0;
        return value is double or long or bool;
    }

    /// <summary>True for the same kind with the same content; numbers of all kinds are one kind.</summary>
    public static bool AreEqual(TemplateRun run, object? left, object? right)
    {
        run.Deepen();
        var equal = (left, right) switch
        {
            (null, null) or (TemplateUndefined, TemplateUndefined) => true,
            (string a, string b) => AreEqualTexts(run, a, b),
            (List<object?> a, List<object?> b) => a.Count == b.Count && a.Zip(b).All(pair => AreEqual(run, pair.First, pair.Second)),
            (TemplateMap a, TemplateMap b) => a.Entries.Count == b.Entries.Count
                && a.Entries.All(entry => TryGet(run, b, entry.Key, out var other) && AreEqual(run, entry.Value, other)),
            _ => IsNumber(left, out var one) && IsNumber(right, out var two) ? one == two : ReferenceEquals(left, right),
        };
        run.Leave();
        return equal;
    }

    /// <summary>Which of two comes first; a refusal if they cannot be ordered.</summary>
    public static int Compare(TemplateRun run, object? left, object? right)
    {
        run.Step();
        if (left is string a && right is string b)
        {
            run.ChargeComparison(a, b);
            return string.CompareOrdinal(a, b);
        }

        return IsNumber(left, out var one) && IsNumber(right, out var two) ? one.CompareTo(two)
            : throw run.Refused($"{KindOf(left)} and {KindOf(right)} have no order");
    }

    /// <summary>True if a value is part of another.</summary>
    public static bool Contains(TemplateRun run, object? whole, object? part)
    {
        switch (whole)
        {
            case string text:
                return part is string piece ? new TextSearch(run, piece).In(text) >= 0 : throw run.Refused($"{KindOf(part)} cannot be in a text");
            case TemplateMap map:
                return part is string name && TryGet(run, map, name, out _);
            case TemplateNamespace space:
                return part is string key && TryGet(run, space, key, out _);
            case TemplateUndefined:
                return false;
            default:
                return Items(run, whole).Exists(item => AreEqual(run, item, part));
        }
    }

    /// <summary>What a loop goes over: the items of a list, the names of a map, the characters of a text.</summary>
    public static List<object?> Items(TemplateRun run, object? value)
    {
        switch (value)
        {
            case List<object?> list:
                run.ChargeItems(list.Count);
                return list;
            case TemplateUndefined:
                return [];
            case TemplateMap map:
                run.ChargeItems(map.Entries.Count);
                return [.. map.Entries.Select(entry => (object?)entry.Key)];
            case string text:
                run.ChargeItems(text.Length);
                return [.. TemplateText.Characters(text)];
            default:
                throw run.Refused($"{KindOf(value)} has no items");
        }
    }

    /// <summary>A part by its name or place; undefined if there is none.</summary>
    public static object? Part(TemplateRun run, object? whole, object? key)
    {
        switch (whole)
        {
            case TemplateUndefined undefined:
                throw run.Refused($"'{undefined.Name}' is not defined");
            case TemplateMap map when key is string name && TryGet(run, map, name, out var value):
                return value;
            case TemplateNamespace space when key is string name && TryGet(run, space, name, out var value):
                return value;
            case TemplateLoop loop when key is string name:
                return loop.Part(name);
            case List<object?> list when IsWhole(key, out var at):
                at += at < 0 ? list.Count : 0;
                return at >= 0 && at < list.Count ? list[(int)at] : new TemplateUndefined("item");
            case string text when IsWhole(key, out var at):
                return TemplateText.Slice(run, text, at, at == -1 ? null : at + 1, null) is { Length: > 0 } one ? one : new TemplateUndefined("character");
            default:
                return new TemplateUndefined(key as string ?? "part");
        }
    }

    /// <summary>Items or characters from one place to before another.</summary>
    public static object Slice(TemplateRun run, object? whole, long? from, long? to, long? step)
    {
        switch (whole)
        {
            case string text:
                return TemplateText.Slice(run, text, from, to, step);
            case List<object?> list:
                run.ChargeItems(list.Count);
                return Slice(run, list, from, to, step);
            default:
                throw run.Refused($"{KindOf(whole)} cannot be cut");
        }
    }

    /// <summary>The items at the places that Python gives for such a slice.</summary>
    public static List<T> Slice<T>(TemplateRun run, IReadOnlyList<T> items, long? from, long? to, long? step)
    {
        var by = step ?? 1;
        if (by == 0)
        {
            throw run.Refused("a slice has steps of 0");
        }

        long Clamp(long? at, long otherwise) => at is not { } place ? otherwise
            : Math.Clamp(place < 0 ? place + items.Count : place, by > 0 ? 0 : -1, by > 0 ? items.Count : items.Count - 1);
        var (begin, end) = by > 0 ? (Clamp(from, 0), Clamp(to, items.Count)) : (Clamp(from, items.Count - 1), Clamp(to, -1));
        var slice = new List<T>();
        // A step beyond the end could wrap around.
        by = Math.Clamp(by, -items.Count - 1L, items.Count + 1L);
        for (var at = begin; by > 0 ? at < end : at > end; at += by)
        {
            slice.Add(items[(int)at]);
        }

        return slice;
    }

    /// <summary>The value of a name in a map; to look it up is to go through it.</summary>
    public static bool TryGet(TemplateRun run, TemplateMap map, string name, out object? value)
    {
        run.Charge(name.Length);
        return map.TryGet(name, out value);
    }

    private static bool TryGet(TemplateRun run, TemplateNamespace space, string name, out object? value)
    {
        run.Charge(name.Length);
        return space.Values.TryGetValue(name, out value);
    }

    private static bool AreEqualTexts(TemplateRun run, string left, string right)
    {
        run.ChargeComparison(left, right);
        return string.Equals(left, right, StringComparison.Ordinal);
    }

    /// <summary>What a value is, in words.</summary>
    public static string KindOf(object? value) => value switch
    {
        null => "none",
        TemplateUndefined undefined => $"'{undefined.Name}', which is not defined,",
        bool => "true or false",
        long or double => "a number",
        string => "a text",
        List<object?> => "a list",
        TemplateMap => "a map",
        _ => "such a thing",
    };
}
