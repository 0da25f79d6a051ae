using System.Runtime.CompilerServices;

namespace Cairn.Data;

/// <summary>The lines of prose in one assembly's documentation, each with its member and two fingerprints.</summary>
internal sealed class AssemblyText
{
    /// <summary>A line of prose.</summary>
    /// <param name="Start">Where it begins in <see cref="Bytes"/>.</param>
    /// <param name="Length">In bytes.</param>
    /// <param name="Member">The number of the type or member it belongs to, rising.</param>
    /// <param name="Exact">Equal for equal lines.</param>
    /// <param name="Near">Equal for lines that differ only in names, numbers, case and punctuation.</param>
    internal readonly record struct Line(int Start, int Length, int Member, ulong Exact, ulong Near);

    private readonly ByteBuilder _bytes;
    private readonly ByteBuilder _prose = new(1 << 10);
    private readonly ByteBuilder _line = new(1 << 10);
    private int _member;

    private AssemblyText(string name, int capacity)
    {
        Name = name;
        _bytes = new ByteBuilder(capacity);
    }

    /// <summary>The name of the assembly.</summary>
    public string Name { get; }

    /// <summary>In order.</summary>
    public List<Line> Lines { get; } = [];

    /// <summary>The text of the lines.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes.Array.AsMemory(0, _bytes.Count);

    /// <summary>Reads the prose of a documentation file.</summary>
    /// <param name="name">The name of the assembly.</param>
    /// <param name="xml">The whole file; whatever is not understood in it is skipped.</param>
    public static AssemblyText Read(string name, ReadOnlySpan<byte> xml)
    {
        var text = new AssemblyText(name, xml.Length / 2);
        while (true)
        {
            var start = xml.IndexOf("<member "u8);
            if (start < 0)
            {
                return text;
            }

            xml = xml[start..];
            var end = xml.IndexOf("</member>"u8);
            var head = xml.IndexOf((byte)'>');
            if (end < 0 || head > end)
            {
                return text;
            }

            text.ReadMember(xml[(head + 1)..end]);
            xml = xml[end..];
        }
    }

    private void ReadMember(ReadOnlySpan<byte> xml)
    {
        while (true)
        {
            var start = xml.IndexOf((byte)'<');
            var head = start < 0 ? -1 : xml[start..].IndexOf((byte)'>');
            if (head < 0)
            {
                break;
            }

            var tag = xml.Slice(start, head + 1);
            xml = xml[(start + head + 1)..];
            if (tag.EndsWith("/>"u8) || tag.StartsWith("</"u8))
            {
                continue;
            }

            var name = tag[1..tag.IndexOfAny((byte)' ', (byte)'>')];
            var end = xml.IndexOf([(byte)'<', (byte)'/', .. name, (byte)'>']);
            if (end < 0)
            {
                break;
            }

            ReadElement(KindOf(name), tag, xml[..end]);
            xml = xml[(end + name.Length + 3)..];
        }

        _member++;
    }

    private void ReadElement(ElementKind kind, ReadOnlySpan<byte> tag, ReadOnlySpan<byte> xml)
    {
        _prose.Truncate(0);
        _line.Truncate(0);
        if (kind == ElementKind.None)
        {
            return;
        }

        XmlProse.Append(xml, _prose);
        var name = kind == ElementKind.Exception ? XmlProse.SimpleName(XmlProse.Attribute(tag, " cref=\""u8)) : XmlProse.Attribute(tag, " name=\""u8);
        if (_prose.Count > 0 && Phrasing.TryAppend(kind, name, _prose.Written, _line) && LineQuality.IsProse(_line.Written))
        {
            Lines.Add(new Line(_bytes.Count, _line.Count, _member, WordHash.Of(_line.Written), LineQuality.NearHash(_line.Written)));
            _bytes.Add(_line.Written);
        }
    }

    private static ElementKind KindOf(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("summary"u8) ? ElementKind.Summary
        : name.SequenceEqual("param"u8) || name.SequenceEqual("typeparam"u8) ? ElementKind.Parameter
        : name.SequenceEqual("returns"u8) ? ElementKind.Returns
        : name.SequenceEqual("exception"u8) ? ElementKind.Exception
        : name.SequenceEqual("value"u8) ? ElementKind.Value
        : name.SequenceEqual("remarks"u8) ? ElementKind.Remarks
        : ElementKind.None;
}
