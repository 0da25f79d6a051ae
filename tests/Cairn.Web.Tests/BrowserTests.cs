using System.Net;
using Cairn.Node;
using Cairn.Node.Tests;

namespace Cairn.Web.Tests;

/// <summary>The pages in a real browser.</summary>
public sealed class BrowserTests(FinishedRun run, Chromium chromium) : IDisposable
{
    private static readonly DashboardOptions AnyPort = new(IPAddress.Loopback, 0);
    private static readonly string[] Tabs = ["Run", "Peers", "Rounds", "Ledger", "Checkpoints", "Stuck?", "Chat"];
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_swarm_is_seen_from_its_first_round_to_its_last_without_a_reload()
    {
        // The run waits where something new is to be seen, until the page has shown it.
        using var begun = new SemaphoreSlim(0);
        using var seen = new SemaphoreSlim(0);
        var directory = new RunDirectory(_folder["live"]);
        var swarm = Task.Run(() => Swarm.RunAsync(
            run.Options(directory.Root, rounds: 3), happened =>
            {
                if (happened is RunStarted or LossEvaluated { Round: >= 0 })
                {
                    begun.Release();
                    seen.Wait(TimeSpan.FromMinutes(1));
                }
            },
            _ => { }, CancellationToken.None));
        await begun.WaitAsync(TestContext.Current.CancellationToken);
        await using var dashboard = await Dashboard.StartAsync(FinishedRun.SourcesOf(directory), AnyPort);
        await using var page = await chromium.OpenAsync(dashboard.Address);
        await page.Page.EvaluateAsync("window.stillTheSamePage = true");
        await page.Page.Locator("#line").GetByText("live").WaitForAsync();
        await page.Main.Locator(".stages li.on").GetByText("Train").WaitForAsync();
        await using var other = await chromium.OpenAsync(dashboard.Address + "/#/peers");
        await other.Main.GetByText("peer-2").FocusAsync();
        seen.Release();
        for (var round = 1; round <= 3; round++)
        {
            await begun.WaitAsync(TestContext.Current.CancellationToken);
            await page.Main.Locator($".chart[aria-label*='after {round} rounds']").WaitForAsync();
            seen.Release();
        }

        await page.Page.Locator("#line").GetByText("run is over").WaitForAsync();
        var outcome = await swarm;
        Assert.True(outcome.Finished);

        // What the keyboard had come to is still there, although all numbers around it have changed.
        await other.Main.Locator("tr:has-text('peer-2') td:nth-child(9)").GetByText("3", new() { Exact = true }).WaitForAsync();
        Assert.Equal("peer-2", await FocusedAsync(other));
        await other.AssertCleanAsync();
        Assert.True(await page.Page.EvaluateAsync<bool>("window.stillTheSamePage === true"));
        await page.SeeAsync("After round 3");
        await page.GoAsync("Checkpoints");
        await page.Main.GetByText("Try it").First.WaitForAsync();
        await page.AssertCleanAsync();
    }

    [Theory]
    [InlineData(Look.Light)]
    [InlineData(Look.Dark)]
    [InlineData(Look.Phone)]
    public async Task Every_page_shows_the_run(Look look)
    {
        await using var dashboard = await Dashboard.StartAsync(run.Sources, AnyPort);
        await using var page = await chromium.OpenAsync(dashboard.Address, look);
        foreach (var (tab, text) in Tabs.Zip((string[])["All replicas have the same bits", "peer-2", "settles", "Verified:", "model.safetensors", "nobody waits", "Continue it"]))
        {
            await page.GoAsync(tab);
            await page.SeeAsync(text);
            await page.AssertCleanAsync();
            await page.ShootAsync($"{tab.TrimEnd('?')}-{look}");
        }

        foreach (var (address, text) in new[] { ("peers/1", "Rating over the rounds"), ("rounds/2", "All 4 posted the same digest."), ("ledger/5", "Operations") })
        {
            await page.Page.EvaluateAsync($"location.hash = '#/{address}'");
            await page.SeeAsync(text);
            await page.AssertCleanAsync();
            await page.ShootAsync($"{address.Replace('/', '-')}-{look}");
        }
    }

    [Fact]
    public async Task What_a_run_began_with_writes_now_and_its_baseline_writes_stand_side_by_side()
    {
        var copy = run.Copy(_folder);
        FinishedRun.WriteBaseline(copy, FinishedRun.DataOf(copy), "Gets the best of both.");
        await using var dashboard = await Dashboard.StartAsync(FinishedRun.SourcesOf(copy), AnyPort);
        await using var page = await chromium.OpenAsync(dashboard.Address);
        await page.SeeAsync("Gets the best of both.");
        await page.SeeAsync("Before training");
        await page.SeeAsync($"After round {FinishedRun.Rounds}");
        await page.Main.Locator(".chart[aria-label*='AdamW: 2.400']").WaitForAsync();
        await page.Main.GetByText("tokens", new() { Exact = true }).First.ClickAsync();
        await page.AssertCleanAsync();
        await page.ShootAsync("Run-baseline");
    }

    [Fact]
    public async Task Every_page_of_a_run_without_a_log_says_what_is_missing_and_shows_the_rest()
    {
        var copy = run.Copy(_folder);
        FinishedRun.DropLogs(copy);
        await using var dashboard = await Dashboard.StartAsync(FinishedRun.SourcesOf(copy), AnyPort);
        await using var page = await chromium.OpenAsync(dashboard.Address);
        await page.SeeAsync("the ledger does not hold the loss");
        await page.ShootAsync("Run-no-log");
        foreach (var (tab, text) in Tabs.Zip((string[])["All replicas have the same bits", "peer-2", "settles", "Verified:", "model.safetensors", "nobody waits", "Continue it"]))
        {
            await page.GoAsync(tab);
            await page.SeeAsync(text);
            await page.AssertCleanAsync();
        }

        await page.Page.EvaluateAsync("location.hash = '#/rounds/2'");
        await page.SeeAsync("its verdict stands in the timeline");
        await page.AssertCleanAsync();
    }

    [Fact]
    public async Task The_keyboard_alone_reaches_every_page_and_sorts_a_table()
    {
        await using var dashboard = await Dashboard.StartAsync(run.Sources, AnyPort);
        await using var page = await chromium.OpenAsync(dashboard.Address);
        var keyboard = page.Page.Keyboard;
        await page.SeeAsync("nats/token");
        await keyboard.PressAsync("Tab");
        Assert.Equal("To the content", await FocusedAsync(page));
        foreach (var tab in Tabs)
        {
            for (var presses = 0; await FocusedAsync(page) != tab; presses++)
            {
                Assert.True(presses < 12, $"{tab} is not reached");
                await keyboard.PressAsync("Tab");
            }
        }

        await keyboard.PressAsync("Enter");
        await page.SeeAsync("Continue it");
        foreach (var (tab, key) in Tabs.Zip(Enumerable.Range(1, 7)))
        {
            await page.Page.EvaluateAsync("document.activeElement.blur()");
            await keyboard.PressAsync($"{key}");
            await page.Page.Locator("#tabs a[aria-current]").GetByText(tab, new() { Exact = true }).WaitForAsync();
        }

        await keyboard.PressAsync("2");
        await page.SeeAsync("validator-1");
        await page.Page.Locator("#sort-name").FocusAsync();
        await keyboard.PressAsync("Enter");
        await keyboard.PressAsync("Enter");
        Assert.Equal("descending", await page.Main.Locator("th:has(#sort-name)").GetAttributeAsync("aria-sort"));
        Assert.Equal("validator-1", await page.Main.Locator("tbody tr").First.Locator("a").TextContentAsync());
        await page.AssertCleanAsync();
    }

    [Fact]
    public async Task What_others_wrote_is_shown_as_text()
    {
        const string Markup = "<img src=x onerror=alert(1)><script>alert(2)</script>";
        var copy = run.Copy(_folder);
        File.AppendAllLines(copy.Events,
        [
            Line($"\"event\":\"sampled\",\"round\":5,\"text\":\"{Markup}\""), Line($"\"event\":\"store-does-not-answer\",\"node\":\"{Markup}\",\"key\":\"k\",\"detail\":\"{Markup}\""),
            Line($"\"event\":\"judged\",\"node\":\"{Markup}\",\"round\":1,\"verdicts\":[{{\"uid\":0,\"peer\":\"{Markup}\",\"reason\":\"{Markup}\",\"detail\":\"{Markup}\"}}]"),
        ]);
        File.WriteAllText(
            Path.Combine(copy.Node("peer-1"), "status.json"),
            $"{{\"name\":\"{Markup}\",\"role\":\"{Markup}\",\"waitsFor\":\"{Markup}\",\"whom\":[\"{Markup}\"],\"trouble\":\"{Markup}\"}}");
        await using var dashboard = await Dashboard.StartAsync(FinishedRun.SourcesOf(copy), AnyPort);
        await using var page = await chromium.OpenAsync(dashboard.Address);
        foreach (var address in (string[])["run", "stuck", "rounds/2", $"peers/{Uri.EscapeDataString(Markup)}", "ledger"])
        {
            await page.Page.EvaluateAsync("address => location.hash = '#/' + address", address);
            await (address is "ledger" ? page.SeeAsync("Verified:") : address.StartsWith("peers", StringComparison.Ordinal) ? page.SeeAsync("nothing of that name") : page.SeeAsync(Markup));
            Assert.Equal(0, await page.Page.Locator("main img, main script").CountAsync());
        }

        await page.Page.Locator("#ledger-search").FillAsync(Markup);
        await page.Page.Keyboard.PressAsync("Enter");
        await page.SeeAsync(Markup);

        // A peer of that number is not there, and the browser says so in its console: that is all.
        page.Watches = false;
        Assert.Equal(0, await page.Page.Locator("main img, main script").CountAsync());

        static string Line(string fields) => $"{{\"time\":\"2026-01-01T00:00:00Z\",\"data\":{{{fields}}}}}";
    }

    [Fact]
    public async Task A_dashboard_that_is_gone_is_said_and_found_again_by_itself()
    {
        var dashboard = await Dashboard.StartAsync(run.Sources, AnyPort);
        var port = new Uri(dashboard.Address).Port;
        await using var page = await chromium.OpenAsync(dashboard.Address);
        await page.Page.Locator("#line").GetByText("run is over").WaitForAsync();
        page.Watches = false;
        await dashboard.DisposeAsync();
        await page.Page.Locator("#banner").GetByText("The dashboard does not answer").WaitForAsync();
        await page.ShootAsync("gone");
        await using var again = await Dashboard.StartAsync(run.Sources, AnyPort with { Port = port });
        Assert.Equal(port, new Uri(again.Address).Port);
        await page.Page.Locator("#line").GetByText("run is over").WaitForAsync();
        Assert.Equal("", await page.Page.Locator("#banner").TextContentAsync());
    }

    [Fact]
    public async Task Two_checkpoints_continue_the_same_text_side_by_side()
    {
        await using var dashboard = await Dashboard.StartAsync(run.Sources, AnyPort);
        await using var page = await chromium.OpenAsync(dashboard.Address);
        await page.GoAsync("Chat");
        await page.Page.Locator("#prompt").FillAsync("The ");
        await page.Main.GetByText("Continue it").ClickAsync();
        await page.Main.Locator(".said").First.Locator("xpath=following-sibling::p").GetByText("said in").WaitForAsync();
        await page.Main.Locator(".said").Last.Locator("xpath=following-sibling::p").GetByText("said in").WaitForAsync();
        var (one, other) = (await page.Main.Locator(".said").First.TextContentAsync(), await page.Main.Locator(".said").Last.TextContentAsync());
        Assert.StartsWith("The ", one, StringComparison.Ordinal);
        Assert.NotEqual(one, other);
        await page.ShootAsync("Chat-said");
        await page.AssertCleanAsync();
    }

    [Fact]
    public async Task The_first_paint_is_measured()
    {
        await using var dashboard = await Dashboard.StartAsync(run.Sources, AnyPort);
        var times = new List<double>();
        for (var i = 0; i < 5; i++)
        {
            await using var page = await chromium.OpenAsync(dashboard.Address);
            await page.SeeAsync("nats/token");
            times.Add(await page.Page.EvaluateAsync<double>("performance.getEntriesByName('first-contentful-paint')[0].startTime"));
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"first paint, median of 5: {times.Order().ElementAt(2):F0} ms");
        Assert.All(times, time => Assert.InRange(time, 1, 30_000));
    }

    private static Task<string> FocusedAsync(WatchedPage page) => page.Page.EvaluateAsync<string>("document.activeElement.textContent");
}
