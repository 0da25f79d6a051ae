using System.Globalization;
using System.Text;

namespace Cairn.Inference;

/// <summary>Values as text, as Python and JSON write them; characters are code points.</summary>
internal static class TemplateText
{
    /// <summary>A quoted text without its backslashes.</summary>
    public static string Unescape(string quoted)
    {
        var text = new StringBuilder(quoted.Length);
        for (var i = 0; i < quoted.Length; i++)
        {
            if (quoted[i] != '\\' || i + 1 == quoted.Length)
            {
                text.Append(quoted[i]);
                continue;
            }

            var next = quoted[++i];
            switch (next)
            {
                case 'n': text.Append('\n'); break;
                case 't': text.Append('\t'); break;
                case 'r': text.Append('\r'); break;
                case '\n': break;
                case '\\' or '\'' or '"': text.Append(next); break;
                case 'x' or 'u' or 'U' when Code(quoted, i, out var rune, out var digits):
                    text.Append(rune.ToString());
                    i += digits;
                    break;
                default:
                    text.Append('\\').Append(next);
                    break;
            }
        }

        return text.ToString();
    }

    /// <summary>What an expression writes.</summary>
    public static string Of(TemplateRun run, object? value) => value switch
    {
        string text => text,
        TemplateUndefined => "",
        _ => Shown(run, value),
    };

    /// <summary>A value as JSON, with blanks after commas and colons.</summary>
    public static string Json(TemplateRun run, object? value, long? indent)
    {
        var json = new StringBuilder();
        WriteJson(run, json, value, indent is { } spaces ? (int)Math.Clamp(spaces, 0, 16) : null, 0);
        return json.ToString();
    }

    /// <summary>The code points, each as a text.</summary>
    public static IEnumerable<string> Characters(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var length = char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]) ? 2 : 1;
            yield return text.Substring(i, length);
            i += length - 1;
        }
    }

    /// <summary>How many code points there are.</summary>
    public static int Length(string text)
    {
        var count = text.Length;
        for (var i = 1; i < text.Length; i++)
        {
            count -= char.IsSurrogatePair(text[i - 1], text[i]) ? 1 : 0;
        }

        return count;
    }

    /// <summary>Code points from one place to before another.</summary>
    public static string Slice(TemplateRun run, string text, long? from, long? to, long? step)
    {
        run.Charge(text.Length);
        if (step is not (null or 1))
        {
            run.ChargeItems(text.Length);
            return string.Concat(TemplateValues.Slice(run, [.. Characters(text)], from, to, step));
        }

        var length = Length(text);
        var begin = Place(from, 0, length);
        var end = Math.Max(begin, Place(to, length, length));
        return length == text.Length ? text[(int)begin..(int)end] : text[Offset(text, begin)..Offset(text, end)];
    }

    // Where a code point begins.
    private static int Offset(string text, long place)
    {
        var at = 0;
        for (; place > 0; place--)
        {
            at += at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1;
        }

        return at;
    }

    private static long Place(long? at, long otherwise, int length) => at is { } place ? Math.Clamp(place < 0 ? place + length : place, 0, length) : otherwise;

    private static bool Code(string quoted, int at, out Rune rune, out int digits)
    {
        digits = quoted[at] switch { 'x' => 2, 'u' => 4, _ => 8 };
        rune = default;
        return at + digits < quoted.Length
            && int.TryParse(quoted.AsSpan(at + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
            && Rune.TryCreate(code, out rune);
    }

    private static string Shown(TemplateRun run, object? value)
    {
        run.Deepen();
        var shown = value switch
        {
            null => "None",
            bool flag => flag ? "True" : "False",
            long number => number.ToString(CultureInfo.InvariantCulture),
            double number => Real(number),
            string text => Quoted(run, text),
            TemplateUndefined => "Undefined",
            List<object?> list => Joined(run, list.Select(item => Shown(run, item)), "[", "]"),
            TemplateMap map => Joined(run, map.Entries.Select(entry => $"{Quoted(run, entry.Key)}: {Shown(run, entry.Value)}"), "{", "}"),
            _ => throw run.Refused("it writes something that is no text"),
        };
        run.Leave();
        return shown;
    }

    private static string Joined(TemplateRun run, IEnumerable<string> items, string open, string close)
    {
        var text = new StringBuilder(open);
        foreach (var item in items)
        {
            run.Charge(item.Length);
            text.Append(text.Length > 1 ? ", " : "").Append(item);
        }

        return text.Append(close).ToString();
    }

    private static string Real(double number)
    {
        var text = number.ToString("R", CultureInfo.InvariantCulture);
        return !double.IsFinite(number) || text.AsSpan().ContainsAny(".E") ? text.Replace("E", "e", StringComparison.Ordinal) : text + ".0";
    }

    private static string Quoted(TemplateRun run, string text)
    {
        run.Charge(text.Length);
        var quote = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        var quoted = new StringBuilder().Append(quote);
        foreach (var character in text)
        {
            quoted.Append(character switch
            {
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\\' => "\\\\",
                _ => character == quote ? $"\\{character}" : character.ToString(),
            });
        }

        return quoted.Append(quote).ToString();
    }

    private static void WriteJson(TemplateRun run, StringBuilder json, object? value, int? indent, int depth)
    {
        run.Deepen();
        var before = json.Length;
        switch (value)
        {
            case null:
                json.Append("null");
                break;
            case bool flag:
                json.Append(flag ? "true" : "false");
                break;
            case string text:
                json.Append(JsonString(run, text));
                break;
            case long or double:
                json.Append(Shown(run, value));
                break;
            case List<object?> list:
                WriteMany(run, json, '[', ']', list.Count, indent, depth, i => WriteJson(run, json, list[i], indent, depth + 1));
                break;
            case TemplateMap map:
                WriteMany(run, json, '{', '}', map.Entries.Count, indent, depth, i =>
                {
                    json.Append(JsonString(run, map.Entries[i].Key)).Append(": ");
                    WriteJson(run, json, map.Entries[i].Value, indent, depth + 1);
                });
                break;
            default:
                throw run.Refused($"{TemplateValues.KindOf(value)} cannot be written as JSON");
        }

        run.Charge(json.Length - before);
        run.Leave();
    }

    private static void WriteMany(TemplateRun run, StringBuilder json, char open, char close, int count, int? indent, int depth, Action<int> write)
    {
        run.ChargeItems(count);
        json.Append(open);
        for (var i = 0; i < count; i++)
        {
            json.Append(i == 0 ? "" : indent is null ? ", " : ",");
            NewLine(run, json, indent, depth + 1);
            write(i);
        }

        if (count > 0)
        {
            NewLine(run, json, indent, depth);
        }

        json.Append(close);
    }

    private static void NewLine(TemplateRun run, StringBuilder json, int? indent, int depth)
    {
        if (indent is { } spaces)
        {
            run.Charge(1 + (spaces * depth));
            json.Append('\n').Append(' ', spaces * depth);
        }
    }

    // Python escapes less than any encoder of .NET.
    private static string JsonString(TemplateRun run, string text)
    {
        run.Charge(text.Length);
        var json = new StringBuilder("\"");
        foreach (var character in text)
        {
            json.Append(character switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\b' => "\\b",
                '\f' => "\\f",
                < ' ' => $"\\u{(int)character:x4}",
                _ => character.ToString(),
            });
        }

        return json.Append('"').ToString();
    }
}
