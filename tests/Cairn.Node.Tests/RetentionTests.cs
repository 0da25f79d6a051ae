using Cairn.Base;
using Cairn.Exchange;

namespace Cairn.Node.Tests;

public sealed class RetentionTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_lies_before_an_empty_round_is_deleted_as_any_other()
    {
        var cancel = TestContext.Current.CancellationToken;
        var store = new DirectoryStore(_folder["store"]);
        // Round 3 closed empty; nobody was running when round 1 should have been forgotten.
        foreach (var round in new[] { 0, 1, 2, 4, 5, 6 })
        {
            await store.PutAsync(ObjectKey.Update(new Round(round), Digest.Of([(byte)round])), new byte[3], cancel);
            await store.PutAsync(ObjectKey.Delta(new Round(round), new Uid(2)), new byte[3], cancel);
        }

        await store.PutAsync(ObjectKey.Checkpoint(new Round(0), "model.safetensors"), new byte[3], cancel);

        await Retention.ForgetAsync(store, updatesFrom: new Round(5), deltasFrom: new Round(2), cancel);

        var left = new List<string>();
        await foreach (var key in store.ListAsync("", cancel))
        {
            left.Add(key.Text);
        }

        Assert.Equal(["checkpoints/000000", .. Kept("deltas", 2), .. Kept("deltas", 4), .. Kept("deltas", 5), .. Kept("updates", 5), .. Kept("deltas", 6), .. Kept("updates", 6)],
            left.Select(text => text[..text.LastIndexOf('/')]));

        static string[] Kept(string kind, int round) => [$"rounds/{round:D6}/{kind}"];
    }

    [Fact]
    public async Task Before_enough_rounds_nothing_is_deleted()
    {
        var cancel = TestContext.Current.CancellationToken;
        var store = new DirectoryStore(_folder["store"]);
        var key = ObjectKey.Update(new Round(0), Digest.Zero);
        await store.PutAsync(key, new byte[3], cancel);
        await Retention.ForgetAsync(store, new Round(-3), new Round(-40), cancel);
        Assert.True(await store.ExistsAsync(key, cancel));
    }
}
