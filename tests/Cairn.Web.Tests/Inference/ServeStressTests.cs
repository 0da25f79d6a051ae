using Cairn.Bench;

namespace Cairn.Web.Tests;

public sealed class ServeStressTests
{
    [Fact]
    public async Task Two_hundred_clients_that_behave_badly_are_served_or_told_why_in_bounded_memory()
    {
        await using var server = await TinyServer.StartAsync();
        var report = await ServeStress.RunAsync(server.Server.Address, clients: 200, TimeSpan.FromSeconds(3));
        Assert.True(report.Unexplained.Count == 0, string.Join('\n', report.Unexplained));
        Assert.All((long[])[report.Answered, report.Refused[400], report.Refused[413], report.Left], count => Assert.True(count > 0));
        Assert.InRange(report.MemoryPeak - report.MemoryBefore, 0, 768L << 20);
        await server.UntilAsync("cairn_serve_requests_in_house", count => count == 0);
        await server.UntilAsync("cairn_serve_continuations_running", count => count == 0);
        Assert.Equal(await server.MetricAsync("cairn_serve_cache_tokens"), await server.MetricAsync("cairn_serve_cache_tokens_free"));
    }
}
