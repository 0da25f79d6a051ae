using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Cairn.Base;
using Cairn.Exchange;

namespace Cairn.Cli.Chaos;

/// <summary>A real S3 server on this machine for the time of a trial, started by tools/s3-server.sh.</summary>
internal sealed class LocalS3 : IAsyncDisposable
{
    private readonly string _script;
    private readonly string _folder;

    private LocalS3(string script, string folder, int port) => (_script, _folder, Port) = (script, folder, port);

    /// <summary>The account that owns everything there.</summary>
    public static S3Credentials Owner { get; } = new("OWNERKEY", "ownersecret");

    public int Port { get; }

    /// <summary>Starts it.</summary>
    /// <param name="folder">Its own folder, deleted when it stops.</param>
    /// <exception cref="InputException">The script or its programs are not here.</exception>
    public static async Task<LocalS3> StartAsync(string folder)
    {
        var server = new LocalS3(ScriptPath(), Path.GetFullPath(folder), FreePort());
        await server.RunAsync("up", server._folder, server.Port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return server;
    }

    /// <summary>Stops one that a process left behind when it was killed.</summary>
    /// <param name="folder">Its folder.</param>
    public static ValueTask StopLeftAsync(string folder) => new LocalS3(ScriptPath(), folder, 0).DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        try
        {
            await RunAsync("down", _folder);
        }
        catch (InputException)
        {
            // It is gone already.
        }
    }

    private static string ScriptPath()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "tools", "s3-server.sh")))
            {
                return Path.Combine(folder, "tools", "s3-server.sh");
            }
        }

        throw new InputException("tools/s3-server.sh is not here: run this from a checkout of Cairn.");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task RunAsync(params string[] arguments)
    {
        // Into a file: what the script leaves running would keep a pipe open.
        var log = _folder + ".log";
        using var script = Process.Start(new ProcessStartInfo("bash", ["-c", "log=$1; shift; exec \"$@\" >\"$log\" 2>&1 </dev/null", "-", log, _script, .. arguments]))!;
        await script.WaitForExitAsync();
        if (script.ExitCode != 0)
        {
            throw new InputException($"no S3 server could be started: {(await File.ReadAllTextAsync(log)).Trim()}");
        }
    }
}
