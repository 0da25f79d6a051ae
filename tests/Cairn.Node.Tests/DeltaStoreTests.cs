using Cairn.Base;
using Cairn.Data;
using Cairn.Exchange;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Node.Tests;

public sealed class DeltaStoreTests(SmallRun run)
{
    [Fact]
    public async Task A_mean_that_the_store_did_not_take_is_put_again_after_the_next_round()
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        var rules = RunRulesFile.Read(File.ReadAllBytes(half.Rules), half.Rules);
        using var log = new EventLog(half.Events, null);
        using var context = new RunContext(half, rules, DataSet.Open(half.Data), log, threads: 1, users: 1);
        var ledger = context.ReplayLedger();
        var store = new DirectoryStore(folder["own"], flush: false);
        using var deltas = new DeltaStore(context, "validator-1");
        var inTheWay = Path.Combine(folder["own"], "rounds", "000001", "deltas");
        Directory.CreateDirectory(Path.GetDirectoryName(inTheWay)!);
        File.WriteAllText(inTheWay, "a file where the folder should be");

        await PutAsync(1);
        Assert.False(await store.ExistsAsync(ObjectKey.Delta(new Round(1), new Uid(2)), TestContext.Current.CancellationToken));
        File.Delete(inTheWay);
        await PutAsync(2);

        foreach (var round in new[] { 1, 2 })
        {
            var key = ObjectKey.Delta(new Round(round), new Uid(2));
            var got = await store.GetAsync(key, 1 << 20, TestContext.Current.CancellationToken);
            Assert.Equal(FetchStatus.Found, got.Status);
            using var read = Sparse.RoundDelta.TryRead(
                new MemoryStream(got.Bytes), context.Grid, context.RulesDigest, new Round(round), ledger.ManifestOf(new Round(round))!.Digest, out _);
            Assert.NotNull(read);
        }

        Assert.Equal(1, EventLog.Read(half.Events).Select(line => line.Data).OfType<DeltaNotPut>().Count(told => told.Round == 1));

        Task PutAsync(int round)
        {
            var delta = deltas.Begin(ledger.ManifestOf(new Round(round))!, new Uid(2));
            for (var tensor = 0; tensor < context.Grid.TensorCount; tensor++)
            {
                delta.Write(new float[context.Grid[tensor].Spec.Length]);
            }

            return deltas.PutAsync(store, delta, TestContext.Current.CancellationToken);
        }
    }
}
