using Cairn.Exchange;

namespace Cairn.Node.Tests;

public sealed class PatientFetchTests
{
    [Fact]
    public async Task A_store_that_does_not_answer_is_asked_again()
    {
        var (outcome, turns) = await AskAsync(FetchStatus.Unreachable, FetchStatus.Unreachable, FetchStatus.Found);
        Assert.Equal((FetchStatus.Found, 3), (outcome.Status, turns));
    }

    [Fact]
    public async Task A_store_that_never_answers_is_asked_a_bounded_number_of_times()
    {
        var (outcome, turns) = await AskAsync(FetchStatus.Unreachable);
        Assert.Equal((FetchStatus.Unreachable, PatientFetch.TurnsMax), (outcome.Status, turns));
    }

    [Theory]
    [InlineData(FetchStatus.Found)]
    [InlineData(FetchStatus.Missing)]
    [InlineData(FetchStatus.Corrupt)]
    [InlineData(FetchStatus.TooLarge)]
    public async Task Any_other_answer_is_final(FetchStatus status)
    {
        var (outcome, turns) = await AskAsync(status);
        Assert.Equal((status, 1), (outcome.Status, turns));
    }

    // The store says one after the other, and the last for ever.
    private static async Task<(FetchOutcome Outcome, int Turns)> AskAsync(params FetchStatus[] says)
    {
        var turns = 0;
        var outcome = await PatientFetch.AskAsync(
            () =>
            {
                var status = says[Math.Min(turns++, says.Length - 1)];
                return Task.FromResult(status == FetchStatus.Found ? FetchOutcome.Found([1]) : FetchOutcome.Failed(status, "a reason"));
            },
            new NoTime(), TestContext.Current.CancellationToken);
        return (outcome, turns);
    }

    /// <summary>A clock whose waits are over at once.</summary>
    internal sealed class NoTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime < TimeSpan.Zero ? dueTime : TimeSpan.Zero, period);
    }
}
