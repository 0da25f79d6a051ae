using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Text;

namespace Cairn.Data;

/// <summary>Turns the inside of a documentation element into plain prose: references become simple names, entities their characters, runs of
/// white space one space; code samples are left out. Never fails: whatever is not understood is skipped.</summary>
/// <remarks>By hand over bytes: some 40 MB must be read before the first step of a demonstration.</remarks>
internal static class XmlProse
{
    /// <summary>Appends the prose of a piece of XML.</summary>
    /// <param name="xml">The inside of an element.</param>
    /// <param name="prose">Where to; nothing is added for an element without text.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Append(ReadOnlySpan<byte> xml, ByteBuilder prose)
    {
        for (var at = 0; at < xml.Length;)
        {
            var value = xml[at];
            if (value == '<')
            {
                at = AppendTag(xml, at, prose);
            }
            else if (value == '&')
            {
                at = AppendEntity(xml, at, prose);
            }
            else if (value <= ' ')
            {
                prose.AddSpace();
                at++;
            }
            else
            {
                prose.Add(value);
                at++;
            }
        }

        prose.TrimEnd();
    }

    /// <summary>The value of an attribute inside a tag.</summary>
    /// <param name="tag">From '&lt;' to '&gt;'.</param>
    /// <param name="name">With a space before and =" after it.</param>
    /// <returns>Empty if the tag lacks it.</returns>
    public static ReadOnlySpan<byte> Attribute(ReadOnlySpan<byte> tag, ReadOnlySpan<byte> name)
    {
        var start = tag.IndexOf(name);
        if (start < 0)
        {
            return default;
        }

        var value = tag[(start + name.Length)..];
        var end = value.IndexOf((byte)'"');
        return end < 0 ? default : value[..end];
    }

    /// <summary>What people call the thing that a documentation id names: the last part, without arity and parameters; of a constructor its type.</summary>
    /// <param name="id">Such as "M:System.Collections.Generic.List`1.Add(`0)".</param>
    public static ReadOnlySpan<byte> SimpleName(ReadOnlySpan<byte> id)
    {
        var colon = id.IndexOf((byte)':');
        var isNamespace = id.StartsWith("N:"u8);
        id = id[(colon + 1)..];
        var parameters = id.IndexOfAny((byte)'(', (byte)'{');
        id = parameters > 0 ? id[..parameters] : id;
        if (isNamespace)
        {
            return id;
        }

        id = id.EndsWith(".#ctor"u8) ? id[..^6] : id.EndsWith(".#cctor"u8) ? id[..^7] : id;
        id = id[(id.LastIndexOfAny((byte)'.', (byte)'#') + 1)..];
        var arity = id.IndexOf((byte)'`');
        return arity > 0 ? id[..arity] : id;
    }

    private static int AppendTag(ReadOnlySpan<byte> xml, int at, ByteBuilder prose)
    {
        var rest = xml[at..];
        if (rest.StartsWith("<!--"u8))
        {
            return After(xml, at, "-->"u8);
        }

        if (rest.StartsWith("<![CDATA["u8))
        {
            return After(xml, at, "]]>"u8);
        }

        var end = After(xml, at, ">"u8);
        var tag = xml[at..end];
        if (tag.StartsWith("<see"u8))
        {
            // <see>text</see> shows its text; an empty one shows what it names.
            var empty = tag.EndsWith("/>"u8) || xml[end..].StartsWith("</see"u8);
            if (empty)
            {
                AppendReference(tag, prose);
            }

            return end;
        }

        if (tag.StartsWith("<paramref"u8) || tag.StartsWith("<typeparamref"u8))
        {
            prose.Add(Attribute(tag, " name=\""u8));
            return end;
        }

        if (!tag.EndsWith("/>"u8) && (tag.StartsWith("<code"u8) || tag.StartsWith("<example"u8) || tag.StartsWith("<format"u8)))
        {
            var name = tag[1..tag.IndexOfAny((byte)' ', (byte)'>')];
            return After(xml, end, [(byte)'<', (byte)'/', .. name, (byte)'>']);
        }

        if (!IsInline(tag))
        {
            prose.AddSpace();
        }

        return end;
    }

    private static void AppendReference(ReadOnlySpan<byte> tag, ByteBuilder prose)
    {
        var cref = Attribute(tag, " cref=\""u8);
        if (!cref.IsEmpty)
        {
            prose.Add(SimpleName(cref));
            return;
        }

        var word = Attribute(tag, " langword=\""u8);
        prose.Add(word.IsEmpty ? Attribute(tag, " href=\""u8) : word);
    }

    private static bool IsInline(ReadOnlySpan<byte> tag)
    {
        var name = tag.StartsWith("</"u8) ? tag[2..] : tag[1..];
        return name.StartsWith("see"u8) || name.StartsWith("c>"u8) || name.StartsWith("b>"u8) || name.StartsWith("i>"u8) || name.StartsWith("a "u8) ||
            name.StartsWith("a>"u8) || name.StartsWith("em>"u8) || name.StartsWith("strong>"u8);
    }

    private static int AppendEntity(ReadOnlySpan<byte> xml, int at, ByteBuilder prose)
    {
        var length = xml[at..Math.Min(xml.Length, at + 12)].IndexOf((byte)';');
        if (length < 0)
        {
            prose.Add((byte)'&');
            return at + 1;
        }

        var name = xml.Slice(at + 1, length - 1);
        if (name.SequenceEqual("lt"u8))
        {
            prose.Add((byte)'<');
        }
        else if (name.SequenceEqual("gt"u8))
        {
            prose.Add((byte)'>');
        }
        else if (name.SequenceEqual("amp"u8))
        {
            prose.Add((byte)'&');
        }
        else if (name.SequenceEqual("quot"u8))
        {
            prose.Add((byte)'"');
        }
        else if (name.SequenceEqual("apos"u8))
        {
            prose.Add((byte)'\'');
        }
        else if (name.StartsWith("#"u8))
        {
            AppendCharacter(name[1..], prose);
        }

        return at + length + 1;
    }

    private static void AppendCharacter(ReadOnlySpan<byte> number, ByteBuilder prose)
    {
        var format = 'D';
        if (number.StartsWith("x"u8) || number.StartsWith("X"u8))
        {
            number = number[1..];
            format = 'X';
        }

        if (!Utf8Parser.TryParse(number, out int value, out var used, format) || used != number.Length || !Rune.TryCreate(value, out var rune))
        {
            return;
        }

        if (Rune.IsWhiteSpace(rune))
        {
            prose.AddSpace();
            return;
        }

        Span<byte> utf8 = stackalloc byte[4];
        prose.Add(utf8[..rune.EncodeToUtf8(utf8)]);
    }

    // The place after the next occurrence, or the end: a piece that is not closed reaches to the end.
    private static int After(ReadOnlySpan<byte> xml, int at, ReadOnlySpan<byte> what)
    {
        var found = xml[at..].IndexOf(what);
        return found < 0 ? xml.Length : at + found + what.Length;
    }
}
