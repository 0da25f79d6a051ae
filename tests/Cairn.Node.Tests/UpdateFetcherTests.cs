using Cairn.Base;
using Cairn.Data;
using Cairn.Exchange;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Node.Tests;

public sealed class UpdateFetcherTests(SmallRun run)
{
    [Theory]
    [InlineData(FetchStatus.Missing, true, Rejection.Missing)]
    [InlineData(FetchStatus.Corrupt, true, Rejection.NotAsCommitted)]
    [InlineData(FetchStatus.TooLarge, true, Rejection.TooLarge)]
    [InlineData(FetchStatus.Unreachable, false, Rejection.Missing)]
    public async Task Only_what_the_store_says_it_does_not_have_is_lost_and_may_be_stood_for_by_a_delta(FetchStatus status, bool lost, Rejection why)
    {
        var fetched = await FetchAsync(status, context => context.ObjectBytesMax);
        Assert.Equal((lost, why, "a reason"), (fetched.IsLost, fetched.Why, fetched.Detail));
    }

    [Theory]
    [InlineData(1, Rejection.TooLarge, "the rules allow")]
    [InlineData(-1_000_000, Rejection.Malformed, "which no update of this run has")]
    public async Task A_size_that_cannot_be_is_refused_with_what_is_wrong_about_it(long more, Rejection why, string named)
    {
        var fetched = await FetchAsync(FetchStatus.Found, context => Math.Max(0, context.ObjectBytesMax + more));
        Assert.Equal(why, fetched.Why);
        Assert.Contains(named, fetched.Detail, StringComparison.Ordinal);
    }

    private async Task<FetchedUpdate> FetchAsync(FetchStatus status, Func<RunContext, long> size)
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        var rules = RunRulesFile.Read(File.ReadAllBytes(half.Rules), half.Rules);
        using var log = new EventLog(half.Events, null);
        using var context = new RunContext(half, rules, DataSet.Open(half.Data), log, threads: 1, users: 1)
        {
            Stores = RunStores.One(new OneAnswer(status)),
            Time = new PatientFetchTests.NoTime(),
        };
        using var author = NodeKey.LoadOrCreate(folder["author.key"]);
        var opening = new Opening(Digest.Zero, size(context), Digest.Zero, Digest.Zero, Digest.Zero, Digest.Zero);
        return await UpdateFetcher.FetchAsync(context, new Round(3), new Uid(0), author.Public, opening, TestContext.Current.CancellationToken);
    }
}
