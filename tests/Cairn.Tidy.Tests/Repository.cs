using System.Text;

namespace Cairn.Tidy.Tests;

/// <summary>The working tree that this assembly was built from, as lists of files.</summary>
internal static class Repository
{
    private static readonly string[] Left = [".git", "bin", "obj", "artifacts", "runs", "cairn-run", "TestResults", "node_modules", ".vs", ".idea", "shared"];

    /// <summary>The folder that holds Cairn.slnx.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>All files that are not built, relative to the root, with '/' between parts, in order.</summary>
    public static IReadOnlyList<string> Files { get; } = [.. Walk(Root).Order(StringComparer.Ordinal)];

    public static IEnumerable<string> Sources => Files.Where(file => file.EndsWith(".cs", StringComparison.Ordinal));

    public static IEnumerable<string> Projects => Files.Where(file => file.EndsWith(".csproj", StringComparison.Ordinal));

    public static IEnumerable<string> Documents => Files.Where(file => file.EndsWith(".md", StringComparison.Ordinal));

    public static bool Has(string file) => File.Exists(Path.Combine(Root, file)) || Directory.Exists(Path.Combine(Root, file));

    public static string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    public static string[] Lines(string file) => File.ReadAllLines(Path.Combine(Root, file));

    /// <summary>Whether a file is text: it decodes as UTF-8 and has no zero byte.</summary>
    public static bool TryReadText(string file, out string text)
    {
        text = "";
        var bytes = File.ReadAllBytes(Path.Combine(Root, file));
        if (bytes.AsSpan().Contains((byte)0))
        {
            return false;
        }

        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Cairn.slnx")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"no Cairn.slnx above {AppContext.BaseDirectory}");
    }

    private static IEnumerable<string> Walk(string folder)
    {
        foreach (var path in Directory.EnumerateFileSystemEntries(folder))
        {
            if (Left.Contains(Path.GetFileName(path)) || new FileInfo(path).LinkTarget is not null)
            {
                continue;
            }

            var below = Directory.Exists(path) ? Walk(path) : [Path.GetRelativePath(Root, path).Replace('\\', '/')];
            foreach (var file in below)
            {
                yield return file;
            }
        }
    }
}
