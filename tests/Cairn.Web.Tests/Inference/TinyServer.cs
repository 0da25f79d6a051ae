using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Cairn.Base;
using Cairn.Data;
using Cairn.Formats;
using Cairn.Inference;
using Cairn.Inference.Tests;

namespace Cairn.Web.Tests;

/// <summary>A server of a small model with random parameters, over real sockets.</summary>
internal sealed class TinyServer : IAsyncDisposable
{
    public const string Name = "tiny";
    private readonly Tiny _tiny;

    private TinyServer(Tiny tiny, InferenceServer server)
    {
        (_tiny, Server) = (tiny, server);
        Client = new HttpClient { BaseAddress = new Uri(server.Address) };
    }

    public InferenceServer Server { get; }

    public HttpClient Client { get; }

    public static InferenceOptions Usual => new(IPAddress.Loopback, 0);

    /// <param name="options">Of the server.</param>
    /// <param name="context">Of the model.</param>
    /// <param name="cacheTokens">Of the model.</param>
    /// <param name="template">The model's own chat template; null for none.</param>
    /// <param name="tokenizer">Another tokenizer than the model's own.</param>
    public static async Task<TinyServer> StartAsync(
        InferenceOptions? options = null, int context = 1024, int? cacheTokens = null, string? template = null, Tokenizer? tokenizer = null)
    {
        var tiny = new Tiny(Tiny.Grouped with { Context = context });
        if (template is not null)
        {
            await File.WriteAllTextAsync(Path.Combine(tiny.Folder, "chat_template.jinja"), template);
        }

        if (tokenizer is not null)
        {
            DurableFile.Write(Path.Combine(tiny.Folder, "tokenizer.json"), tokenizer.Save);
        }

        return new TinyServer(tiny, await InferenceServer.StartAsync(Load(tiny, "one", cacheTokens), options ?? Usual));
    }

    /// <summary>Another model in its place.</summary>
    public void Switch(ulong seed, string version)
    {
        using var other = new Tiny(Tiny.Grouped with { Context = 1024 }, seed);
        Server.Switch(Load(other, version, null));
    }

    public Task<HttpResponseMessage> PostAsync(string path, object body) => Client.PostAsJsonAsync(path, body, TestContext.Current.CancellationToken);

    /// <summary>A request that must be answered.</summary>
    public async Task<JsonElement> AskAsync(string path, object body)
    {
        using var answer = await PostAsync(path, body);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}: {text}");
        return JsonDocument.Parse(text).RootElement;
    }

    /// <summary>A request that must be refused: its status and what is said.</summary>
    public async Task<(HttpStatusCode Status, JsonElement Error)> RefusedAsync(string path, object body)
    {
        using var answer = await PostAsync(path, body);
        return await RefusalOfAsync(answer);
    }

    public static async Task<(HttpStatusCode Status, JsonElement Error)> RefusalOfAsync(HttpResponseMessage answer)
    {
        Assert.False(answer.IsSuccessStatusCode);
        var error = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement.GetProperty("error");
        Assert.NotEqual("", error.GetProperty("message").GetString());
        Assert.Equal(["message", "type", "param", "code"], error.EnumerateObject().Select(field => field.Name));
        return (answer.StatusCode, error);
    }

    /// <summary>The events of a stream, without its end.</summary>
    public async Task<List<JsonElement>> StreamAsync(string path, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        using var answer = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.MediaType);
        var lines = (await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, line => Assert.StartsWith("data: ", line, StringComparison.Ordinal));
        Assert.Equal("data: [DONE]", lines[^1]);
        return [.. lines[..^1].Select(line => JsonDocument.Parse(line["data: ".Length..]).RootElement)];
    }

    /// <summary>A figure of /metrics; 0 if nothing of the kind was counted yet.</summary>
    public async Task<double> MetricAsync(string name)
    {
        var text = await Client.GetStringAsync("/metrics", TestContext.Current.CancellationToken);
        var line = text.Split('\n').SingleOrDefault(line => line.StartsWith(name + " ", StringComparison.Ordinal));
        return line is null ? 0 : double.Parse(line[(name.Length + 1)..], System.Globalization.CultureInfo.InvariantCulture);
    }

    public async Task UntilAsync(string metric, Func<double, bool> holds)
    {
        while (!holds(await MetricAsync(metric)))
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
        _tiny.Dispose();
    }

    private static ServedModel Load(Tiny tiny, string version, int? cacheTokens)
    {
        using var file = ModelFile.Open(tiny.Folder);
        return ServedModel.Load(file, Name, version, new BatchModelOptions(CacheTokens: cacheTokens));
    }
}
