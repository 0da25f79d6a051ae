using Cairn.Base;
using ZstdSharp;

namespace Cairn.Data;

/// <summary>Files of text that need not fit into memory: .txt, .md and .jsonl, each also as .gz or .zst, and .parquet; folders of them.</summary>
internal static class SourceFiles
{
    private const int WindowBytesMax = 128 << 20;
    private const string Kind = "a .txt, .md, .jsonl (also .gz, .zst) or .parquet file or a folder of them";

    /// <summary>The files that a path names, in ordinal order of the paths inside a folder.</summary>
    /// <exception cref="InputException">It is missing, of no known kind, or a folder without text.</exception>
    public static IReadOnlyList<string> Find(string path)
    {
        if (File.Exists(path))
        {
            return IsKnown(path) ? [path] : throw new InputException($"{path} is of no known kind: give {Kind}.");
        }

        if (!Directory.Exists(path))
        {
            throw new InputException($"{path} does not exist: give {Kind}.");
        }

        var options = new EnumerationOptions
        {
            RecurseSubdirectories = true,
            IgnoreInaccessible = false,
            AttributesToSkip = FileAttributes.ReparsePoint | FileAttributes.Hidden,
        };
        var files = Directory.EnumerateFiles(path, "*", options).Where(IsKnown)
            .OrderBy(file => Path.GetRelativePath(path, file).Replace('\\', '/'), StringComparer.Ordinal).ToList();
        return files.Count > 0 ? files : throw new InputException($"{path} holds no text: give {Kind}.");
    }

    /// <summary>True for files that only a preparation reads, and nothing that takes text whole.</summary>
    public static bool IsPacked(string path) => Extension(path) is ".GZ" or ".ZST" or ".PARQUET";

    /// <summary>The documents of a file, in order, as they are read. None is empty, each is valid UTF-8.</summary>
    /// <param name="path">The file.</param>
    /// <param name="field">The field or column that holds the text.</param>
    /// <exception cref="InputException">While it is read: the file is damaged, no text, or a record is not as it should be.</exception>
    public static IEnumerable<ReadOnlyMemory<byte>> Read(string path, string field)
    {
        if (Extension(path) == ".PARQUET")
        {
            foreach (var text in ParquetText.Read(path, field))
            {
                yield return text;
            }

            yield break;
        }

        using var stream = Open(path);
        foreach (var text in Extension(Inner(path)) == ".JSONL" ? StreamedText.Records(path, stream, field) : StreamedText.Pieces(path, stream))
        {
            yield return text;
        }
    }

    private static Stream Open(string path)
    {
        try
        {
            var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
            return Extension(path) switch
            {
                ".GZ" => new WholeGzip(file),
                ".ZST" => Unpacked(file),
                _ => file,
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path} cannot be read: {e.Message} Give {Kind}.", e);
        }
    }

    // A frame says how much memory it wants: none gets more than this.
    private static DecompressionStream Unpacked(FileStream file)
    {
        var stream = new DecompressionStream(file, leaveOpen: false);
        stream.SetParameter(ZstdSharp.Unsafe.ZSTD_dParameter.ZSTD_d_windowLogMax, int.Log2(WindowBytesMax));
        return stream;
    }

    private static bool IsKnown(string path) => Extension(path) == ".PARQUET" || Extension(Inner(path)) is ".TXT" or ".MD" or ".JSONL";

    private static string Inner(string path) => Extension(path) is ".GZ" or ".ZST" ? path[..path.LastIndexOf('.')] : path;

    private static string Extension(string path) => Path.GetExtension(path).ToUpperInvariant();
}
