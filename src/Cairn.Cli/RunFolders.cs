using Cairn.Base;
using Cairn.Cli.Views;
using Cairn.Node;
using Spectre.Console;

namespace Cairn.Cli;

/// <summary>Where runs are kept when the user names no folder: <c>runs/swarm-1</c>, <c>runs/swarm-2</c>… below the current folder.</summary>
internal static class RunFolders
{
    private const string Parent = "runs";

    /// <summary>The first number that is not taken.</summary>
    public static string NextFree()
    {
        for (var n = 1; ; n++)
        {
            var folder = Path.Combine(Parent, $"swarm-{n}");
            if (!Directory.Exists(folder))
            {
                return folder;
            }
        }
    }

    /// <summary>The run that was last worked on.</summary>
    /// <exception cref="InputException">There is none.</exception>
    public static string Newest()
    {
        var newest = Directory.Exists(Parent)
            ? Directory.EnumerateDirectories(Parent).Where(f => new RunDirectory(f).HoldsRun)
                .OrderByDescending(f => File.GetLastWriteTimeUtc(new RunDirectory(f).Ledger)).FirstOrDefault()
            : null;
        return newest ?? throw new InputException($"no run lies under {Path.GetFullPath(Parent)}: begin one with 'cairn swarm', or name its folder with --dir.");
    }

    /// <summary>A path as it can be pasted into a shell.</summary>
    public static string Quoted(string path) =>
        path.All(c => char.IsAsciiLetterOrDigit(c) || "/._-".Contains(c, StringComparison.Ordinal))
            ? path
            : "'" + path.Replace("'", "'\\''", StringComparison.Ordinal) + "'";

    /// <summary>The view that suits where the output goes.</summary>
    public static IRunView View(bool json) => json ? new SilentView()
        : Console.IsOutputRedirected || !AnsiConsole.Profile.Capabilities.Interactive ? new PlainView(Console.Out)
        : new LiveView(AnsiConsole.Console);
}
