using System.Net;
using System.Net.Sockets;

namespace Cairn.Cli.Chaos;

/// <summary>A line to a server that can be cut and slowed: connections to its port are passed on to the server as they are.</summary>
internal sealed class ChaosProxy : IDisposable
{
    private const int PieceBytes = 16 << 10;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly IPEndPoint _server;
    private readonly HashSet<Socket> _open = [];
    private volatile bool _cut;
    private long _bytesPerSecond;

    public ChaosProxy(IPEndPoint server)
    {
        _server = server;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Closes all connections, and every new one at once, until <see cref="Heal"/>.</summary>
    public void Cut()
    {
        _cut = true;
        lock (_open)
        {
            foreach (var socket in _open)
            {
                socket.Dispose();
            }

            _open.Clear();
        }
    }

    /// <summary>Lets so many bytes a second through, on each connection and in each direction.</summary>
    public void Slow(long bytesPerSecond) => Interlocked.Exchange(ref _bytesPerSecond, bytesPerSecond);

    /// <summary>A line as good as new.</summary>
    public void Heal()
    {
        _cut = false;
        Interlocked.Exchange(ref _bytesPerSecond, 0);
    }

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        Cut();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                if (_cut)
                {
                    client.Dispose();
                    continue;
                }

                _ = PassAsync(client);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task PassAsync(Socket client)
    {
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using (client)
        {
            lock (_open)
            {
                _open.Add(client);
                _open.Add(server);
            }

            try
            {
                client.NoDelay = true;
                await server.ConnectAsync(_server, _stop.Token);
                await Task.WhenAny(CopyAsync(client, server), CopyAsync(server, client));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
            }

            lock (_open)
            {
                _open.Remove(client);
                _open.Remove(server);
            }
        }
    }

    private async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[PieceBytes];
        try
        {
            while (await from.ReceiveAsync(buffer, _stop.Token) is > 0 and var read)
            {
                if (Interlocked.Read(ref _bytesPerSecond) is > 0 and var rate)
                {
                    await Task.Delay(TimeSpan.FromSeconds((double)read / rate), _stop.Token);
                }

                for (var at = 0; at < read;)
                {
                    at += await to.SendAsync(buffer.AsMemory(at, read - at), _stop.Token);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }
}
