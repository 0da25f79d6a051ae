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
        var server = new LocalS3(LocalScript.Find("s3-server.sh"), Path.GetFullPath(folder), LocalScript.FreePort());
        await server.RunAsync("up", server._folder, server.Port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return server;
    }

    /// <summary>Stops one that a process left behind when it was killed.</summary>
    /// <param name="folder">Its folder.</param>
    public static ValueTask StopLeftAsync(string folder) => new LocalS3(LocalScript.Find("s3-server.sh"), folder, 0).DisposeAsync();

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

    private async Task RunAsync(params string[] arguments)
    {
        var (code, output) = await LocalScript.RunAsync(_script, arguments);
        if (code != 0)
        {
            throw new InputException($"no S3 server could be started: {output}");
        }
    }
}
