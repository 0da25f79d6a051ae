using System.Diagnostics;
using Cairn.Base;

namespace Cairn.Data;

/// <summary>The text that needs no set-up: the English of the .NET SDK's reference documentation, read from the SDK on this machine at run time.</summary>
/// <remarks>One document for each type or member: what it is for, then parameters, result and exceptions, one sentence or paragraph a line. A line that occurred
/// before is left out, and of lines that differ only in names and numbers the first few are kept, for the documentation repeats itself sevenfold.
/// Whole assemblies are held out; their lines are gathered first, so that none of them occurs in a training document.</remarks>
internal static class SdkDocumentation
{
    private const long FileBytesMax = 64 << 20;

    // How many lines may differ only in names and numbers.
    private const int NearMax = 3;

    /// <summary>Reads it.</summary>
    /// <param name="heldOutPart">The part of the text to hold out.</param>
    /// <exception cref="InputException">No SDK with documentation is installed.</exception>
    public static Corpus Load(double heldOutPart)
    {
        var files = SdkFolders.FindDocumentation();
        var texts = new AssemblyText[files.Count];

        // The largest files first, or the last thread would be alone with one of them.
        var order = files.Select(static (path, index) => (Index: index, new FileInfo(path).Length)).OrderByDescending(static file => file.Length).ToArray();
        Parallel.For(0, order.Length, i =>
        {
            var path = files[order[i].Index];
            texts[order[i].Index] = AssemblyText.Read(Path.GetFileNameWithoutExtension(path), InputFile.ReadAll(path, FileBytesMax, "a documentation file"));
        });
        var heldOut = ChooseHeldOut(texts, heldOutPart);
        var documents = new List<Document>[texts.Length];
        var seen = new SeenLines(texts.Sum(static text => text.Lines.Count));
        foreach (var kind in new[] { true, false })
        {
            for (var i = 0; i < texts.Length; i++)
            {
                if (heldOut[i] == kind)
                {
                    documents[i] = BuildDocuments(texts[i], kind, seen);
                }
            }
        }

        return new Corpus([.. documents.SelectMany(static list => list)], $".NET reference documentation ({files.Count} assemblies)");
    }

    // In the order of a stable hash of their names, as many as fit into the part; one that would not fit is passed over.
    private static bool[] ChooseHeldOut(AssemblyText[] texts, double part)
    {
        var limit = (long)(texts.Sum(static text => (long)text.Bytes.Length) * part);
        var chosen = new bool[texts.Length];
        var bytes = 0L;
        foreach (var index in Enumerable.Range(0, texts.Length).OrderBy(i => Digest.Of("cairn/held-out", System.Text.Encoding.UTF8.GetBytes(texts[i].Name))))
        {
            var length = texts[index].Bytes.Length;
            if (length > 0 && bytes + length <= limit)
            {
                chosen[index] = true;
                bytes += length;
            }
        }

        return chosen;
    }

    private static List<Document> BuildDocuments(AssemblyText text, bool heldOut, SeenLines seen)
    {
        var kept = new ByteBuilder(text.Bytes.Length / 2);
        var ends = new List<int>();
        var source = text.Bytes.Span;
        var member = -1;
        foreach (var line in text.Lines)
        {
            if (!seen.Admit(line.Exact, line.Near))
            {
                continue;
            }

            if (line.Member == member)
            {
                kept.Add((byte)'\n');
            }
            else if (kept.Count > 0)
            {
                ends.Add(kept.Count);
            }

            member = line.Member;
            kept.Add(source.Slice(line.Start, line.Length));
        }

        if (kept.Count > 0)
        {
            ends.Add(kept.Count);
        }

        var documents = new List<Document>(ends.Count);
        var start = 0;
        foreach (var end in ends)
        {
            documents.Add(new Document(kept.Array.AsMemory(start, end - start), heldOut));
            start = end;
        }

        return documents;
    }

    private sealed class SeenLines(int capacity)
    {
        private readonly HashSet<ulong> _exact = new(capacity / 2);
        private readonly Dictionary<ulong, int> _near = new(capacity / 4);

        public bool Admit(ulong exact, ulong near)
        {
            if (!_exact.Add(exact))
            {
                return false;
            }

            ref var count = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_near, near, out _);
            return ++count <= NearMax;
        }
    }
}
