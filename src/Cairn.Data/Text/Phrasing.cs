namespace Cairn.Data;

/// <summary>Makes a sentence of what a documentation element says: "value", "The object to find." becomes "value is the object to find.".</summary>
internal static class Phrasing
{
    // First words that can follow "is", "Returns" or "if" in lower case without being a name.
    private static readonly HashSet<string> Openers = new(StringComparer.Ordinal)
    {
        "The", "A", "An", "One", "If", "When", "This", "That", "Any", "Each", "All", "Some", "No", "Zero", "Either", "Always", "Never", "Both", "Either",
        "Two", "There", "Not", "Another", "At", "In", "On", "Neither", "These", "Optional", "Whether", "Attempted", "Its", "More", "Only",
    };

    private static readonly HashSet<string> Verbs = new(StringComparer.Ordinal)
    {
        "Specifies", "Indicates", "Contains", "Defines", "Represents", "Determines", "Identifies", "Provides", "Describes", "Controls",
    };

    private static readonly HashSet<string> Values = new(StringComparer.Ordinal) { "true", "false", "null", "zero", "the", "a", "an", "one" };

    /// <summary>Appends one sentence (or the sentences) of an element.</summary>
    /// <param name="kind">The element.</param>
    /// <param name="name">Of a parameter its name, of an exception its type.</param>
    /// <param name="text">What the element says; at least one byte.</param>
    /// <param name="line">Where to.</param>
    /// <returns>False if nothing readable comes out; the line is then unspecified.</returns>
    public static bool TryAppend(ElementKind kind, ReadOnlySpan<byte> name, ReadOnlySpan<byte> text, ByteBuilder line)
    {
        var first = FirstWord(text);
        var opener = Openers.Contains(first);
        var verb = Verbs.Contains(first);
        switch (kind)
        {
            case ElementKind.Summary or ElementKind.Remarks:
                AppendJoined(text, lower: false, line);
                break;
            case ElementKind.Parameter:
                line.Add(name);
                line.Add(opener || Values.Contains(first) ? " is "u8 : verb ? " "u8 : ": "u8);
                AppendJoined(text, opener || verb, line);
                break;
            case ElementKind.Value:
                if (!opener && !Values.Contains(first))
                {
                    return false;
                }

                line.Add("The value is "u8);
                AppendJoined(text, lower: true, line);
                break;
            case ElementKind.Returns:
                line.Add(first == "Returns" ? ""u8 : opener || Values.Contains(first) ? "Returns "u8 : "Returns: "u8);
                AppendJoined(text, opener, line);
                break;
            case ElementKind.Exception:
                AppendException(name, first, text, line);
                break;
        }

        if (line.Count > 0 && line.Written[^1] is not ((byte)'.' or (byte)'!' or (byte)'?' or (byte)':'))
        {
            line.Add((byte)'.');
        }

        return true;
    }

    private static void AppendException(ReadOnlySpan<byte> name, string first, ReadOnlySpan<byte> text, ByteBuilder line)
    {
        if (first is "Thrown" or "thrown")
        {
            line.Add(name);
            line.Add(" is "u8);
            AppendJoined(text, lower: true, line);
            return;
        }

        line.Add("Throws "u8);
        line.Add(name);
        var condition = first is "If" or "if" or "When" or "when";
        line.Add(condition ? " "u8 : " if "u8);
        AppendJoined(text, condition || Openers.Contains(first), line);
    }

    // "a is null. -or- The b is empty." becomes "a is null, or the b is empty."
    private static void AppendJoined(ReadOnlySpan<byte> text, bool lower, ByteBuilder line)
    {
        while (true)
        {
            var or = text.IndexOf(" -or- "u8);
            var part = or < 0 ? text : text[..or];
            if (!part.IsEmpty)
            {
                line.Add(lower ? (byte)(part[0] is >= (byte)'A' and <= (byte)'Z' ? part[0] | 0x20 : part[0]) : part[0]);
                line.Add(part[1..]);
            }

            if (or < 0)
            {
                return;
            }

            if (line.Written[^1] is (byte)'.' or (byte)',')
            {
                line.Truncate(line.Count - 1);
            }

            line.Add(", or "u8);
            text = text[(or + 6)..];
            lower = Openers.Contains(FirstWord(text));
        }
    }

    private static string FirstWord(ReadOnlySpan<byte> text)
    {
        var end = text.IndexOfAny((byte)' ', (byte)',', (byte)'.');
        var word = end < 0 ? text : text[..end];
        return word.Length > 12 ? "" : System.Text.Encoding.UTF8.GetString(word);
    }
}
