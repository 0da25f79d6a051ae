using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;

namespace Cairn.Web;

/// <summary>Tells everybody who looks where the run stands, as it changes: made once for all, at most four times a second. Who does not read what is sent is let go and
/// may come back; nobody is waited for.</summary>
internal sealed class Viewers : IAsyncDisposable
{
    /// <summary>More viewers are sent away.</summary>
    public const int Most = 400;

    private const int Unread = 8;
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(10);
    private readonly Func<NowView> _now;
    private readonly TimeProvider _time;
    private readonly List<Viewer> _open = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _telling;
    private int _changed = 1;

    public Viewers(Func<NowView> now, TimeProvider time)
    {
        (_now, _time) = (now, time);
        _telling = Task.Run(TellAsync);
    }

    /// <summary>How many look.</summary>
    public int Count
    {
        get
        {
            lock (_open)
            {
                return _open.Count;
            }
        }
    }

    /// <summary>Something has changed.</summary>
    public void Wake() => Interlocked.Exchange(ref _changed, 1);

    /// <summary>Sends to one viewer until it goes, or is let go.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        var viewer = new Viewer(Channel.CreateBounded<byte[]>(Unread), new CancellationTokenSource());
        if (!Admit(viewer))
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }

        try
        {
            context.Response.ContentType = "text/event-stream";
            context.Response.Headers.CacheControl = "no-store";
            using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, viewer.LetGo.Token, _stop.Token);
            await SendAsync(context, Message(), either.Token);
            await foreach (var message in viewer.Unread.Reader.ReadAllAsync(either.Token))
            {
                await SendAsync(context, message, either.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // It went away, or was let go: then also in the middle of a word.
            context.Abort();
        }
        finally
        {
            lock (_open)
            {
                _open.Remove(viewer);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _telling;
        _stop.Dispose();
    }

    private bool Admit(Viewer viewer)
    {
        lock (_open)
        {
            if (_open.Count >= Most)
            {
                return false;
            }

            _open.Add(viewer);
            return true;
        }
    }

    private async Task TellAsync()
    {
        var told = _time.GetTimestamp();
        while (!_stop.IsCancellationRequested)
        {
            // A sign of life even if nothing changes: by it a viewer knows that the line is good.
            if (Interlocked.Exchange(ref _changed, 0) == 1 || _time.GetElapsedTime(told) >= Idle)
            {
                told = _time.GetTimestamp();
                TellAll();
            }

            await Task.Delay(Pace, _time, _stop.Token).ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    private void TellAll()
    {
        lock (_open)
        {
            if (_open.Count == 0)
            {
                return;
            }
        }

        var message = Message();
        List<Viewer> deaf;
        lock (_open)
        {
            deaf = _open.FindAll(viewer => !viewer.Unread.Writer.TryWrite(message));
        }

        deaf.ForEach(viewer => viewer.LetGo.Cancel());
    }

    private byte[] Message() => [.. "event: now\ndata: "u8, .. JsonSerializer.SerializeToUtf8Bytes(_now(), ViewJson.Default.NowView), .. "\n\n"u8];

    private static async Task SendAsync(HttpContext context, byte[] message, CancellationToken cancellation)
    {
        await context.Response.Body.WriteAsync(message, cancellation);
        await context.Response.Body.FlushAsync(cancellation);
    }

    /// <summary>One who looks.</summary>
    /// <param name="Unread">What it was not sent yet.</param>
    /// <param name="LetGo">Ends its service.</param>
    private sealed record Viewer(Channel<byte[]> Unread, CancellationTokenSource LetGo);
}
