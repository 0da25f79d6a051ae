using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Cairn.Bench;
using Cairn.Node.Tests;

namespace Cairn.Web.Tests;

/// <summary>A run of many peers. CAIRN_LONG_HISTORY=1 takes 1,000 rounds instead of 24; times are measured by <c>cairn bench dashboard</c>.</summary>
public sealed class LongHistoryTests : IAsyncLifetime
{
    private const int Peers = 100;
    private static readonly int Rounds = Environment.GetEnvironmentVariable("CAIRN_LONG_HISTORY") is { Length: > 0 } ? 1000 : 24;
    private readonly TestFolder _folder = new();
    private Dashboard _dashboard = null!;
    private HttpClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        SyntheticHistory.Write(_folder.Root, Peers, validators: 3, Rounds);
        _dashboard = await Dashboard.StartAsync(FinishedRun.SourcesOf(new Node.RunDirectory(_folder.Root)), new DashboardOptions(IPAddress.Loopback, 0));
        _client = new HttpClient { BaseAddress = new Uri(_dashboard.Address + "/api/"), Timeout = TimeSpan.FromSeconds(20) };
        while (!(await NowAsync()).GetProperty("caughtUp").GetBoolean())
        {
            await Task.Delay(50);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _dashboard.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Every_page_answers_with_everybody_in_it()
    {
        var now = await NowAsync();
        Assert.True(now.GetProperty("finished").GetBoolean());
        Assert.False(now.TryGetProperty("failure", out _));
        Assert.Equal(Rounds + 1, now.GetProperty("curvePoints").GetInt32());
        Assert.Equal(Peers + 3, (await AskAsync("peers")).GetProperty("members").GetArrayLength());
        var rounds = await AskAsync("rounds");
        Assert.Equal(Math.Min(100, Rounds), rounds.GetProperty("rounds").GetArrayLength());
        foreach (var round in new[] { 0, 1, Rounds - 1 })
        {
            var detail = await AskAsync($"rounds/{round}");
            Assert.Equal(Peers + 3, detail.GetProperty("bases").GetArrayLength());
            Assert.Equal(3 * Peers, detail.GetProperty("evidence").GetArrayLength());
            Assert.Equal(Peers - (round % 3 == 1 ? 8 : 0), detail.GetProperty("manifest").GetArrayLength());
            Assert.Equal((3 * Peers) + 9, detail.GetProperty("operations").EnumerateArray().Count(said => said.GetProperty("kind").GetString() != "PostShares"));
        }

        var refused = (await AskAsync("peers/7")).GetProperty("member");
        Assert.Equal((Rounds + 1) / 3, refused.GetProperty("refused").GetInt32());
        Assert.Equal("BadCode", refused.GetProperty("lastRefusal").GetString());
    }

    [Fact]
    public async Task Fifty_viewers_at_once_all_hear_where_the_run_stands()
    {
        using var viewer = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 64 });
        var heard = await Task.WhenAll(Enumerable.Range(0, 50).Select(async _ =>
        {
            using var lines = new StreamReader(await viewer.GetStreamAsync(_dashboard.Address + "/api/live", TestContext.Current.CancellationToken));
            Assert.Equal("event: now", await lines.ReadLineAsync(TestContext.Current.CancellationToken));
            var data = await lines.ReadLineAsync(TestContext.Current.CancellationToken);
            using var now = JsonDocument.Parse(data!["data: ".Length..]);
            return now.RootElement.GetProperty("tokens").GetInt64();
        }));
        Assert.Single(heard.Distinct());
    }

    private Task<JsonElement> NowAsync() => AskAsync("now");

    private Task<JsonElement> AskAsync(string path) => _client.GetFromJsonAsync<JsonElement>(path, TestContext.Current.CancellationToken);
}
