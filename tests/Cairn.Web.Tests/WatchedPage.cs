using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace Cairn.Web.Tests;

/// <summary>A page of which everything is noted that must not happen: errors, dialogs, and requests to another host.</summary>
public sealed class WatchedPage : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> _faults = new();
    private readonly Uri _home;

    public WatchedPage(IPage page, Uri home)
    {
        (Page, _home) = (page, home);
        page.Console += (_, message) => Note(message.Type is "error" or "warning", $"console: {message.Text}");
        page.PageError += (_, error) => Note(true, $"error: {error}");
        page.Request += (_, request) => Note(new Uri(request.Url).Authority != _home.Authority, $"request to {request.Url}");
        page.Dialog += (_, dialog) =>
        {
            Note(true, $"dialog: {dialog.Message}");
            _ = dialog.DismissAsync();
        };
    }

    public IPage Page { get; }

    /// <summary>False while the dashboard is away on purpose: then errors of the network are expected.</summary>
    public bool Watches { get; set; } = true;

    public ILocator Main => Page.Locator("main");

    /// <summary>Follows a tab.</summary>
    public async Task GoAsync(string tab)
    {
        await Page.Locator("#tabs").GetByText(tab, new() { Exact = true }).ClickAsync();
        await Page.Locator("#tabs a[aria-current]").GetByText(tab, new() { Exact = true }).WaitForAsync();
    }

    public Task SeeAsync(string text) => Main.GetByText(text).First.WaitForAsync();

    /// <summary>Keeps a picture.</summary>
    public Task ShootAsync(string name) => Page.ScreenshotAsync(new() { Path = Path.Combine(Chromium.Screenshots, name + ".png"), FullPage = true });

    /// <summary>Nothing happened that must not, and nothing is wider than the screen.</summary>
    public async Task AssertCleanAsync()
    {
        Assert.Empty(_faults);
        Assert.True(await Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= window.innerWidth"), $"{Page.Url} is wider than the screen");
    }

    public async ValueTask DisposeAsync() => await Page.Context.DisposeAsync();

    private void Note(bool wrong, string what)
    {
        if (wrong && Watches)
        {
            _faults.Enqueue(what);
        }
    }
}
