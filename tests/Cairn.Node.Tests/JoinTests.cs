using Cairn.Base;
using Cairn.Exchange;

namespace Cairn.Node.Tests;

/// <summary>A stranger's folder, made from an invite and what a store gives.</summary>
public sealed class JoinTests(SmallRun small)
{
    [Fact]
    public async Task A_list_of_data_that_was_damaged_in_the_store_is_fetched_anew_once_it_is_right_again()
    {
        using var folder = new TestFolder();
        var cancellation = TestContext.Current.CancellationToken;
        Swarm.Found(small.Options(folder["run"]), folder["store"], new StoreAccess(), _ => { }, cancellation);
        var list = Directory.EnumerateFiles(folder["store"], "manifest.json", SearchOption.AllDirectories).Single();
        var right = await File.ReadAllBytesAsync(list, cancellation);
        await File.WriteAllBytesAsync(list, right[..^40], cancellation);
        var (invite, joined) = (Invite.Of(new RunDirectory(folder["run"])), new RunDirectory(folder["joined"]));
        var refused = await Assert.ThrowsAsync<InputException>(() => RunSetup.JoinAsync(invite, joined, [], _ => { }, cancellation));
        Assert.Contains("damaged in its store", refused.Message, StringComparison.Ordinal);
        await File.WriteAllBytesAsync(list, right, cancellation);
        await RunSetup.JoinAsync(invite, joined, [], _ => { }, cancellation);
        Assert.True(joined.HoldsRun || File.Exists(joined.Rules));
    }

    [Fact]
    public void A_node_of_which_only_the_settled_state_is_left_can_go_back_to_the_round_it_begins_from()
    {
        using var folder = new TestFolder();
        var run = small.CopyOfLate(folder);
        var own = run.Node("peer-1");
        foreach (var slot in new[] { "state-0.bin", "state-1.bin" })
        {
            File.Delete(Path.Combine(own, slot));
        }

        var rules = RunSetup.ReadRules(run);
        using var log = new EventLog(run.Events, null);
        using var context = new RunContext(run, rules, Data.DataSet.Open(run.Data), log, threads: 1, users: 1) { Stores = RunStores.One(new DirectoryStore(run.Store)) };
        using var replica = Replica.Open(context, own, trains: true);
        Assert.True(replica.Next.Number > 0);
        Assert.True(File.Exists(Path.Combine(own, $"state-{replica.Next.Number & 1}.bin")));
        Assert.Equal(replica.BaseDigest, replica.Recompute(replica.Next, []));
    }
}
