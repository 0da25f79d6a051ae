using System.Globalization;
using System.Runtime.ExceptionServices;
using Cairn.Base;

namespace Cairn.Inference;

/// <summary>What stands behind a bar.</summary>
internal static class TemplateFilters
{
    private static readonly HashSet<string> Names =
    [
        "trim", "tojson", "length", "count", "upper", "lower", "title", "capitalize", "replace", "default", "d", "join", "first", "last", "list", "string", "int",
        "float", "abs", "items", "dictsort", "map", "select", "reject", "selectattr", "rejectattr", "safe", "e", "escape", "reverse", "sort", "unique", "sum", "min",
        "max", "indent", "round",
    ];

    /// <summary>True if there is such a filter.</summary>
    public static bool Has(string name) => Names.Contains(name);

    /// <summary>Applies a filter.</summary>
    /// <exception cref="Cairn.Base.InputException">It means nothing for such a value.</exception>
    public static object? Apply(TemplateRun run, string name, object? value, TemplateArguments given) => name switch
    {
        "default" or "d" => value is TemplateUndefined || (TemplateValues.IsTrue(given.Get(1, "boolean")) && !TemplateValues.IsTrue(value))
            ? given.Get(0, "default_value", "") : value,
        "tojson" => TemplateText.Json(run, value, given.Get(0, "indent") is { } spaces && TemplateValues.IsWhole(spaces, out var indent) ? indent : null),
        "length" or "count" => Length(run, value),
        "join" => TemplateMethods.Join(run, given.Get(0, "d") as string ?? "", Attributes(run, value, given.Get(1, "attribute"))),
        "first" => value is string ? TemplateValues.Part(run, value, 0L) : TemplateValues.Items(run, value) is [var first, ..] ? first : new TemplateUndefined("first"),
        "last" => value is string ? TemplateValues.Part(run, value, -1L) : TemplateValues.Items(run, value) is [.., var last] ? last : new TemplateUndefined("last"),
        "list" => TemplateValues.Items(run, value).ToList(),
        "string" or "safe" => TemplateText.Of(run, value),
        "int" => Whole(run, value, given.Get(0, "default", 0L)),
        "float" => Real(run, value, given.Get(0, "default", 0.0)),
        "abs" or "round" => Number(run, name, value),
        "items" => value is TemplateUndefined ? new List<object?>() : Method(run, value, "items", given),
        "dictsort" => Sorted(run, (List<object?>)Method(run, value, "items", TemplateArguments.None)!, item => ((List<object?>)item!)[0]),
        "map" => Mapped(run, value, given),
        "select" => Chosen(run, value, given, 0, item => item, wanted: true),
        "reject" => Chosen(run, value, given, 0, item => item, wanted: false),
        "selectattr" => Chosen(run, value, given, 1, item => TemplateValues.Part(run, item, given.Get(0, "attribute")), wanted: true),
        "rejectattr" => Chosen(run, value, given, 1, item => TemplateValues.Part(run, item, given.Get(0, "attribute")), wanted: false),
        "reverse" => Reversed(run, value),
        "sort" => Sorted(run, TemplateValues.Items(run, value), item => given.Get(2, "attribute") is { } key ? TemplateValues.Part(run, item, key) : item),
        "unique" => Unique(run, TemplateValues.Items(run, value)),
        "sum" => Attributes(run, value, given.Get(0, "attribute")).Aggregate((object?)0L, (sum, item) => TemplateArithmetic.Apply(run, "+", sum, item)),
        "min" => Sorted(run, TemplateValues.Items(run, value), item => item) is [var least, ..] ? least : new TemplateUndefined("min"),
        "max" => Sorted(run, TemplateValues.Items(run, value), item => item) is [.., var most] ? most : new TemplateUndefined("max"),
        _ => OfText(run, name, TemplateText.Of(run, value), given),
    };

    private static object? OfText(TemplateRun run, string name, string text, TemplateArguments given)
    {
        run.Charge(text.Length);
        return name switch
        {
            "trim" => TemplateMethods.Strip(run, text, given.Get(0, "chars")),
            "upper" => text.ToUpperInvariant(),
            "lower" => TemplateMethods.Small(run, text),
            "title" => TemplateMethods.Title(run, text),
            "capitalize" => TemplateMethods.Capitalize(run, text),
            "replace" => TemplateMethods.Replace(run, text, given),
            "indent" => Indented(run, text, given),
            _ => Escaped(run, text),
        };
    }

    private static string Escaped(TemplateRun run, string text)
    {
        run.Charge(5L * text.AsSpan().CountAny("&<>\"'"));
        return text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal)
            .Replace("\"", "&#34;", StringComparison.Ordinal).Replace("'", "&#39;", StringComparison.Ordinal);
    }

    private static long Length(TemplateRun run, object? value)
    {
        run.Charge((value as string)?.Length ?? 0);
        return value switch
        {
            string text => TemplateText.Length(text),
            List<object?> list => list.Count,
            TemplateMap map => map.Entries.Count,
            TemplateUndefined => 0,
            _ => throw run.Refused($"{TemplateValues.KindOf(value)} has no length"),
        };
    }

    private static object? Whole(TemplateRun run, object? value, object? otherwise)
    {
        run.Charge((value as string)?.Length ?? 0);
        return TemplateValues.IsWhole(value, out var whole) ? whole
            : value is double real && Math.Abs(real) < 1e15 ? (long)real
            : long.TryParse(value as string, NumberStyles.Integer, CultureInfo.InvariantCulture, out whole) ? whole
            : otherwise;
    }

    private static object? Real(TemplateRun run, object? value, object? otherwise)
    {
        run.Charge((value as string)?.Length ?? 0);
        return TemplateValues.IsNumber(value, out var real) ? real
            : double.TryParse(value as string, NumberStyles.Float, CultureInfo.InvariantCulture, out real) ? real
            : otherwise;
    }

    private static object Number(TemplateRun run, string name, object? value) => TemplateValues.IsWhole(value, out var whole) && whole != long.MinValue
        ? name == "abs" ? Math.Abs(whole) : (object)(double)whole
        : value is double real ? name == "abs" ? Math.Abs(real) : Math.Round(real, MidpointRounding.ToEven)
        : throw run.Refused($"{TemplateValues.KindOf(value)} is no number");

    private static object? Method(TemplateRun run, object? value, string name, TemplateArguments given) =>
        value is TemplateMap && TemplateMethods.TryCall(run, value, name, given, out var result) ? result
        : throw run.Refused($"{TemplateValues.KindOf(value)} is no map");

    private static List<object?> Attributes(TemplateRun run, object? value, object? key)
    {
        var items = TemplateValues.Items(run, value);
        return key is null ? items : items.ConvertAll(item => TemplateValues.Part(run, item, key));
    }

    private static List<object?> Mapped(TemplateRun run, object? value, TemplateArguments given)
    {
        if (given.Names.TryGetValue("attribute", out var key))
        {
            return Attributes(run, value, key);
        }

        var filter = given.Get(0, "filter") as string;
        if (filter is null || !Has(filter))
        {
            throw run.Refused($"there is no filter '{filter}'");
        }

        var rest = given with { Places = [.. given.Places.Skip(1)] };
        return TemplateValues.Items(run, value).ConvertAll(item => Nested(run, () => Apply(run, filter, item, rest)));
    }

    private static List<object?> Chosen(TemplateRun run, object? value, TemplateArguments given, int testAt, Func<object?, object?> of, bool wanted)
    {
        var kind = given.Get(testAt, "test") as string;
        if (kind is not null && !TemplateKinds.Has(kind))
        {
            throw run.Refused($"nothing is '{kind}'");
        }

        var rest = given with { Places = [.. given.Places.Skip(testAt + 1)] };
        return TemplateValues.Items(run, value)
            .FindAll(item => (kind is null ? TemplateValues.IsTrue(of(item)) : TemplateKinds.Is(run, kind, of(item), rest)) == wanted);
    }

    private static object Reversed(TemplateRun run, object? value)
    {
        var items = TemplateValues.Items(run, value).ToList();
        items.Reverse();
        return value is string ? TemplateMethods.Join(run, "", items) : items;
    }

    // Equals stay in their order; each comparison is counted.
    private static List<object?> Sorted(TemplateRun run, List<object?> items, Func<object?, object?> key)
    {
        run.ChargeItems(items.Count);
        try
        {
            return [.. items.Order(Comparer<object?>.Create((left, right) => TemplateValues.Compare(run, key(left), key(right))))];
        }
        catch (InvalidOperationException e) when (e.InnerException is InputException or OperationCanceledException)
        {
            // A sort wraps what a comparison throws.
            ExceptionDispatchInfo.Throw(e.InnerException);
            throw;
        }
    }

    private static List<object?> Unique(TemplateRun run, List<object?> items)
    {
        var found = new List<object?>();
        foreach (var item in items)
        {
            if (!found.Exists(other => TemplateValues.AreEqual(run, other, item)))
            {
                found.Add(item);
            }
        }

        return found;
    }

    private static string Indented(TemplateRun run, string text, TemplateArguments given)
    {
        var margin = given.Get(0, "width") is string own ? own
            : new string(' ', TemplateValues.IsWhole(given.Get(0, "width", 4L), out var width) ? (int)Math.Clamp(width, 0, 256) : 4);
        run.ChargeItems(text.AsSpan().Count('\n'));
        var lines = text.Split('\n');
        run.Charge((long)lines.Length * margin.Length);
        var (first, blank) = (TemplateValues.IsTrue(given.Get(1, "first")), TemplateValues.IsTrue(given.Get(2, "blank")));
        return string.Join('\n', lines.Select((line, at) => (at == 0 && !first) || (at > 0 && line.Length == 0 && !blank) ? line : margin + line));
    }

    private static T Nested<T>(TemplateRun run, Func<T> inside)
    {
        run.Deepen();
        var value = inside();
        run.Leave();
        return value;
    }
}
