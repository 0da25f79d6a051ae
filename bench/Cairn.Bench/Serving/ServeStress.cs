using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Cairn.Base;

namespace Cairn.Bench;

/// <summary>What became of the requests of a crowd.</summary>
/// <param name="Answered">Requests answered whole.</param>
/// <param name="Refused">Requests refused with a reason, by status.</param>
/// <param name="Left">Requests whose clients left on purpose.</param>
/// <param name="Unexplained">What should not have happened; the first few.</param>
/// <param name="MemoryBefore">Working set of the process before, in bytes.</param>
/// <param name="MemoryPeak">The largest meanwhile; clients and server are in one process.</param>
public sealed record ServeStressReport(
    long Answered, IReadOnlyDictionary<int, long> Refused, long Left, IReadOnlyList<string> Unexplained, long MemoryBefore, long MemoryPeak);

/// <summary>A crowd of clients that behave as badly as they can: slow readers, connections cut at any point, prompts of 10 MB, half a request, nonsense. Whoever stays must be served or
/// told why.</summary>
public sealed class ServeStress : IDisposable
{
    private const int PromptBytes = 10 << 20;
    private const int UnexplainedMax = 10;
    private static readonly byte[] Large = [.. "{\"prompt\":\""u8, .. Enumerable.Repeat((byte)'x', PromptBytes), .. "\"}"u8];
    private readonly Uri _address;
    private readonly HttpClient _http;
    private readonly Lock _gate = new();
    private readonly SortedDictionary<int, long> _refused = [];
    private readonly List<string> _unexplained = [];
    private long _answered;
    private long _left;

    private ServeStress(string address)
    {
        _address = new Uri(address);
        _http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = int.MaxValue, UseProxy = false }) { BaseAddress = _address, Timeout = TimeSpan.FromMinutes(2) };
    }

    /// <summary>Lets a crowd loose on a server of this process.</summary>
    /// <param name="address">Where it answers.</param>
    /// <param name="clients">How many at once.</param>
    /// <param name="time">For how long; what is under way then is waited for.</param>
    public static async Task<ServeStressReport> RunAsync(string address, int clients, TimeSpan time)
    {
        using var stress = new ServeStress(address);
        using var ended = new CancellationTokenSource();
        var before = Memory();
        var watching = WatchAsync(ended.Token);
        var until = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, clients).Select(client => Task.Run(() => stress.BehaveAsync(client, until, time))));
        await ended.CancelAsync();
        return new ServeStressReport(stress._answered, stress._refused, stress._left, stress._unexplained, before, Math.Max(before, await watching));
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task BehaveAsync(int client, Stopwatch clock, TimeSpan time)
    {
        var random = new SeededRandom(1, "crowd", client);
        for (var turn = client; clock.Elapsed < time; turn++)
        {
            var (tokens, pause) = (1 + random.NextBelow(60), random.NextBelow(50));
            try
            {
                await ((turn % 8) switch
                {
                    0 => AskAsync(new StringContent($"{{\"prompt\":\"client {client}\",\"max_tokens\":{tokens}}}"), "/v1/completions"),
                    1 => AskAsync(
                        new StringContent($"{{\"messages\":[{{\"role\":\"user\",\"content\":\"turn {turn}\"}}],\"max_tokens\":{tokens},\"stream\":true}}"),
                        "/v1/chat/completions"),
                    2 => ReadSlowlyAsync(tokens),
                    3 => CutAsync(tokens, pause),
                    4 => AskAsync(new ByteArrayContent(Large), "/v1/completions"),
                    5 => AskAsync(new Unmeasured(Large), "/v1/chat/completions"),
                    6 => SendHalfAsync(pause),
                    _ => AskAsync(new StringContent("{\"prompt\":[1,2,"), "/v1/completions"),
                });
            }
            catch (Exception e) when (e is HttpRequestException or IOException or SocketException or TaskCanceledException)
            {
                Unexplained($"behaviour {turn % 8}: {e.GetType().Name}: {e.Message} {e.InnerException?.Message}");
            }

            await Task.Delay(pause);
        }
    }

    private async Task AskAsync(HttpContent content, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var said = await answer.Content.ReadAsStringAsync();
        Note((int)answer.StatusCode, said, answer.Content.Headers.ContentType?.MediaType == "text/event-stream");
    }

    // A small window, and a few bytes at a time.
    private async Task ReadSlowlyAsync(int tokens)
    {
        using var socket = await ConnectAsync(receiveBytes: 1024);
        await SendAsync(socket, $"{{\"prompt\":\"slow\",\"max_tokens\":{4 * tokens},\"stream\":true}}");
        var (said, piece) = (new StringBuilder(), new byte[1024]);
        for (int count; (count = await socket.ReceiveAsync(piece)) > 0;)
        {
            said.Append(Encoding.Latin1.GetString(piece, 0, count));
            await Task.Delay(2);
        }

        Note(StatusOf(said.ToString()), said.ToString(), said.ToString().Contains("event-stream", StringComparison.Ordinal));
    }

    private async Task CutAsync(int tokens, int pause)
    {
        using var socket = await ConnectAsync();
        await SendAsync(socket, $"{{\"prompt\":\"cut\",\"max_tokens\":{20 * tokens},\"stream\":true}}");
        await Task.Delay(pause);
        if (pause % 2 == 0)
        {
            // Without a good-bye: the line is reset.
            socket.LingerState = new LingerOption(true, 0);
        }

        Interlocked.Increment(ref _left);
    }

    private async Task SendHalfAsync(int pause)
    {
        using var socket = await ConnectAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{\"prompt\":"));
        await Task.Delay(4 * pause);
        Interlocked.Increment(ref _left);
    }

    private async Task<Socket> ConnectAsync(int? receiveBytes = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        if (receiveBytes is { } bytes)
        {
            socket.ReceiveBufferSize = bytes;
        }

        await socket.ConnectAsync(IPAddress.Loopback, _address.Port);
        return socket;
    }

    private static async Task SendAsync(Socket socket, string body) => await socket.SendAsync(
        Encoding.ASCII.GetBytes($"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {body.Length}\r\n\r\n{body}"));

    private static int StatusOf(string said) => said.Length > 12 && int.TryParse(said.AsSpan(9, 3), out var status) ? status : 0;

    private void Note(int status, string said, bool streamed)
    {
        lock (_gate)
        {
            if (status == 200 && (!streamed || said.Contains("data: [DONE]", StringComparison.Ordinal)))
            {
                _answered++;
            }
            else if (status is >= 400 and < 500 && said.Contains("\"message\"", StringComparison.Ordinal))
            {
                _refused[status] = _refused.GetValueOrDefault(status) + 1;
            }
            else
            {
                Unexplained($"status {status}: {said[..Math.Min(said.Length, 200)]}");
            }
        }
    }

    private void Unexplained(string what)
    {
        lock (_gate)
        {
            if (_unexplained.Count < UnexplainedMax)
            {
                _unexplained.Add(what);
            }
        }
    }

    private static async Task<long> WatchAsync(CancellationToken cancellation)
    {
        var peak = 0L;
        while (!cancellation.IsCancellationRequested)
        {
            peak = Math.Max(peak, Memory());
            await Task.Delay(100, cancellation).ContinueWith(_ => { }, TaskScheduler.Default);
        }

        return peak;
    }

    private static long Memory()
    {
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    /// <summary>A body that does not say how long it is.</summary>
    private sealed class Unmeasured(byte[] body) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (var at = 0; at < body.Length; at += 1 << 16)
            {
                await stream.WriteAsync(body.AsMemory(at, Math.Min(1 << 16, body.Length - at)));
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
