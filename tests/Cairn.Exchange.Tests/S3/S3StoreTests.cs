using System.Diagnostics;
using Cairn.Base;

[assembly: AssemblyFixture(typeof(Cairn.Exchange.Tests.S3Server))]

namespace Cairn.Exchange.Tests;

/// <summary>The contract on a real S3 server, and what only such a server has.</summary>
public sealed class S3StoreTests(S3Server server) : ObjectStoreContract, IDisposable
{
    private readonly List<IDisposable> _owned = [];

    public void Dispose() => _owned.ForEach(owned => owned.Dispose());

    protected override IObjectStore Open() => OpenStore(server.NewBucketAsync("a/run").GetAwaiter().GetResult(), S3Server.Owner);

    [Fact]
    public async Task Large_objects_travel_in_pieces_and_come_back_whole()
    {
        var options = new S3Options { PartBytes = 5 << 20 };
        var store = OpenStore(await server.NewBucketAsync(), S3Server.Owner, options);
        var bytes = Content((12 << 20) + 17);
        await Put(store, Key("run/large"), bytes);
        var got = await store.GetAsync(Key("run/large"), bytes.Length, Cancel);
        Assert.Equal((FetchStatus.Found, ""), (got.Status, got.Detail));
        Assert.True(bytes.AsSpan().SequenceEqual(got.Bytes));
        Assert.Equal(FetchStatus.TooLarge, (await store.GetAsync(Key("run/large"), bytes.Length - 1, Cancel)).Status);
        Assert.Equal(PutStatus.Exists, (await store.CreateAsync(Key("run/large"), bytes, Cancel)).Status);
        Assert.Equal(PutStatus.Stored, (await store.CreateAsync(Key("run/other"), bytes, Cancel)).Status);
    }

    [Fact]
    public async Task Whoever_has_the_published_address_reads_and_cannot_write()
    {
        var address = await server.NewBucketAsync("ours");
        var store = OpenStore(address, S3Server.Owner);
        await Put(store, Key("run/x"), Content(100));

        Assert.True(S3Address.TryParse(address.ToString(), out var published, out _));
        var reader = OpenStore(published, null);
        Assert.Equal(Content(100), (await reader.GetAsync(Key("run/x"), 100, Cancel)).Bytes);
        Assert.Equal(["run/x"], await List(reader, ""));
        var refused = await reader.PutAsync(Key("run/y"), Content(1), Cancel);
        Assert.Equal(PutStatus.Refused, refused.Status);
        Assert.Contains("right to write", refused.Detail, StringComparison.Ordinal);
        Assert.False(await reader.DeleteAsync(Key("run/x"), Cancel));
        Assert.True(await reader.ExistsAsync(Key("run/x"), Cancel));
    }

    [Fact]
    public async Task What_is_not_for_us_is_missing_and_not_a_crash()
    {
        var address = await server.NewBucketAsync();
        await Put(OpenStore(address, S3Server.Owner), Key("run/x"), Content(10));
        Assert.Equal(FetchStatus.Missing, (await OpenStore(address, S3Server.Other).GetAsync(Key("run/x"), 10, Cancel)).Status);
        Assert.Equal(FetchStatus.Missing, (await OpenStore(address with { Reader = null }, null).GetAsync(Key("run/x"), 10, Cancel)).Status);
        Assert.Empty(await List(OpenStore(address, S3Server.Other), ""));
    }

    [Fact]
    public async Task Prefixes_of_one_bucket_do_not_see_each_other()
    {
        var address = await server.NewBucketAsync("one");
        var (one, two) = (OpenStore(address, S3Server.Owner), OpenStore(address with { Prefix = "one-more" }, S3Server.Owner));
        await Put(one, Key("run/x"), Content(1));
        await Put(two, Key("run/y"), Content(2));
        Assert.Equal(["run/x"], await List(one, ""));
        Assert.Equal(["run/y"], await List(two, ""));
    }

    [Fact]
    public async Task More_keys_than_fit_on_a_page_are_listed()
    {
        var store = OpenStore(await server.NewBucketAsync(), S3Server.Owner);
        var keys = Enumerable.Range(0, 1050).Select(i => $"run/{i:D5}").ToArray();
        await Parallel.ForEachAsync(keys, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (key, stop) => await store.PutAsync(Key(key), Content(1), stop));
        Assert.Equal(keys, await List(store, "run/"));
    }

    [Theory]
    [InlineData("key", "does not know the access key")]
    [InlineData("secret", "secret key is not that")]
    [InlineData("bucket", "create it")]
    [InlineData("endpoint", "Connection refused")]
    public async Task Wrong_settings_are_told_with_the_remedy(string wrong, string says)
    {
        var address = await server.NewBucketAsync();
        var account = wrong switch
        {
            "key" => S3Server.Owner with { AccessKey = "NOBODY" },
            "secret" => S3Server.Owner with { SecretKey = "verysecretguess" },
            _ => S3Server.Owner,
        };
        address = wrong switch
        {
            "bucket" => address with { Bucket = "not-there-at-all" },
            "endpoint" => address with { Endpoint = new Uri("http://127.0.0.1:9") },
            _ => address,
        };
        var store = OpenStore(address, account);
        var outcome = await store.PutAsync(Key("run/x"), Content(3), Cancel);
        Assert.Equal(wrong == "endpoint" ? PutStatus.Unreachable : PutStatus.Refused, outcome.Status);
        Assert.Contains(says, outcome.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("verysecretguess", outcome.Detail, StringComparison.Ordinal);
        Assert.NotEqual(FetchStatus.Found, (await store.GetAsync(Key("run/x"), 3, Cancel)).Status);
        Assert.False(await store.ExistsAsync(Key("run/x"), Cancel));
    }

    [Fact]
    public async Task A_stranger_cannot_send_us_to_our_own_network()
    {
        var address = await server.NewBucketAsync();
        await Put(OpenStore(address, S3Server.Owner), Key("run/x"), Content(10));
        var line = Own(new S3Line(new S3Options(), allowPrivateHosts: false));
        var store = Own(new S3Store(address, null, line, stranger: true));
        var outcome = await store.GetAsync(Key("run/x"), 10, Cancel);
        Assert.Equal(FetchStatus.Unreachable, outcome.Status);
        Assert.Contains("private network", outcome.Detail, StringComparison.Ordinal);
        Assert.Equal(FetchStatus.Found, (await Own(new S3Store(address, null, line, stranger: false)).GetAsync(Key("run/x"), 10, Cancel)).Status);
    }

    [Fact]
    public async Task Rates_are_kept()
    {
        var address = await server.NewBucketAsync();
        var bytes = Content(400_000);
        var slow = OpenStore(address, S3Server.Owner, new S3Options { UpBytesPerSecond = 400_000, DownBytesPerSecond = 800_000 });
        var clock = Stopwatch.StartNew();
        await Put(slow, Key("run/x"), bytes);
        Assert.True(clock.Elapsed > TimeSpan.FromSeconds(0.8), $"sent in {clock.Elapsed}");
        clock.Restart();
        Assert.Equal(bytes, (await slow.GetAsync(Key("run/x"), bytes.Length, Cancel)).Bytes);
        Assert.True(clock.Elapsed > TimeSpan.FromSeconds(0.4), $"received in {clock.Elapsed}");
    }

    [Fact]
    public async Task A_rate_changes_no_answer()
    {
        var address = await server.NewBucketAsync();
        var options = new S3Options { UpBytesPerSecond = 10_000_000, DownBytesPerSecond = 10_000_000 };
        var store = OpenStore(address, S3Server.Owner, options);
        await Put(store, Key("run/x"), Content(10));
        Assert.Equal(["run/x"], await List(store, ""));
        Assert.Equal(FetchStatus.Missing, (await store.GetAsync(Key("run/y"), 10, Cancel)).Status);
        var refused = await OpenStore(address, S3Server.Other, options).PutAsync(Key("run/z"), Content(10), Cancel);
        Assert.Equal(PutStatus.Refused, refused.Status);
        Assert.Contains("right to write", refused.Detail, StringComparison.Ordinal);
    }

    private S3Store OpenStore(S3Address address, S3Credentials? writer, S3Options? options = null) =>
        Own(new S3Store(address, writer, Own(new S3Line(options ?? new S3Options(), allowPrivateHosts: true)), stranger: false));

    private T Own<T>(T owned)
        where T : IDisposable
    {
        _owned.Add(owned);
        return owned;
    }
}
