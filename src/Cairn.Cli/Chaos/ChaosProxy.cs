using System.Buffers;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Cairn.Cli.Chaos;

/// <summary>A line to a server that can be cut and slowed, and made longer: connections to its port are passed on to the server as they are.</summary>
internal sealed class ChaosProxy : IDisposable
{
    private const int PieceBytes = 16 << 10;
    private const int LatePieceBytes = 64 << 10;
    // As many as a line of 1 Gb/s has on the way in a quarter of a second.
    private const int LatePiecesMax = 512;
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly IPEndPoint _server;
    private readonly HashSet<Socket> _open = [];
    private volatile bool _cut;
    private readonly TimeSpan _roundTrip;
    private long _bytesPerSecond;

    /// <summary>Begins to listen.</summary>
    /// <param name="server">To where it leads.</param>
    /// <param name="listen">The address to listen on; null for this machine alone.</param>
    /// <param name="roundTrip">How long a byte takes there and back beyond what it takes anyway; a new connection takes that once more, as a handshake does.</param>
    public ChaosProxy(IPEndPoint server, IPAddress? listen = null, TimeSpan roundTrip = default)
    {
        (_server, _roundTrip) = (server, roundTrip);
        _listener = new TcpListener(listen ?? IPAddress.Loopback, 0);
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
                await (_roundTrip == TimeSpan.Zero ? Task.WhenAny(CopyAsync(client, server), CopyAsync(server, client))
                    : Task.WhenAny(CopyLateAsync(client, server, _roundTrip), CopyLateAsync(server, client, TimeSpan.Zero)));
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

    // Every piece is passed on half a round trip after it came, however many are on the way; the first of a connection after its handshake besides.
    private async Task CopyLateAsync(Socket from, Socket to, TimeSpan handshake)
    {
        var onTheWay = Channel.CreateBounded<(byte[] Bytes, int Count, long Due)>(LatePiecesMax);
        var sending = SendLateAsync(onTheWay.Reader, to);
        var opened = Stopwatch.GetTimestamp() + Ticks(handshake);
        try
        {
            while (true)
            {
                var bytes = ArrayPool<byte>.Shared.Rent(LatePieceBytes);
                if (await from.ReceiveAsync(bytes, _stop.Token) is not (> 0 and var count))
                {
                    break;
                }

                var came = Math.Max(opened, Stopwatch.GetTimestamp());
                await onTheWay.Writer.WriteAsync((bytes, count, came + (Ticks(_roundTrip) / 2)), _stop.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }

        onTheWay.Writer.Complete();
        await sending;
    }

    private async Task SendLateAsync(ChannelReader<(byte[] Bytes, int Count, long Due)> onTheWay, Socket to)
    {
        try
        {
            await foreach (var (bytes, count, due) in onTheWay.ReadAllAsync(_stop.Token))
            {
                var wait = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
                if (wait > TimeSpan.FromMilliseconds(1))
                {
                    await Task.Delay(wait, _stop.Token);
                }

                for (var at = 0; at < count;)
                {
                    at += await to.SendAsync(bytes.AsMemory(at, count - at), _stop.Token);
                }

                ArrayPool<byte>.Shared.Return(bytes);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);
}
