using Cairn.Node;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Cairn.Cli.Views;

/// <summary>A table that redraws itself in a terminal: the run on top, a line per peer below, the loss as a curve of bars.</summary>
internal sealed class LiveView : IRunView
{
    private const int CurveWidth = 48;
    private const string Bars = "▁▂▃▄▅▆▇█";
    private readonly Lock _lock = new();
    private readonly RunProgress _progress = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly IAnsiConsole _console;
    private Task? _drawing;

    public LiveView(IAnsiConsole console) => _console = console;

    public void Prepare(string what) => _console.MarkupLineInterpolated($"[grey]{what}[/]");

    public void Show(RunEvent happened)
    {
        lock (_lock)
        {
            _progress.Observe(happened);
            _drawing ??= Task.Run(DrawAsync);
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _drawing?.GetAwaiter().GetResult();
        _stop.Dispose();
    }

    private async Task DrawAsync()
    {
        await _console.Live(Draw()).StartAsync(async live =>
        {
            while (!_stop.IsCancellationRequested)
            {
                live.UpdateTarget(Draw());
                live.Refresh();
                await Task.Delay(150, _stop.Token).ContinueWith(_ => { }, TaskScheduler.Default);
            }

            live.UpdateTarget(Draw());
            live.Refresh();
        });
    }

    private Rows Draw()
    {
        lock (_lock)
        {
            return new Rows(Head(), Curve(), Peers());
        }
    }

    private Markup Head()
    {
        var (started, now, first) = (_progress.Started, _progress.Latest, _progress.First);
        var loss = now is null || first is null
            ? "measuring…"
            : $"[bold]{now.Loss:F4}[/] nats/token  [bold]{now.BitsPerByte:F3}[/] bits/byte  ({100 * (1 - (now.Loss / first.Loss)):F1} % below the start)";
        return new Markup(
            $"[bold]round {_progress.Round + 1}/{started?.Rounds}[/]  {Markup.Escape(_progress.Stage)}   held-out loss {loss}\n" +
            $"[grey]{_progress.TokensPerSecond:N0} tokens/s   {now?.Tokens ?? 0:N0} tokens   updates {_progress.Compression:F0}x smaller than fp32   " +
            $"{started?.Parameters ?? 0:N0} parameters   rules {started?.RulesDigest[..8]}[/]");
    }

    private Markup Curve()
    {
        var curve = _progress.Curve;
        if (curve.Count < 2)
        {
            return new Markup("");
        }

        var (high, low) = (curve.Max(p => p.Loss), curve.Min(p => p.Loss));
        var width = Math.Min(CurveWidth, curve.Count);
        var text = string.Concat(Enumerable.Range(0, width).Select(column =>
        {
            var loss = curve[(int)((long)column * (curve.Count - 1) / Math.Max(1, width - 1))].Loss;
            return Bars[(int)Math.Round((loss - low) / Math.Max(1e-9, high - low) * (Bars.Length - 1))];
        }));
        return new Markup($"[green]{text}[/] [grey]{high:F2} → {low:F2}[/]");
    }

    private IRenderable Peers()
    {
        var table = new Table().Border(TableBorder.Simple);
        table.AddColumns("peer", "doing", "train loss", "probe gain", "rating", "accepted", "refused", "last update", "sent in all");
        foreach (var peer in _progress.Peers)
        {
            table.AddRow(
                peer.Name, peer.Doing, $"{peer.LastLoss:F3}", peer.Score is { } score ? $"{score:+0.0000;-0.0000}" : "–", $"{peer.Rating:F2}",
                $"{peer.Accepted}", peer.Rejected == 0 ? "0" : $"{peer.Rejected} ({peer.LastRejection})",
                $"{peer.Bytes / 1024.0:F1} KiB", $"{peer.BytesSent / 1024.0 / 1024:F2} MiB");
        }

        return table;
    }
}
