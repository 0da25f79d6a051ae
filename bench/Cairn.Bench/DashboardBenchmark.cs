using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Cairn.Web;

namespace Cairn.Bench;

/// <summary>The dashboard over a long run: how long it reads, what it keeps in memory, how fast its answers are alone and with many viewers, some of whom never read.</summary>
public static class DashboardBenchmark
{
    private const int Viewers = 50;
    private const int Silent = 10;
    private const int Asked = 20;
    private static readonly string[] Pages =
        ["now", "curve", "texts", "peers", "peers/7", "rounds", "rounds/LAST", "rounds/0", "blocks", "blocks/100", "search?q=peer-9", "search?q=DIGEST", "checkpoints", "waits"];

    /// <summary>How the benchmark is listed.</summary>
    public static Benchmark Entry { get; } = new(
        "dashboard", "The dashboard over 1,000 rounds of 100 peers: time to read and verify, memory, answers in milliseconds alone and with 50 viewers.", Run);

    private static int Run(BenchmarkOptions options, TextWriter output)
    {
        var (rounds, peers) = options.Quick ? (20, 20) : (1000, 100);
        var folder = Directory.CreateTempSubdirectory("cairn-dashboard-").FullName;
        try
        {
            var clock = Stopwatch.StartNew();
            var operations = SyntheticHistory.Write(folder, peers, validators: 3, rounds);
            var bytes = new DirectoryInfo(folder).EnumerateFiles().Sum(file => file.Length);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{rounds:N0} rounds of {peers} peers and 3 validators: {operations:N0} operations, {bytes / 1e6:F0} MB, written in {clock.Elapsed.TotalSeconds:F1} s"));
            MeasureAsync(folder, rounds, output, options.Json).GetAwaiter().GetResult();
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task MeasureAsync(string folder, int rounds, TextWriter output, bool json)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var clock = Stopwatch.StartNew();
        await using var dashboard = await Dashboard.StartAsync(SourcesOf(folder), new DashboardOptions(IPAddress.Loopback, 0));
        using var client = new HttpClient { BaseAddress = new Uri(dashboard.Address + "/api/") };
        var whileReading = new List<double>();
        string now;
        do
        {
            whileReading.Add(await TimeAsync(client, "now"));
            await Task.Delay(50);
            now = await client.GetStringAsync("now");
        }
        while (!now.Contains("\"caughtUp\":true", StringComparison.Ordinal));
        var reading = clock.Elapsed.TotalSeconds;
        var kept = GC.GetTotalMemory(forceFullCollection: true) - before;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"read and verified in {reading:F1} s, answering meanwhile in {BenchClock.Median(whileReading):F1} ms (worst {whileReading.Max():F0}); keeps {kept / 1e6:F0} MB"));
        var pages = Pages.Select(page => page.Replace("LAST", $"{rounds - 1}", StringComparison.Ordinal).Replace("DIGEST", Field(now, "tip")[..12], StringComparison.Ordinal)).ToArray();
        var alone = await AskAsync(client, pages);
        Report(output, "alone", alone);
        var (first, with) = await WithViewersAsync(dashboard.Address, client, pages);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Viewers} viewers had their first word within {first:F0} ms, beside {Silent} that never read"));
        Report(output, $"with {Viewers} viewers", with);
        if (json)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{{\"rounds\":{rounds},\"readSeconds\":{reading:F2},\"keptBytes\":{kept},\"worstMilliseconds\":{alone.Max(page => page.Worst):F1},\"worstWithViewersMilliseconds\":{with.Max(page => page.Worst):F1}}}"));
        }
    }

    private static async Task<(double First, List<(string Page, double Median, double Worst)> Pages)> WithViewersAsync(string address, HttpClient client, string[] pages)
    {
        var silent = new List<Socket>();
        using var viewer = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = Viewers + 1 }) { BaseAddress = new Uri(address) };
        var streams = new List<Stream>();
        try
        {
            for (var i = 0; i < Silent; i++)
            {
                silent.Add(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 1024 });
                await silent[i].ConnectAsync(IPAddress.Loopback, new Uri(address).Port);
                await silent[i].SendAsync(Encoding.ASCII.GetBytes("GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n"));
            }

            var clock = Stopwatch.StartNew();
            await Task.WhenAll(Enumerable.Range(0, Viewers).Select(async _ =>
            {
                var stream = await viewer.GetStreamAsync("/api/live");
                _ = await stream.ReadAsync(new byte[64]);
                lock (streams)
                {
                    streams.Add(stream);
                }
            }));
            var first = clock.Elapsed.TotalMilliseconds;
            return (first, await AskAsync(client, pages));
        }
        finally
        {
            streams.ForEach(stream => stream.Dispose());
            silent.ForEach(socket => socket.Dispose());
        }
    }

    private static async Task<List<(string Page, double Median, double Worst)>> AskAsync(HttpClient client, string[] pages)
    {
        var times = new List<(string, double, double)>();
        foreach (var page in pages)
        {
            var taken = new List<double>();
            for (var i = 0; i < Asked; i++)
            {
                // What others asked for just before must not help: another address each time, to the same answer.
                taken.Add(await TimeAsync(client, $"{page}{(page.Contains('?', StringComparison.Ordinal) ? '&' : '?')}again={i}"));
            }

            times.Add((page, BenchClock.Median(taken), taken.Max()));
        }

        return times;
    }

    private static async Task<double> TimeAsync(HttpClient client, string page)
    {
        var clock = Stopwatch.StartNew();
        using var answer = await client.GetAsync(page);
        _ = await answer.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync();
        return clock.Elapsed.TotalMilliseconds;
    }

    private static void Report(TextWriter output, string how, List<(string Page, double Median, double Worst)> pages)
    {
        output.WriteLine($"\nanswers {how}           median    worst");
        foreach (var (page, median, worst) in pages)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {page,-28} {median,7:F1} ms {worst,7:F1} ms"));
        }
    }

    private static string Field(string json, string name)
    {
        var at = json.IndexOf($"\"{name}\":\"", StringComparison.Ordinal) + name.Length + 4;
        return json[at..json.IndexOf('"', at)];
    }

    private static RunSources SourcesOf(string folder) => new()
    {
        Folder = folder,
        Rules = Path.Combine(folder, "rules.json"),
        Ledger = Path.Combine(folder, "ledger.cairn"),
        Events = Path.Combine(folder, "events.jsonl"),
        Nodes = Path.Combine(folder, "nodes"),
        Checkpoints = Path.Combine(folder, "checkpoints"),
        Comparison = Path.Combine(folder, "compare.json"),
        Baseline = Path.Combine(folder, "baseline.json"),
        Data = Path.Combine(folder, "manifest.json"),
    };
}
