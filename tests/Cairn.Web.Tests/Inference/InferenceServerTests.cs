using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Cairn.Base;
using Cairn.Data;
using Cairn.Inference.Tests;

namespace Cairn.Web.Tests;

/// <summary>The server as any client sees it.</summary>
public sealed class InferenceServerTests(InferenceServerTests.Shared shared) : IClassFixture<InferenceServerTests.Shared>
{
    private static readonly object Hello = new { model = TinyServer.Name, prompt = "Hello", max_tokens = 12, temperature = 0.9, seed = 5 };
    private readonly TinyServer _server = shared.Server;

    [Fact]
    public async Task A_completion_has_the_form_that_clients_know_and_says_the_same_for_the_same_seed()
    {
        var answer = await _server.AskAsync("/v1/completions", Hello);
        Assert.Equal(("text_completion", TinyServer.Name, "one"), (Text(answer, "object"), Text(answer, "model"), Text(answer, "system_fingerprint")));
        var choice = answer.GetProperty("choices")[0];
        Assert.Equal((0, "length", JsonValueKind.Null), (choice.GetProperty("index").GetInt32(), Text(choice, "finish_reason"), choice.GetProperty("logprobs").ValueKind));
        var usage = answer.GetProperty("usage");
        Assert.Equal((5, 12, 17), (Number(usage, "prompt_tokens"), Number(usage, "completion_tokens"), Number(usage, "total_tokens")));
        var again = await _server.AskAsync("/v1/completions", Hello);
        Assert.Equal(Text(choice, "text"), Text(again.GetProperty("choices")[0], "text"));
        Assert.NotEqual(Text(answer, "id"), Text(again, "id"));
    }

    [Fact]
    public async Task A_stream_says_what_the_whole_answer_says_and_ends_with_what_it_took()
    {
        var whole = await _server.AskAsync("/v1/chat/completions", Chat(false));
        var events = await _server.StreamAsync("/v1/chat/completions", Chat(true));
        Assert.All(events, part => Assert.Equal(("chat.completion.chunk", Text(events[0], "id")), (Text(part, "object"), Text(part, "id"))));
        Assert.Equal("assistant", Text(events[0].GetProperty("choices")[0].GetProperty("delta"), "role"));
        for (var index = 0; index < 2; index++)
        {
            var choices = events.SelectMany(part => part.GetProperty("choices").EnumerateArray()).Where(choice => Number(choice, "index") == index).ToList();
            var said = string.Concat(choices.Select(choice => choice.GetProperty("delta").TryGetProperty("content", out var content) ? content.GetString() : ""));
            Assert.Equal(Text(whole.GetProperty("choices")[index].GetProperty("message"), "content"), said);
            Assert.Equal("length", Text(choices[^1], "finish_reason"));
            Assert.All(choices.SkipLast(1), choice => Assert.Equal(JsonValueKind.Null, choice.GetProperty("finish_reason").ValueKind));
        }

        Assert.NotEqual(Text(whole.GetProperty("choices")[0].GetProperty("message"), "content"), Text(whole.GetProperty("choices")[1].GetProperty("message"), "content"));
        Assert.Equal(20, Number(events[^1].GetProperty("usage"), "completion_tokens"));
        Assert.Empty(events[^1].GetProperty("choices").EnumerateArray());
    }

    [Fact]
    public async Task Several_prompts_are_answered_in_one_request_in_any_form()
    {
        var answer = await _server.AskAsync("/v1/completions", new { prompt = new[] { "One", "Two" }, n = 2, max_tokens = 3, echo = true, seed = 1 });
        Assert.Equal([0, 1, 2, 3], answer.GetProperty("choices").EnumerateArray().Select(choice => Number(choice, "index")));
        Assert.StartsWith("One", Text(answer.GetProperty("choices")[1], "text"), StringComparison.Ordinal);
        Assert.StartsWith("Two", Text(answer.GetProperty("choices")[2], "text"), StringComparison.Ordinal);
        var ids = await _server.AskAsync("/v1/completions", new { prompt = new[] { 79, 110, 101 }, max_tokens = 3, echo = true, seed = 1 });
        Assert.Equal(Text(answer.GetProperty("choices")[0], "text"), Text(ids.GetProperty("choices")[0], "text"));
    }

    [Fact]
    public async Task Probabilities_are_told_in_the_forms_of_both_interfaces()
    {
        var chat = await _server.AskAsync("/v1/chat/completions", new { messages = Messages("Hi"), max_tokens = 4, temperature = 0, logprobs = true, top_logprobs = 3 });
        var content = chat.GetProperty("choices")[0].GetProperty("logprobs").GetProperty("content");
        Assert.Equal(4, content.GetArrayLength());
        foreach (var token in content.EnumerateArray())
        {
            var top = token.GetProperty("top_logprobs");
            Assert.Equal(3, top.GetArrayLength());
            // Without temperature the likeliest is chosen.
            Assert.Equal(token.GetProperty("logprob").GetDouble(), top[0].GetProperty("logprob").GetDouble());
            Assert.Equal(token.GetProperty("bytes").GetRawText(), top[0].GetProperty("bytes").GetRawText());
            Assert.True(top[0].GetProperty("logprob").GetDouble() >= top[1].GetProperty("logprob").GetDouble());
        }

        var completion = await _server.AskAsync("/v1/completions", new { prompt = "Hi", max_tokens = 4, temperature = 0, logprobs = 2 });
        var logprobs = completion.GetProperty("choices")[0].GetProperty("logprobs");
        Assert.Equal((4, 4, 4, 4), (Length(logprobs, "tokens"), Length(logprobs, "token_logprobs"), Length(logprobs, "top_logprobs"), Length(logprobs, "text_offset")));
    }

    [Fact]
    public async Task A_stop_text_ends_an_answer_and_is_not_part_of_it()
    {
        var free = Enumerable.Range(0, 257).Where(id => id is < 97 or > 122).ToDictionary(id => $"{id}", _ => -100);
        var whole = Text((await _server.AskAsync("/v1/completions", Letters([]))).GetProperty("choices")[0], "text")!;
        Assert.Equal(20, whole.Length);
        var choice = (await _server.AskAsync("/v1/completions", Letters([whole[9..12]]))).GetProperty("choices")[0];
        Assert.Equal((whole[..whole.IndexOf(whole[9..12], StringComparison.Ordinal)], "stop"), (Text(choice, "text"), Text(choice, "finish_reason")));

        object Letters(string[] stops) => new { prompt = "abc", max_tokens = 20, temperature = 1.5, seed = 8, logit_bias = free, stop = stops };
    }

    [Fact]
    public async Task What_began_alike_was_computed_once()
    {
        var prompt = string.Concat(Enumerable.Repeat("the same beginning ", 20));
        await _server.AskAsync("/v1/completions", new { prompt, max_tokens = 1 });
        var second = await _server.AskAsync("/v1/completions", new { prompt, max_tokens = 1 });
        Assert.InRange(Number(second.GetProperty("usage").GetProperty("prompt_tokens_details"), "cached_tokens"), 300, 379);
    }

    [Fact]
    public async Task Text_becomes_tokens_and_comes_back()
    {
        var tokens = await _server.AskAsync("/tokenize", new { prompt = "☃ a" });
        Assert.Equal((5, "[226,152,131,32,97]"), (Number(tokens, "count"), tokens.GetProperty("tokens").GetRawText()));
        Assert.Equal("☃ a", Text(await _server.AskAsync("/detokenize", new { tokens = new[] { 226, 152, 131, 32, 97 } }), "prompt"));
        var turns = await _server.AskAsync("/tokenize", new { messages = Messages("Hi") });
        Assert.Equal("User: Hi\nAssistant:".Length, Number(turns, "count"));
    }

    [Fact]
    public async Task The_model_is_listed_and_the_server_says_that_it_is_well()
    {
        var list = await _server.Client.GetFromJsonAsync<JsonElement>("/v1/models", TestContext.Current.CancellationToken);
        Assert.Equal((TinyServer.Name, 1024), (Text(list.GetProperty("data")[0], "id"), Number(list.GetProperty("data")[0], "max_model_len")));
        Assert.Equal(TinyServer.Name, Text(await _server.Client.GetFromJsonAsync<JsonElement>("/v1/models/tiny", TestContext.Current.CancellationToken), "id"));
        Assert.Equal("ok", Text(await _server.Client.GetFromJsonAsync<JsonElement>("/health", TestContext.Current.CancellationToken), "status"));
        var (tokens, requests) = ("cairn_serve_generated_tokens_total", "cairn_serve_requests_total{route=\"/v1/completions\",status=\"200\"}");
        var (tokensBefore, requestsBefore) = (await _server.MetricAsync(tokens), await _server.MetricAsync(requests));
        await _server.AskAsync("/v1/completions", Hello);
        await _server.UntilAsync(tokens, count => count >= tokensBefore + 12);
        await _server.UntilAsync(requests, count => count >= requestsBefore + 1);
    }

    [Theory]
    [InlineData("{", 400, null, null)]
    [InlineData("[]", 400, null, null)]
    [InlineData("{}", 400, "prompt", null)]
    [InlineData("{\"prompt\":\"\\ud800\"}", 400, null, null)]
    [InlineData("{\"prompt\":5}", 400, "prompt", null)]
    [InlineData("{\"prompt\":[257]}", 400, "prompt", null)]
    [InlineData("{\"prompt\":\"x\",\"model\":\"other\"}", 404, "model", "model_not_found")]
    [InlineData("{\"prompt\":\"x\",\"max_tokens\":0}", 400, "max_tokens", null)]
    [InlineData("{\"prompt\":\"x\",\"max_tokens\":1024}", 400, "prompt", "context_length_exceeded")]
    [InlineData("{\"prompt\":\"x\",\"temperature\":2.1}", 400, "temperature", null)]
    [InlineData("{\"prompt\":\"x\",\"temperature\":\"warm\"}", 400, "temperature", null)]
    [InlineData("{\"prompt\":\"x\",\"top_p\":0}", 400, "top_p", null)]
    [InlineData("{\"prompt\":\"x\",\"n\":1000}", 400, "n", null)]
    [InlineData("{\"prompt\":\"x\",\"stop\":[\"\"]}", 400, "stop", null)]
    [InlineData("{\"prompt\":\"x\",\"logit_bias\":{\"a\":1}}", 400, "logit_bias", null)]
    [InlineData("{\"prompt\":\"x\",\"logprobs\":21}", 400, "logprobs", null)]
    [InlineData("{\"prompt\":\"x\",\"suffix\":\"y\"}", 400, "suffix", "unsupported_parameter")]
    public async Task What_is_wrong_with_a_request_is_said_with_the_name_of_the_field(string body, int status, string? parameter, string? code)
    {
        using var answer = await _server.Client.PostAsync("/v1/completions", new StringContent(body, Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
        var (refused, error) = await TinyServer.RefusalOfAsync(answer);
        Assert.Equal((status, parameter, code), ((int)refused, Text(error, "param"), Text(error, "code")));
    }

    [Theory]
    [InlineData("{\"messages\":[]}", "messages")]
    [InlineData("{\"messages\":[{\"content\":\"x\"}]}", "messages")]
    [InlineData("{\"messages\":[{\"role\":\"<|im_end|>\",\"content\":\"x\"}]}", "messages")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}", "messages")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"tools\":[{}]}", "tools")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"top_logprobs\":2}", "top_logprobs")]
    public async Task So_it_is_of_a_conversation(string body, string parameter)
    {
        using var answer = await _server.Client.PostAsync(
            "/v1/chat/completions", new StringContent(body, Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
        var (status, error) = await TinyServer.RefusalOfAsync(answer);
        Assert.Equal((HttpStatusCode.BadRequest, parameter), (status, Text(error, "param")));
    }

    [Fact]
    public async Task Where_there_is_nothing_that_is_said_in_the_same_form()
    {
        foreach (var path in new[] { "/v1/nothing", "/v1/nothing.json", "/favicon.ico", "/a/b.c/d.e", "/" })
        {
            using var nothing = await _server.Client.GetAsync(path, TestContext.Current.CancellationToken);
            var (status, error) = await TinyServer.RefusalOfAsync(nothing);
            Assert.Equal((HttpStatusCode.NotFound, "unknown_url"), (status, Text(error, "code")));
        }

        using var method = await _server.Client.GetAsync("/v1/completions", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await TinyServer.RefusalOfAsync(method)).Status);
    }

    [Fact]
    public async Task A_body_or_a_prompt_that_is_too_large_is_told_so()
    {
        var (large, _) = await _server.RefusedAsync("/v1/completions", new { prompt = new string('x', 10 << 20) });
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large);
        using var chunked = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = new PushedContent(10 << 20) };
        using var answer = await _server.Client.SendAsync(chunked, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await TinyServer.RefusalOfAsync(answer)).Status);
        var (_, error) = await _server.RefusedAsync("/v1/completions", new { prompt = new string('x', 3 << 20) });
        Assert.Equal("context_length_exceeded", Text(error, "code"));
    }

    [Fact]
    public async Task With_keys_nobody_is_answered_without_one()
    {
        await using var closed = await TinyServer.StartAsync(TinyServer.Usual with { Keys = ["secret-1", "secret-2"] });
        foreach (var key in new[] { null, "secret", "secret-3", "" })
        {
            closed.Client.DefaultRequestHeaders.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
            var (status, error) = await closed.RefusedAsync("/v1/completions", Hello);
            Assert.Equal((HttpStatusCode.Unauthorized, "invalid_api_key"), (status, Text(error, "code")));
            Assert.DoesNotContain("secret-", error.GetRawText(), StringComparison.Ordinal);
        }

        Assert.Equal("ok", Text(await closed.Client.GetFromJsonAsync<JsonElement>("/health", TestContext.Current.CancellationToken), "status"));
        closed.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "secret-2");
        await closed.AskAsync("/v1/completions", Hello);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("\n")]
    [InlineData(" padded ")]
    public void A_blank_key_that_would_let_everybody_in_is_none(string key) =>
        Assert.Throws<InvariantViolation>(() => new KeyCheck(["secret", key]));

    [Fact]
    public async Task Whoever_is_too_many_is_told_when_to_come_again()
    {
        await using var small = await TinyServer.StartAsync(TinyServer.Usual with { Parallel = 1, WaitingMax = 1 });
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => small.PostAsync("/v1/completions", new { prompt = "x", max_tokens = 300 })));
        Assert.Contains(answers, answer => answer.IsSuccessStatusCode);
        foreach (var refused in answers.Where(answer => !answer.IsSuccessStatusCode))
        {
            Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter!.Delta);
            var (status, error) = await TinyServer.RefusalOfAsync(refused);
            Assert.Equal((HttpStatusCode.TooManyRequests, "rate_limit_exceeded"), (status, Text(error, "code")));
        }

        Assert.Contains(answers, answer => !answer.IsSuccessStatusCode);
    }

    [Fact]
    public async Task What_can_never_have_a_place_is_not_told_to_come_again()
    {
        await using var small = await TinyServer.StartAsync(TinyServer.Usual with { Parallel = 2, WaitingMax = 1 });
        foreach (var body in new object[] { new { prompt = "x", n = 4, max_tokens = 1 }, new { prompt = new[] { "x", "y" }, n = 2, max_tokens = 1 } })
        {
            using var refused = await small.PostAsync("/v1/completions", body);
            Assert.Null(refused.Headers.RetryAfter);
            var (status, error) = await TinyServer.RefusalOfAsync(refused);
            Assert.Equal((HttpStatusCode.BadRequest, "n"), (status, Text(error, "param")));
            Assert.Contains("3 have a place", Text(error, "message"), StringComparison.Ordinal);
        }

        Assert.Equal(3, (await small.AskAsync("/v1/completions", new { prompt = "x", n = 3, max_tokens = 1 })).GetProperty("choices").GetArrayLength());
        Assert.Equal(0, await small.MetricAsync("cairn_serve_requests_in_house"));
    }

    [Fact]
    public async Task What_takes_too_long_is_ended_and_says_so()
    {
        await using var hasty = await TinyServer.StartAsync(TinyServer.Usual with { RequestTimeMax = TimeSpan.FromMilliseconds(50) }, context: 65536);
        var (status, error) = await hasty.RefusedAsync(
            "/v1/completions", new { prompt = "x", max_tokens = 60_000, logit_bias = new Dictionary<string, int> { ["256"] = -100 } });
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "timeout"), (status, Text(error, "code")));
        await hasty.UntilAsync("cairn_serve_continuations_running", running => running == 0);
    }

    [Fact]
    public async Task A_client_that_leaves_frees_its_place()
    {
        await using var narrow = await TinyServer.StartAsync(TinyServer.Usual with { Parallel = 1 }, context: 65536);
        using (var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            await socket.ConnectAsync(IPAddress.Loopback, new Uri(narrow.Server.Address).Port, TestContext.Current.CancellationToken);
            const string Body = "{\"prompt\":\"x\",\"max_tokens\":60000,\"logit_bias\":{\"256\":-100}}";
            var request = $"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {Body.Length}\r\n\r\n{Body}";
            await socket.SendAsync(Encoding.ASCII.GetBytes(request), TestContext.Current.CancellationToken);
            await narrow.UntilAsync("cairn_serve_continuations_running", running => running == 1);
        }

        await narrow.UntilAsync("cairn_serve_continuations_running", running => running == 0);
        Assert.Equal(0, await narrow.MetricAsync("cairn_serve_requests_in_house"));
        Assert.InRange(await narrow.MetricAsync("cairn_serve_generated_tokens_total"), 1, 59_000);
        await narrow.AskAsync("/v1/completions", Hello);
    }

    [Fact]
    public async Task Another_model_takes_over_and_no_stream_is_dropped()
    {
        await using var server = await TinyServer.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
        {
            Content = JsonContent.Create(new { prompt = "x", max_tokens = 900, stream = true, logit_bias = new Dictionary<string, int> { ["256"] = -100 } }),
        };
        using var answer = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        Assert.Contains("\"one\"", await lines.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        server.Switch(6, "two");
        Assert.Equal("two", Text(await server.AskAsync("/v1/completions", Hello), "system_fingerprint"));
        var rest = (await lines.ReadToEndAsync(TestContext.Current.CancellationToken)).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.EndsWith("data: [DONE]", rest[^1], StringComparison.Ordinal);
        Assert.All(rest.SkipLast(1), line => Assert.Contains("\"one\"", line, StringComparison.Ordinal));
        await server.UntilAsync("cairn_serve_models_loaded", models => models == 1);
        // What the old model did is still counted.
        await server.UntilAsync("cairn_serve_generated_tokens_total", tokens => tokens == 912);
    }

    [Fact]
    public async Task A_conversation_of_which_the_template_makes_nothing_is_continued_like_an_empty_prompt()
    {
        await using var server = await TinyServer.StartAsync(template: "{% for m in messages %}{{ m.content }}{% endfor %}");
        var nothing = new { messages = Messages(""), max_tokens = 3, seed = 4 };
        var said = Text((await server.AskAsync("/v1/chat/completions", nothing)).GetProperty("choices")[0].GetProperty("message"), "content");
        var empty = await server.AskAsync("/v1/completions", new { prompt = "", max_tokens = 3, seed = 4 });
        Assert.Equal(Text(empty.GetProperty("choices")[0], "text"), said);
        Assert.Equal("[256]", (await server.AskAsync("/tokenize", new { messages = Messages("") })).GetProperty("tokens").GetRawText());
        Assert.False(server.Server.Failed.IsCompleted);
    }

    [Fact]
    public async Task A_token_that_the_tokenizer_has_and_the_model_has_not_is_refused_by_its_number_and_the_server_goes_on()
    {
        var parts = Tiny.Tokenizer.Parts;
        var more = Tokenizer.Of(
            parts with { Tokens = [.. parts.Tokens, "<|extra|>"u8.ToArray()], Kinds = [.. parts.Kinds, TokenKind.Control] }, "the test's tokenizer");
        await using var server = await TinyServer.StartAsync(
            template: "{% for m in messages %}{{ m.content }}{% endfor %}{{ '<|extra|>' }}", tokenizer: more);
        foreach (var (path, body, parameter) in new (string, object, string)[]
        {
            ("/v1/completions", new { prompt = "hi<|extra|>" }, "prompt"),
            ("/v1/completions", new { prompt = new[] { "hi", "<|extra|>" } }, "prompt"),
            ("/v1/chat/completions", new { messages = Messages("hi") }, "messages"),
            ("/v1/completions", new { prompt = new[] { 257 } }, "prompt"),
            ("/v1/completions", new { prompt = "hi", logit_bias = new Dictionary<string, int> { ["257"] = 1 } }, "logit_bias"),
        })
        {
            var (status, error) = await server.RefusedAsync(path, body);
            Assert.Equal((HttpStatusCode.BadRequest, parameter), (status, Text(error, "param")));
            Assert.Contains("257", Text(error, "message"), StringComparison.Ordinal);
        }

        var (_, told) = await server.RefusedAsync("/v1/completions", new { prompt = "hi<|extra|>" });
        Assert.StartsWith("Token 257 of the prompt is none of this model's 257", Text(told, "message"), StringComparison.Ordinal);
        // It is a token of the tokenizer all the same.
        Assert.Equal("[257]", (await server.AskAsync("/tokenize", new { prompt = "<|extra|>" })).GetProperty("tokens").GetRawText());
        Assert.Equal("<|extra|>", Text(await server.AskAsync("/detokenize", new { tokens = new[] { 257 } }), "prompt"));
        await server.AskAsync("/v1/completions", Hello);
    }

    [Fact]
    public async Task A_template_that_works_longer_than_a_request_may_is_ended_with_the_request()
    {
        const string Slow = "{% for i in range(900) %}{% for j in range(300) %}{% if i == j %}{% endif %}{% endfor %}{% endfor %}{{ raise_exception('the end') }}";
        await using var hasty = await TinyServer.StartAsync(TinyServer.Usual with { RequestTimeMax = TimeSpan.FromMilliseconds(5) }, template: Slow);
        foreach (var path in new[] { "/v1/chat/completions", "/tokenize" })
        {
            var (status, error) = await hasty.RefusedAsync(path, new { messages = Messages("Hi") });
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "timeout"), (status, Text(error, "code")));
        }
    }

    [Fact]
    public async Task What_a_template_cannot_do_with_a_conversation_is_told_as_its_refusal()
    {
        await using var server = await TinyServer.StartAsync(template: "{{ messages | map(attribute='content') | list | sort }}{{ [1, messages[0].content] | sort }}");
        var (status, error) = await server.RefusedAsync("/v1/chat/completions", new { messages = Messages("Hi") });
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("have no order", Text(error, "message"), StringComparison.Ordinal);
        await server.UntilAsync("cairn_serve_requests_total{route=\"/v1/chat/completions\",status=\"400\"}", count => count == 1);
    }

    [Fact]
    public async Task Two_servers_do_not_share_a_port()
    {
        var port = new Uri(_server.Server.Address).Port;
        await Assert.ThrowsAsync<InputException>(() => TinyServer.StartAsync(new InferenceOptions(IPAddress.Loopback, port)));
    }

    private static object[] Messages(string words) => [new { role = "user", content = words }];

    private static object Chat(bool stream) => new
    {
        messages = Messages("Tell me"),
        max_completion_tokens = 10,
        n = 2,
        seed = 3,
        stream,
        stream_options = new { include_usage = true },
        logit_bias = new Dictionary<string, int> { ["256"] = -100 },
    };

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();

    private static int Number(JsonElement element, string name) => element.GetProperty(name).GetInt32();

    private static int Length(JsonElement element, string name) => element.GetProperty(name).GetArrayLength();

    /// <summary>One server for all tests that leave it as it is.</summary>
    public sealed class Shared : IAsyncLifetime
    {
        internal TinyServer Server { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Server = await TinyServer.StartAsync();

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }

    /// <summary>A body that does not say how long it is.</summary>
    private sealed class PushedContent(int length) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync("{\"prompt\":\""u8.ToArray());
            var piece = new byte[1 << 16];
            Array.Fill(piece, (byte)'x');
            for (var sent = 0; sent < length; sent += piece.Length)
            {
                await stream.WriteAsync(piece);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
