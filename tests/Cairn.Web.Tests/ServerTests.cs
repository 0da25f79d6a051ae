using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Cairn.Base;
using Cairn.Node.Tests;

namespace Cairn.Web.Tests;

/// <summary>The server over real sockets: what it answers, and what it does not.</summary>
public sealed class ServerTests(FinishedRun run) : IAsyncLifetime
{
    private readonly TestFolder _folder = new();
    private Dashboard _dashboard = null!;
    private HttpClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _dashboard = await Dashboard.StartAsync(run.Sources, new DashboardOptions(IPAddress.Loopback, 0));
        _client = new HttpClient { BaseAddress = new Uri(_dashboard.Address) };
        await UntilAsync(async () => (await JsonAsync("api/now")).GetProperty("finished").GetBoolean());
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _dashboard.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("", "text/html; charset=utf-8")]
    [InlineData("app.js", "text/javascript; charset=utf-8")]
    [InlineData("app.css", "text/css; charset=utf-8")]
    [InlineData("favicon.svg", "image/svg+xml")]
    [InlineData("api/run", "application/json; charset=utf-8")]
    public async Task Every_answer_forbids_what_is_not_ours(string path, string type)
    {
        using var answer = await _client.GetAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.OK, type), (answer.StatusCode, answer.Content.Headers.ContentType!.ToString()));
        var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
        Assert.False(answer.Headers.Contains("Server"));
    }

    [Fact]
    public async Task The_script_is_below_a_hundred_kilobytes()
    {
        var script = await _client.GetByteArrayAsync("app.js", TestContext.Current.CancellationToken);
        Assert.InRange(script.Length, 10_000, 100_000);
    }

    [Fact]
    public async Task A_file_that_has_not_changed_is_not_sent_again()
    {
        using var first = await _client.GetAsync("app.js", TestContext.Current.CancellationToken);
        using var request = new HttpRequestMessage(HttpMethod.Get, "app.js");
        request.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var second = await _client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("127.0.0.1.evil.example")]
    [InlineData("10.0.0.1")]
    public async Task On_loopback_it_answers_to_no_foreign_name(string host)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "api/now");
        request.Headers.Host = host;
        using var answer = await _client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.MisdirectedRequest, answer.StatusCode);
    }

    [Theory]
    [InlineData("api/peers/99")]
    [InlineData("api/peers/-1")]
    [InlineData("api/peers/x")]
    [InlineData("api/rounds/6")]
    [InlineData("api/rounds/99999999999999")]
    [InlineData("api/blocks/0")]
    [InlineData("api/blocks/999999")]
    [InlineData("api/checkpoints/5/node.key")]
    [InlineData("api/checkpoints/3/model.safetensors")]
    [InlineData("api/checkpoints/5/..%2F..%2F..%2Frules.json")]
    [InlineData("nothing.js")]
    [InlineData("..%2F..%2Frules.json")]
    public async Task What_is_not_there_is_not_found(string path)
    {
        using var answer = await _client.GetAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task Nothing_of_a_node_that_is_secret_can_be_had()
    {
        // Every address that a page knows, with everything in it.
        string[] paths = ["run", "now", "curve", "texts", "peers", "peers/0", "peers/3", "rounds", "rounds/0", "blocks", "blocks/1", "checkpoints", "waits", "search?q=peer"];
        var said = string.Concat(await Task.WhenAll(paths.Select(path => _client.GetStringAsync("api/" + path))));
        foreach (var secret in Directory.EnumerateFiles(run.Directory.Node(""), "*.key", SearchOption.AllDirectories))
        {
            var bytes = await File.ReadAllBytesAsync(secret, TestContext.Current.CancellationToken);
            Assert.DoesNotContain(Convert.ToHexStringLower(bytes), said, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(Convert.ToBase64String(bytes), said, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_checkpoint_is_downloaded_as_it_is_stored()
    {
        var checkpoint = (await JsonAsync("api/checkpoints"))[0];
        var round = checkpoint.GetProperty("round").GetInt32();
        foreach (var file in checkpoint.GetProperty("files").EnumerateArray().Select(file => file.GetProperty("name").GetString()!))
        {
            var sent = await _client.GetByteArrayAsync($"api/checkpoints/{round}/{file}", TestContext.Current.CancellationToken);
            Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(run.Directory.Checkpoints, $"{round:D6}", file), TestContext.Current.CancellationToken), sent);
        }
    }

    [Fact]
    public async Task A_checkpoint_in_a_store_on_the_network_is_fetched_when_somebody_asks_and_no_other()
    {
        var copy = run.Copy(_folder);
        var (here, away) = (FinishedRun.SourcesOf(copy), _folder["away"]);
        Directory.Move(copy.Checkpoints, away);
        await using var dashboard = await Dashboard.StartAsync(
            here with
            {
                Bring = (wanted, _) =>
                {
                    TestFolder.Copy(Path.Combine(away, $"{wanted.Round:D6}"), wanted.Folder);
                    return wanted.Digest.IsZero || wanted.Places is not [""] ? throw new InputException("not asked for what the ledger names") : Task.CompletedTask;
                },
            },
            new DashboardOptions(IPAddress.Loopback, 0));
        using var client = new HttpClient { BaseAddress = new Uri(dashboard.Address) };
        async Task<string?> StateAsync() => (await client.GetFromJsonAsync<JsonElement>("api/checkpoints", TestContext.Current.CancellationToken)) is var list && list.GetArrayLength() > 0
            ? list[0].GetProperty("state").GetString() : null;
        await UntilAsync(async () => await StateAsync() == "elsewhere" && (await client.GetStringAsync("api/now", TestContext.Current.CancellationToken)).Contains("\"finished\":true", StringComparison.Ordinal));
        using var none = await client.PostAsync("api/checkpoints/3/fetch", null, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
        using var fetched = await client.PostAsync($"api/checkpoints/{FinishedRun.Rounds - 1}/fetch", null, TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.OK, "here"), (fetched.StatusCode, await StateAsync()));
    }

    [Fact]
    public async Task A_checkpoint_says_the_same_for_the_same_seed_and_other_than_before_training()
    {
        var words = await TalkAsync(FinishedRun.Rounds - 1);
        Assert.NotEmpty(words);
        Assert.Equal(words, await TalkAsync(FinishedRun.Rounds - 1));
        Assert.NotEqual(words, await TalkAsync(-1));

        async Task<string> TalkAsync(int checkpoint)
        {
            using var answer = await _client.PostAsJsonAsync(
                "api/talk", new { checkpoint, prompt = "The ", temperature = 0.7, tokens = 12, seed = 3 }, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        }
    }

    [Theory]
    [InlineData("{\"checkpoint\":1,\"prompt\":\"x\",\"temperature\":0.7,\"tokens\":12,\"seed\":3}", "application/json", HttpStatusCode.Conflict)]
    [InlineData("{\"checkpoint\":5,\"prompt\":\"x\",\"temperature\":0.7,\"tokens\":1000000,\"seed\":3}", "application/json", HttpStatusCode.BadRequest)]
    [InlineData("{\"checkpoint\":5,\"prompt\":\"x\",\"temperature\":-1,\"tokens\":12,\"seed\":3}", "application/json", HttpStatusCode.BadRequest)]
    [InlineData("{\"checkpoint\":5,\"temperature\":1,\"tokens\":12,\"seed\":3}", "application/json", HttpStatusCode.BadRequest)]
    [InlineData("null", "application/json", HttpStatusCode.BadRequest)]
    [InlineData("{\"checkpoint\":5,\"prompt\":\"x\",\"temperature\":0.7,\"tokens\":12,\"seed\":3}", "text/plain", HttpStatusCode.BadRequest)]
    public async Task Talk_that_cannot_be_answered_is_refused_with_a_reason(string body, string type, HttpStatusCode expected)
    {
        using var answer = await _client.PostAsync("api/talk", new StringContent(body, Encoding.UTF8, type), TestContext.Current.CancellationToken);
        Assert.Equal(expected, answer.StatusCode);
        Assert.NotEmpty((await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("error").GetString()!);
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site", "api/talk")]
    [InlineData("Origin", "https://evil.example", "api/talk")]
    [InlineData("Origin", "null", "api/checkpoints/5/fetch")]
    public async Task Another_site_cannot_make_it_compute(string header, string value, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent("{}", Encoding.UTF8, "application/json") };
        request.Headers.Add(header, value);
        using var answer = await _client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Fact]
    public async Task A_taken_port_is_no_fault_the_next_one_is_used()
    {
        var port = new Uri(_dashboard.Address).Port;
        await using var second = await Dashboard.StartAsync(run.Sources, new DashboardOptions(IPAddress.Loopback, port));
        Assert.InRange(new Uri(second.Address).Port, port + 1, port + 40);
    }

    [Fact]
    public async Task A_folder_without_a_run_is_refused()
    {
        var sources = FinishedRun.SourcesOf(new Node.RunDirectory(_folder["none"]));
        var fault = await Assert.ThrowsAsync<InputException>(() => Dashboard.StartAsync(sources, DashboardOptions.Usual));
        Assert.Contains("holds no run", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_viewer_that_never_reads_holds_up_nobody()
    {
        var silent = new List<Socket>();
        for (var i = 0; i < 20; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 1024 };
            await socket.ConnectAsync(IPAddress.Loopback, new Uri(_dashboard.Address).Port, TestContext.Current.CancellationToken);
            await socket.SendAsync(Encoding.ASCII.GetBytes($"GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n"), TestContext.Current.CancellationToken);
            silent.Add(socket);
        }

        // Another one is served all the same, from the first word on.
        using var stream = await _client.GetStreamAsync("api/live", TestContext.Current.CancellationToken);
        using var lines = new StreamReader(stream);
        Assert.Equal("event: now", await lines.ReadLineAsync(TestContext.Current.CancellationToken));
        Assert.StartsWith("data: {", await lines.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        silent.ForEach(socket => socket.Dispose());
    }

    private async Task<JsonElement> JsonAsync(string path) => await _client.GetFromJsonAsync<JsonElement>(path, TestContext.Current.CancellationToken);

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        while (!await holds())
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }
}
