using System.Buffers.Binary;
using Cairn.Base;

namespace Cairn.Data;

/// <summary>The user's own text: .txt and .md files (cut into documents where they are long), .jsonl files (a document for each record), folders of them.</summary>
internal static class TextFiles
{
    private const int PieceBytesMin = 2 << 10;
    private const int PieceBytesMax = 1 << 20;
    private const string Kind = "a .txt, .md or .jsonl file or a folder of them";

    /// <summary>The files that paths name, each once, folders in ordinal order of the paths inside.</summary>
    /// <param name="paths">Files and folders.</param>
    /// <exception cref="InputException">One is missing, of no known kind, or a folder without text.</exception>
    public static IReadOnlyList<string> Find(IReadOnlyList<string> paths)
    {
        var files = new List<string>();
        foreach (var path in paths)
        {
            if (Directory.Exists(path))
            {
                files.AddRange(FindUnder(path));
            }
            else if (!File.Exists(path))
            {
                throw new InputException($"{path} does not exist: give {Kind}.");
            }
            else if (SourceFiles.IsPacked(path))
            {
                throw new InputException($"{path} is not taken as it is: make a data set of it with 'cairn data prepare', and give that folder.");
            }
            else if (!IsKnown(path))
            {
                throw new InputException($"{path} is of no known kind: give {Kind}.");
            }
            else
            {
                files.Add(path);
            }
        }

        return [.. files.DistinctBy(Path.GetFullPath)];
    }

    /// <summary>Reads the files that the options name.</summary>
    /// <param name="options">With at least one path.</param>
    /// <exception cref="InputException">A file cannot be used.</exception>
    public static Corpus Load(CorpusOptions options)
    {
        var texts = new List<(ReadOnlyMemory<byte> Text, bool IsRecord)>();
        var total = 0L;
        var files = Find(options.Paths);
        foreach (var file in files)
        {
            var bytes = InputFile.ReadAll(file, Array.MaxLength, "a text file");
            total += bytes.Length;
            if (total > options.TextBytesMax)
            {
                throw new InputException($"{file} brings the text above {options.TextBytesMax} bytes: give fewer files at a time.");
            }

            if (IsRecords(file))
            {
                texts.AddRange(JsonRecords.Read(file, CheckText(file, bytes), options.JsonField).Select(static text => (text, true)));
            }
            else
            {
                texts.Add((CheckText(file, bytes), false));
            }
        }

        var pieceBytes = (int)Math.Clamp(total / 100, PieceBytesMin, PieceBytesMax);
        var pieces = texts.SelectMany(text => text.IsRecord ? [text.Text] : TextPieces.Cut(text.Text, pieceBytes)).ToList();
        return new Corpus(Divide(pieces, options.HeldOutPart, files[0]), Describe(files));
    }

    // By a hash of the text: equal documents always go the same way, and adding files moves none of the others.
    private static List<Document> Divide(List<ReadOnlyMemory<byte>> pieces, double heldOutPart, string path)
    {
        var hashes = new ulong[pieces.Count];
        Parallel.For(0, pieces.Count, i =>
        {
            Span<byte> digest = stackalloc byte[Digest.Size];
            Digest.Of("cairn/held-out", pieces[i].Span).CopyTo(digest);
            hashes[i] = BinaryPrimitives.ReadUInt64BigEndian(digest) >> 1;
        });
        var (lowest, highest) = (hashes.Min(), hashes.Max());
        if (lowest == highest)
        {
            throw new InputException(
                $"{path} alone is too little text ({pieces.Sum(static piece => (long)piece.Length)} bytes in one document): " +
                "give at least two documents, one to train on and one to hold out.");
        }

        // At least one is held out, at least one is trained on.
        var limit = Math.Clamp((ulong)(heldOutPart * (1UL << 63)), lowest + 1, highest);
        return [.. pieces.Select((text, i) => new Document(text, hashes[i] < limit))];
    }

    private static ReadOnlyMemory<byte> CheckText(string path, byte[] bytes)
    {
        var text = bytes.AsMemory(bytes.AsSpan().StartsWith("\uFEFF"u8) ? 3 : 0);
        if (text.Span.IndexOfAnyExcept(" \t\r\n"u8) < 0)
        {
            throw new InputException($"{path} is empty: give {Kind}.");
        }

        if (text.Span.Contains((byte)0) || !System.Text.Unicode.Utf8.IsValid(text.Span))
        {
            throw new InputException($"{path} is no UTF-8 text: convert it, or give {Kind}.");
        }

        return text;
    }

    private static List<string> FindUnder(string folder)
    {
        try
        {
            // Links are passed over: one that leads upwards would never end.
            var options = new EnumerationOptions
            {
                RecurseSubdirectories = true,
                IgnoreInaccessible = false,
                AttributesToSkip = FileAttributes.ReparsePoint | FileAttributes.Hidden,
            };
            var files = Directory.EnumerateFiles(folder, "*", options)
                .Where(IsKnown)
                .OrderBy(file => Path.GetRelativePath(folder, file).Replace('\\', '/'), StringComparer.Ordinal)
                .ToList();
            return files.Count > 0 ? files : throw new InputException($"{folder} holds no text: give {Kind}.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{folder} cannot be listed: {e.Message} Give {Kind}.", e);
        }
    }

    private static bool IsRecords(string path) => Path.GetExtension(path).Equals(".jsonl", StringComparison.OrdinalIgnoreCase);

    private static bool IsKnown(string path) => IsRecords(path) || Path.GetExtension(path).ToUpperInvariant() is ".TXT" or ".MD";

    private static string Describe(IReadOnlyList<string> files) =>
        files.Count == 1 ? Path.GetFileName(files[0]) : $"{files.Count} files from {Path.GetFileName(files[0])} to {Path.GetFileName(files[^1])}";
}
