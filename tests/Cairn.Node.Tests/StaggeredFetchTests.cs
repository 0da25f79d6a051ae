using Cairn.Base;
using Cairn.Exchange;
using Cairn.Ledger;

namespace Cairn.Node.Tests;

/// <summary>One object asked for at several stores, some of which drip, fail or lie.</summary>
public sealed class StaggeredFetchTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_store_that_drips_holds_nobody_up_where_another_has_the_object()
    {
        var givenUp = 0;
        var outcome = await AskAsync(Drips(() => givenUp++), Drips(() => givenUp++), Says(FetchStatus.Found), Drips(() => givenUp += 100));
        Assert.Equal((FetchStatus.Found, 2), (outcome.Status, givenUp));
    }

    [Fact]
    public async Task The_next_is_asked_at_once_where_the_one_before_has_failed_and_not_at_all_where_it_gave()
    {
        var outcome = await StaggeredFetch.FirstAsync([Says(FetchStatus.Missing), Says(FetchStatus.Unreachable), Says(FetchStatus.Found), Never], System.Threading.Timeout.InfiniteTimeSpan, TimeProvider.System, Cancel);
        Assert.Equal(FetchStatus.Found, outcome.Status);
    }

    [Fact]
    public async Task Who_is_slow_and_gives_in_the_end_has_given()
    {
        var outcome = await AskAsync(async stop =>
        {
            await Task.Delay(4 * Patience, stop);
            return FetchOutcome.Found([1]);
        }, Says(FetchStatus.Missing));
        Assert.Equal(FetchStatus.Found, outcome.Status);
    }

    [Fact]
    public async Task Where_nobody_has_it_the_first_is_believed()
    {
        var outcome = await AskAsync(Says(FetchStatus.Corrupt), Says(FetchStatus.Missing), Says(FetchStatus.Unreachable));
        Assert.Equal(FetchStatus.Corrupt, outcome.Status);
    }

    [Fact]
    public async Task Who_gives_up_waits_for_nobody()
    {
        using var impatient = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        impatient.CancelAfter(2 * Patience);
        var givenUp = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => StaggeredFetch.FirstAsync([Drips(() => givenUp++), Drips(() => givenUp++)], Patience, TimeProvider.System, impatient.Token));
        Assert.InRange(givenUp, 1, 2);
    }

    [Fact]
    public void Who_is_silent_round_after_round_has_less_and_less_time_until_he_answers()
    {
        var (silences, uid, all) = (new Silences(), new Uid(3), TimeSpan.FromMinutes(5));
        Assert.Equal(all, silences.TimeOf(uid, all));
        var times = Enumerable.Range(0, 12).Select(_ =>
        {
            silences.Count(uid, silent: true);
            return silences.TimeOf(uid, all);
        }).ToList();
        Assert.Equal((all / 2, all / 4, TimeSpan.FromSeconds(2)), (times[0], times[1], times[^1]));
        Assert.True(times.Aggregate(TimeSpan.Zero, (sum, time) => sum + time) < 1.1 * all);
        Assert.Equal(TimeSpan.FromSeconds(1), silences.TimeOf(uid, TimeSpan.FromSeconds(1)));
        silences.Count(uid, silent: false);
        Assert.Equal(all, silences.TimeOf(uid, all));
    }

    [Fact]
    public void What_was_said_of_an_object_is_forgotten_with_its_round()
    {
        var silences = new Silences();
        var (old, newer) = (Digest.Of("old"u8), Digest.Of("new"u8));
        silences.Note(new Round(4), old);
        silences.Note(new Round(5), newer);
        Assert.True(silences.IsNoted(old) && silences.IsNoted(newer));
        silences.Forget(new Round(4));
        Assert.Equal((false, true), (silences.IsNoted(old), silences.IsNoted(newer)));
    }

    private static Task<FetchOutcome> AskAsync(params Func<CancellationToken, Task<FetchOutcome>>[] sources) =>
        StaggeredFetch.FirstAsync(sources, Patience, TimeProvider.System, Cancel);

    private static Task<FetchOutcome> Never(CancellationToken stop) => throw new InvalidOperationException("asked for nothing");

    private static Func<CancellationToken, Task<FetchOutcome>> Says(FetchStatus status) =>
        _ => Task.FromResult(status == FetchStatus.Found ? FetchOutcome.Found([1]) : FetchOutcome.Failed(status, "a reason"));

    private static Func<CancellationToken, Task<FetchOutcome>> Drips(Action givenUp) => async stop =>
    {
        try
        {
            await Task.Delay(System.Threading.Timeout.Infinite, stop);
        }
        finally
        {
            givenUp();
        }

        return FetchOutcome.Failed(FetchStatus.Silent, "never");
    };
}
