using Cairn.Base;

namespace Cairn.Exchange.Tests;

/// <summary>What every object store must do. A store is put through it by a sealed subclass that opens an empty one.</summary>
public abstract class ObjectStoreContract
{
    private protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A new, empty store.</summary>
    protected abstract IObjectStore Open();

    [Fact]
    public async Task What_was_put_is_what_is_got()
    {
        var store = Open();
        foreach (var length in new[] { 0, 1, 4096, 1_000_003 })
        {
            var bytes = Content(length);
            var key = ObjectKey.Update(new Round(12), Digest.Of(bytes));
            await Put(store, key, bytes);
            var outcome = await store.GetAsync(key, length, Cancel);
            Assert.Equal(FetchStatus.Found, outcome.Status);
            Assert.Equal(bytes, outcome.Bytes);
            Assert.True(await store.ExistsAsync(key, Cancel));
        }
    }

    [Fact]
    public async Task What_was_put_from_a_file_is_got_into_a_file_and_of_what_is_not_there_or_too_long_nothing_is()
    {
        var store = Open();
        var folder = Directory.CreateTempSubdirectory("cairn-files-");
        try
        {
            foreach (var length in new[] { 0, 1, 4096, (11 << 20) + 3 })
            {
                var (bytes, key) = (Content(length), Key($"run/file-{length}"));
                var (from, into) = (Path.Combine(folder.FullName, "from"), Path.Combine(folder.FullName, "into"));
                File.WriteAllBytes(from, bytes);
                File.WriteAllBytes(into, Content(7)); // What stands there before goes.
                using (var file = File.OpenHandle(from))
                {
                    Assert.Equal(PutStatus.Stored, (await store.PutAsync(key, file, Cancel)).Status);
                }

                using (var file = File.OpenHandle(into, FileMode.Open, FileAccess.ReadWrite))
                {
                    Assert.Equal(FetchStatus.Found, (await store.GetAsync(key, long.MaxValue, file, Cancel)).Status);
                    var outcome = await store.GetAsync(key, length, file, Cancel);
                    Assert.Equal((FetchStatus.Found, 0), (outcome.Status, outcome.Bytes.Length));
                    Assert.Equal(length == 0 ? FetchStatus.Found : FetchStatus.TooLarge, (await store.GetAsync(key, Math.Max(0, length - 1), file, Cancel)).Status);
                    Assert.Equal(FetchStatus.Missing, (await store.GetAsync(Key("run/nothing"), 100, file, Cancel)).Status);
                }

                Assert.Equal(bytes, File.ReadAllBytes(into));
                Assert.Equal(bytes, (await store.GetAsync(key, length, Cancel)).Bytes);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_missing_object_is_an_answer()
    {
        var store = Open();
        var outcome = await store.GetAsync(Key("run/nothing"), 100, Cancel);
        Assert.Equal(FetchStatus.Missing, outcome.Status);
        Assert.Empty(outcome.Bytes);
        Assert.NotEmpty(outcome.Detail);
        Assert.False(await store.ExistsAsync(Key("run/nothing"), Cancel));
        Assert.True(await store.DeleteAsync(Key("run/nothing"), Cancel));
    }

    [Fact]
    public async Task A_folder_of_objects_is_no_object()
    {
        var store = Open();
        await Put(store, Key("rounds/000001/delta/a"), Content(3));
        Assert.Equal(FetchStatus.Missing, (await store.GetAsync(Key("rounds/000001"), 100, Cancel)).Status);
        Assert.False(await store.ExistsAsync(Key("rounds/000001/delta"), Cancel));
    }

    [Fact]
    public async Task One_byte_too_many_is_refused_and_the_limit_itself_is_not()
    {
        var store = Open();
        await Put(store, Key("run/x"), Content(1000));
        var refused = await store.GetAsync(Key("run/x"), 999, Cancel);
        Assert.Equal(FetchStatus.TooLarge, refused.Status);
        Assert.Empty(refused.Bytes);
        Assert.Equal(FetchStatus.Found, (await store.GetAsync(Key("run/x"), 1000, Cancel)).Status);
        Assert.Equal(FetchStatus.Found, (await store.GetAsync(Key("run/x"), long.MaxValue, Cancel)).Status);
    }

    [Fact]
    public async Task A_part_is_just_what_was_asked_for_or_nothing()
    {
        var store = Open();
        var bytes = Content(100_000);
        await Put(store, Key("run/x"), bytes);
        Assert.Equal(bytes[..10], (await store.GetRangeAsync(Key("run/x"), 0, 10, Cancel)).Bytes);
        Assert.Equal(bytes[99_000..], (await store.GetRangeAsync(Key("run/x"), 99_000, 1000, Cancel)).Bytes);
        foreach (var (from, count) in new[] { (99_000L, 1001), (100_000L, 1), (long.MaxValue / 2, 5) })
        {
            var outcome = await store.GetRangeAsync(Key("run/x"), from, count, Cancel);
            Assert.NotEqual(FetchStatus.Found, outcome.Status);
            Assert.Empty(outcome.Bytes);
        }

        Assert.Equal(FetchStatus.Missing, (await store.GetRangeAsync(Key("run/y"), 0, 10, Cancel)).Status);
    }

    [Fact]
    public async Task A_second_put_replaces_the_first_whole()
    {
        var store = Open();
        await Put(store, Key("run/x"), Content(5000));
        await Put(store, Key("run/x"), Content(10));
        Assert.Equal(Content(10), (await store.GetAsync(Key("run/x"), 5000, Cancel)).Bytes);
    }

    [Fact]
    public async Task Of_many_who_create_one_object_exactly_one_does_and_nothing_replaces_it()
    {
        var store = Open();
        var contents = Enumerable.Range(1, 8).Select(i => Content(1000 * i)).ToArray();
        var outcomes = await Task.WhenAll(contents.Select(content => store.CreateAsync(Key("run/x"), content, Cancel)));
        var winner = Array.FindIndex(outcomes, outcome => outcome.Status == PutStatus.Stored);
        Assert.All(outcomes.Where((_, i) => i != winner), outcome => Assert.Equal(PutStatus.Exists, outcome.Status));
        Assert.Equal(contents[winner], (await store.GetAsync(Key("run/x"), 100_000, Cancel)).Bytes);
        Assert.Equal(PutStatus.Exists, (await store.CreateAsync(Key("run/x"), Content(3), Cancel)).Status);
        Assert.Equal(contents[winner], (await store.GetAsync(Key("run/x"), 100_000, Cancel)).Bytes);
        await Put(store, Key("run/x"), Content(3));
        Assert.Equal(Content(3), (await store.GetAsync(Key("run/x"), 100_000, Cancel)).Bytes);
    }

    [Fact]
    public async Task A_deleted_object_is_gone()
    {
        var store = Open();
        await Put(store, Key("run/x"), Content(5));
        Assert.True(await store.DeleteAsync(Key("run/x"), Cancel));
        Assert.Equal(FetchStatus.Missing, (await store.GetAsync(Key("run/x"), 5, Cancel)).Status);
        Assert.Empty(await List(store, ""));
    }

    [Fact]
    public async Task A_list_has_the_keys_of_the_prefix_in_byte_order()
    {
        var store = Open();
        string[] all =
        [
            "rounds/000001/a", "rounds/000001-old/b", "rounds/000001.txt", "rounds/000010/a", "rounds/000002/updates/c", "run/rules.json", "top",
        ];
        foreach (var key in all)
        {
            await Put(store, Key(key), Content(1));
        }

        Assert.Equal(all.Order(StringComparer.Ordinal), await List(store, ""));
        Assert.Equal(["rounds/000001-old/b", "rounds/000001.txt", "rounds/000001/a"], await List(store, "rounds/000001"));
        Assert.Equal(["rounds/000001/a"], await List(store, "rounds/000001/"));
        Assert.Equal(["rounds/000002/updates/c"], await List(store, "rounds/000002/upd"));
        Assert.Equal(["top"], await List(store, "top"));
        Assert.Empty(await List(store, "../"));
        Assert.Empty(await List(store, "/"));
        Assert.Empty(await List(store, "nothing/here"));
    }

    [Fact]
    public async Task A_verified_get_accepts_only_the_content_it_was_asked_for()
    {
        var store = Open();
        var (right, wrong) = (Content(100), Content(101));
        var key = ObjectKey.Update(new Round(0), Digest.Of(right));
        Assert.Equal(FetchStatus.Missing, (await store.GetVerifiedAsync(key, Digest.Of(right), 200, Cancel)).Status);
        await Put(store, key, wrong);
        var outcome = await store.GetVerifiedAsync(key, Digest.Of(right), 200, Cancel);
        Assert.Equal(FetchStatus.Corrupt, outcome.Status);
        Assert.Empty(outcome.Bytes);
        Assert.Equal(FetchStatus.TooLarge, (await store.GetVerifiedAsync(key, Digest.Of(right), 50, Cancel)).Status);
        await Put(store, key, right);
        Assert.Equal(right, (await store.GetVerifiedAsync(key, Digest.Of(right), 200, Cancel)).Bytes);
    }

    [Fact]
    public async Task Readers_see_one_of_many_puts_at_once_whole_or_nothing()
    {
        var store = Open();
        var key = Key("run/contested");
        var contents = Enumerable.Range(1, 4).Select(i => Enumerable.Repeat((byte)i, 50_000 * i).ToArray()).ToArray();
        var writers = contents.Select(content => Task.Run(async () =>
        {
            for (var again = 0; again < 10; again++)
            {
                await Put(store, key, content);
            }
        })).ToArray();
        var done = Task.WhenAll(writers);
        var seen = 0;
        while (!done.IsCompleted || seen == 0)
        {
            var outcome = await store.GetAsync(key, 200_000, Cancel);
            if (outcome.Status == FetchStatus.Found)
            {
                Assert.Equal(contents[outcome.Bytes[0] - 1], outcome.Bytes);
                seen++;
            }
            else
            {
                // A busy server may fail to answer; it must not answer with something else.
                Assert.True(outcome.Status is FetchStatus.Missing or FetchStatus.Unreachable, outcome.Detail);
            }
        }

        await done;
        Assert.Equal(["run/contested"], await List(store, ""));
    }

    [Fact]
    public async Task A_cancelled_put_leaves_nothing()
    {
        var store = Open();
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.PutAsync(Key("run/x"), Content(10), cancelled.Token));
        Assert.False(await store.ExistsAsync(Key("run/x"), Cancel));
    }

    private protected static async Task Put(IObjectStore store, ObjectKey key, byte[] bytes)
    {
        var outcome = await store.PutAsync(key, bytes, Cancel);
        Assert.Equal((PutStatus.Stored, ""), (outcome.Status, outcome.Detail));
    }

    private protected static ObjectKey Key(string text)
    {
        Assert.True(ObjectKey.TryParse(text, out var key), text);
        return key;
    }

    private protected static byte[] Content(int length)
    {
        var random = new SeededRandom(1, "content", length);
        var bytes = new byte[length];
        foreach (ref var b in bytes.AsSpan())
        {
            b = (byte)random.NextUInt64();
        }

        return bytes;
    }

    private protected static async Task<string[]> List(IObjectStore store, string prefix)
    {
        var keys = new List<string>();
        await foreach (var key in store.ListAsync(prefix, Cancel))
        {
            keys.Add(key.Text);
        }

        return [.. keys];
    }
}
