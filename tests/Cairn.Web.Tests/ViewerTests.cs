using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.Web.Tests;

/// <summary>Who looks is told; who does not read is let go, and nobody waits for him.</summary>
public sealed class ViewerTests(FinishedRun run)
{
    [Fact]
    public async Task A_viewer_that_never_reads_is_let_go_while_another_hears_every_word()
    {
        using var reader = BookTests.ReadAll(run.Sources);
        // Long words, so that what the system keeps for one who does not read is soon full.
        var now = RunPage.Now(reader.Book) with { Tip = new string('x', 1 << 20) };
        await using var viewers = new Viewers(() => now, TimeProvider.System);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        await using var app = builder.Build();
        app.MapGet("/live", viewers.ServeAsync);
        await app.StartAsync(TestContext.Current.CancellationToken);
        var port = new Uri(app.Urls.First()).Port;

        using var silent = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await silent.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
        await silent.SendAsync(Encoding.ASCII.GetBytes("GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n"), TestContext.Current.CancellationToken);
        using var client = new HttpClient();
        using var lines = new StreamReader(await client.GetStreamAsync($"http://127.0.0.1:{port}/live", TestContext.Current.CancellationToken));
        for (var words = 0; words < 3 || viewers.Count > 1; words++)
        {
            Assert.True(words < 200, "the silent one is still there");
            viewers.Wake();
            Assert.Equal("event: now", await lines.ReadLineAsync(TestContext.Current.CancellationToken));
            Assert.StartsWith("data: ", await lines.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
            Assert.Equal("", await lines.ReadLineAsync(TestContext.Current.CancellationToken));
        }

        Assert.Equal(1, viewers.Count);
    }
}
