using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Data;

/// <summary>Finds the reference documentation that every .NET SDK carries: packs/*.Ref/VERSION/ref/net*/ASSEMBLY.xml.</summary>
internal static class SdkFolders
{
    /// <summary>The files, one for each assembly, in ordinal order of their names.</summary>
    /// <exception cref="InputException">No SDK with documentation is installed.</exception>
    public static IReadOnlyList<string> FindDocumentation()
    {
        var roots = Roots();
        foreach (var root in roots)
        {
            var files = FilesUnder(root);
            if (files.Count > 0)
            {
                return files;
            }
        }

        throw new InputException(
            $"no .NET SDK with reference documentation was found (looked under {string.Join(", ", roots)}): " +
            "give your own text with --data PATH (.txt, .md, .jsonl, or a folder of them).");
    }

    // The running runtime's own root first, then what the user names, then the dotnet that the shell would start.
    private static List<string> Roots()
    {
        var roots = new List<string>();
        Add(roots, Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        Add(roots, Environment.GetEnvironmentVariable("DOTNET_ROOT"));
        var name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        foreach (var folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            var program = Path.Combine(folder, name);
            if (File.Exists(program))
            {
                Add(roots, Path.GetDirectoryName(Resolve(program)));
            }
        }

        return roots;
    }

    private static string Resolve(string program)
    {
        try
        {
            return File.ResolveLinkTarget(program, returnFinalTarget: true)?.FullName ?? program;
        }
        catch (IOException)
        {
            return program;
        }
    }

    private static void Add(List<string> roots, string? root)
    {
        if (!string.IsNullOrEmpty(root) && !roots.Contains(Path.GetFullPath(root)))
        {
            roots.Add(Path.GetFullPath(root));
        }
    }

    private static List<string> FilesUnder(string root)
    {
        var fileOfName = new SortedDictionary<string, string>(StringComparer.Ordinal);
        try
        {
            foreach (var pack in Folders(Path.Combine(root, "packs"), "*.Ref"))
            {
                // The newest version; frameworks of the same version hold the same assemblies, so the first pack that has a name gives it.
                var newest = Folders(pack, "*").MaxBy(VersionOf);
                var framework = newest is null ? null : Folders(Path.Combine(newest, "ref"), "net*").LastOrDefault();
                foreach (var file in framework is null ? [] : Directory.EnumerateFiles(framework, "*.xml"))
                {
                    fileOfName[Path.GetFileName(file)] = file;
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A folder that cannot be listed holds no text for us.
        }

        return [.. fileOfName.Values];
    }

    private static IEnumerable<string> Folders(string path, string pattern) =>
        Directory.Exists(path) ? Directory.EnumerateDirectories(path, pattern).Order(StringComparer.Ordinal) : [];

    private static (int, int, int, string) VersionOf(string folder)
    {
        var name = Path.GetFileName(folder);
        var numbers = name.Split('-')[0].Split('.').Select(static part => int.TryParse(part, out var number) ? number : 0).ToArray();
        return (numbers.ElementAtOrDefault(0), numbers.ElementAtOrDefault(1), numbers.ElementAtOrDefault(2), name);
    }
}
