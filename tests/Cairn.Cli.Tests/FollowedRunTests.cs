using System.Collections.Concurrent;
using Cairn.Base;
using Cairn.Cli.Serving;
using Cairn.Formats;
using Cairn.Inference;
using Cairn.Node;
using Cairn.Node.Tests;
using Cairn.Web;

namespace Cairn.Cli.Tests;

/// <summary>What becomes of a server's model while the run that it follows goes on.</summary>
public sealed class FollowedRunTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly ConcurrentQueue<string> _told = new();
    private readonly TaskCompletionSource<ServedModel> _served = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_fails_once_is_tried_again_though_the_ledger_says_nothing_new_and_the_server_goes_on_meanwhile()
    {
        await Runs.FinishAsync(_folder, "run", 6);
        var run = new RunDirectory(_folder["run"]);
        var tries = 0;
        ServedModel Load(string folder)
        {
            switch (++tries)
            {
                case <= 3:
                    throw new InputException("the store is away.");
                case 4:
                    // More than any array may have.
                    _ = new long[int.MaxValue];
                    break;
            }

            using var file = ModelFile.Open(folder);
            return ServedModel.Load(file, "run", Path.GetFileName(folder), new BatchModelOptions());
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        using var followed = new FollowedRun(run, NamedCheckpoints.Open(run), "an older one", Load, _served.SetResult, _told.Enqueue, new NoTime());
        var following = followed.FollowAsync(stop.Token);
        var served = await await Task.WhenAny(_served.Task, Failure<ServedModel>(following));
        Assert.Equal("000005", served.Version);
        // Each reason once, however often it was tried.
        Assert.Equal(2, _told.Count);
        Assert.EndsWith("cannot be served: the store is away.", _told.First(), StringComparison.Ordinal);
        Assert.Contains("no memory for a second model", _told.Last(), StringComparison.Ordinal);

        // A ledger that breaks under the server is told, and the server goes on.
        var whole = await File.ReadAllBytesAsync(run.Ledger, stop.Token);
        using (var ledger = new FileStream(run.Ledger, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            // At once: whoever reads meanwhile sees the whole or the half.
            ledger.SetLength(whole.Length / 2);
        }

        while (_told.Count < 3)
        {
            Assert.False(following.IsCompleted);
            await Task.Delay(1, stop.Token);
        }

        Assert.Contains("cut off behind this node", _told.ElementAt(2), StringComparison.Ordinal);
        await File.WriteAllBytesAsync(run.Ledger, whole, stop.Token);
        Assert.False(following.IsCompleted);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);
        Assert.Equal(5, tries);
        served.Dispose();
    }

    private static async Task<T> Failure<T>(Task task)
    {
        await task;
        throw new InvalidOperationException("it ended");
    }

    /// <summary>A clock whose waits are over at once.</summary>
    private sealed class NoTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime < TimeSpan.Zero ? dueTime : TimeSpan.FromMilliseconds(1), period);
    }
}
