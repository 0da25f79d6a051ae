using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Cairn.Base;

namespace Cairn.Cli;

/// <summary>The scripts under tools/ that start real servers on this machine.</summary>
internal static class LocalScript
{
    /// <summary>Where a script is.</summary>
    /// <param name="name">Its file name.</param>
    /// <exception cref="InputException">This is no checkout.</exception>
    public static string Find(string name)
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "tools", name)))
            {
                return Path.Combine(folder, "tools", name);
            }
        }

        throw new InputException($"tools/{name} is not here: run this from a checkout of Cairn.");
    }

    /// <summary>Runs a script to its end.</summary>
    /// <param name="script">From <see cref="Find"/>.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <returns>Exit code and everything that it printed.</returns>
    public static async Task<(int Code, string Output)> RunAsync(string script, params IEnumerable<string> arguments)
    {
        // Into a file: what the script leaves running would keep a pipe open.
        var log = Path.GetTempFileName();
        using var process = Process.Start(new ProcessStartInfo("bash", ["-c", "log=$1; shift; exec \"$@\" >\"$log\" 2>&1 </dev/null", "-", log, script, .. arguments]))!;
        await process.WaitForExitAsync();
        var output = (await File.ReadAllTextAsync(log)).Trim();
        File.Delete(log);
        return (process.ExitCode, output);
    }

    /// <summary>A port that nobody listens on.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
