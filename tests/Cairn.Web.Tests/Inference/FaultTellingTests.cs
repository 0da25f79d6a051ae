using System.Text;
using System.Text.Json;
using Cairn.Base;
using Cairn.Formats;
using Cairn.Inference;
using Cairn.Inference.Tests;
using Microsoft.AspNetCore.Http;

namespace Cairn.Web.Tests;

/// <summary>What becomes of exceptions in a request.</summary>
public sealed class FaultTellingTests
{
    [Fact]
    public async Task A_fault_of_the_servers_own_is_told_in_the_known_form_counted_as_such_and_told_to_whoever_runs_it()
    {
        var told = new List<Exception>();
        var metrics = new ServeMetrics();
        var faults = new FaultTelling(new KeyCheck([]), metrics, told.Add);
        foreach (var fault in new Exception[] { new InvalidOperationException("a bug"), new OverflowException(), new InvariantViolation("0 > 1") })
        {
            var (status, error) = await AnswerAsync(faults, fault);
            Assert.Equal((500, "server_error", "internal_error"), (status, error.GetProperty("type").GetString(), error.GetProperty("code").GetString()));
            Assert.NotEqual("", error.GetProperty("message").GetString());
            Assert.Same(fault, told[^1]);
        }

        Assert.Equal(400, (await AnswerAsync(faults, new InputException("a wrong input"))).Status);
        Assert.Equal(3, told.Count);
        var figures = await FiguresAsync(metrics);
        Assert.Contains("cairn_serve_requests_total{route=\"/v1/completions\",status=\"500\"} 3\n", figures, StringComparison.Ordinal);
        Assert.Contains("cairn_serve_requests_total{route=\"/v1/completions\",status=\"400\"} 1\n", figures, StringComparison.Ordinal);
        Assert.DoesNotContain("status=\"200\"", figures, StringComparison.Ordinal);
    }

    private static async Task<(int Status, JsonElement Error)> AnswerAsync(FaultTelling faults, Exception fault)
    {
        var context = Context();
        await faults.AnswerAsync(context, _ => throw fault);
        return (context.Response.StatusCode, JsonDocument.Parse(Text(context)).RootElement.GetProperty("error"));
    }

    private static async Task<string> FiguresAsync(ServeMetrics metrics)
    {
        using var tiny = new Tiny();
        using var file = ModelFile.Open(tiny.Folder);
        await using var room = new ModelRoom(ServedModel.Load(file, "tiny", "one", new BatchModelOptions()), 4, _ => { });
        var context = Context();
        await metrics.SendAsync(context, room, 0);
        return Text(context);
    }

    private static DefaultHttpContext Context()
    {
        var context = new DefaultHttpContext();
        context.Request.Path = "/v1/completions";
        context.Response.Body = new MemoryStream();
        return context;
    }

    private static string Text(HttpContext context) => Encoding.UTF8.GetString(((MemoryStream)context.Response.Body).ToArray());
}
