using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(Cairn.Web.Tests.Chromium))]

namespace Cairn.Web.Tests;

/// <summary>A real browser without a window. Where none is installed the tests skip with the reason; where CAIRN_REQUIRE_BROWSER is set they fail.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome"];
    private IPlaywright? _playwright;
    private IBrowser? _browser;
    private string _missing = "";

    /// <summary>Where screenshots go: the folder that CAIRN_SCREENSHOTS names, or one beside the tests.</summary>
    public static string Screenshots { get; } = Directory.CreateDirectory(
        Environment.GetEnvironmentVariable("CAIRN_SCREENSHOTS") is { Length: > 0 } named ? named : Path.Combine(AppContext.BaseDirectory, "screenshots")).FullName;

    public async ValueTask InitializeAsync()
    {
        var program = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).SelectMany(folder => Names.Select(name => Path.Combine(folder, name)))
            .FirstOrDefault(File.Exists);
        if (program is null)
        {
            _missing = "no browser is installed here: the Debian package chromium";
            Assert.False(Environment.GetEnvironmentVariable("CAIRN_REQUIRE_BROWSER") is { Length: > 0 }, _missing);
            return;
        }

        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = program, Headless = true, ChromiumSandbox = false });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
    }

    /// <summary>Opens a page that watches itself: see <see cref="WatchedPage"/>.</summary>
    /// <param name="address">Of a dashboard.</param>
    /// <param name="look">How the page is to look.</param>
    public async Task<WatchedPage> OpenAsync(string address, Look look = Look.Light)
    {
        Assert.SkipWhen(_missing.Length > 0, _missing);
        var context = await _browser!.NewContextAsync(new()
        {
            ViewportSize = look == Look.Phone ? new() { Width = 390, Height = 844 } : new() { Width = 1280, Height = 860 },
            ColorScheme = look == Look.Dark ? ColorScheme.Dark : ColorScheme.Light,
            IsMobile = look == Look.Phone,
            HasTouch = look == Look.Phone,
        });
        context.SetDefaultTimeout(30_000);
        var page = new WatchedPage(await context.NewPageAsync(), new Uri(address));
        await page.Page.GotoAsync(address);
        return page;
    }
}

/// <summary>How a page is looked at.</summary>
public enum Look
{
    Light,
    Dark,
    Phone,
}
