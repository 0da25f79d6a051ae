using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Cairn.Ledger.Evm.Tests;

/// <summary>A real EVM of its own for one test class, started by tools/chain-node.sh. Where Anvil is not installed the tests skip with the reason; where
/// CAIRN_REQUIRE_CHAIN is set they fail.</summary>
public class AnvilNode : IAsyncLifetime
{
    // The first account of every Anvil: its secret is public, and worth nothing elsewhere.
    private const string DevSecret = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"cairn-chain-{Path.GetRandomFileName()}");
    private string _missing = "";
    private ChainEndpoints? _endpoints;

    public string Address { get; private set; } = "";

    /// <summary>The same node over WebSocket.</summary>
    public string SocketAddress => Address.Replace("http://", "ws://", StringComparison.Ordinal);

    public ChainEndpoints Endpoints => _endpoints!;

    public ChainClient Chain => new(Endpoints);

    public AccountKey Dev { get; } = AccountKey.FromSecret(Convert.FromHexString(DevSecret));

    /// <summary>How it makes blocks.</summary>
    protected virtual string[] Options => [];

    public async ValueTask InitializeAsync()
    {
        var required = Environment.GetEnvironmentVariable("CAIRN_REQUIRE_CHAIN") is { Length: > 0 };
        if (!required && Environment.GetEnvironmentVariable("CAIRN_ANVIL") is not { Length: > 0 } && !IsInstalled("anvil"))
        {
            _missing = "no EVM is installed here: tools/chain-node.sh install DIR, and its path in CAIRN_ANVIL";
            return;
        }

        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            Address = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";
        }

        await UpAsync();
        _endpoints = new ChainEndpoints([Address]);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Dev.Dispose();
        _endpoints?.Dispose();
        if (_missing.Length == 0)
        {
            await DownAsync();
            Directory.Delete(_folder, recursive: true);
        }
    }

    public void SkipIfMissing() => Assert.SkipWhen(_missing.Length > 0, _missing);

    public async Task UpAsync()
    {
        var (code, output) = await RunAsync(["up", _folder, new Uri(Address).Port.ToString(System.Globalization.CultureInfo.InvariantCulture), .. Options]);
        Assert.True(code == 0, output);
    }

    public async Task DownAsync() => await RunAsync("down", _folder);

    /// <summary>Asks what only this node understands.</summary>
    public async Task<string> ControlAsync(string method, string parameters = "[]")
    {
        using var answer = await Endpoints.AskAsync(method, parameters, TestContext.Current.CancellationToken);
        return answer.RootElement.ToString();
    }

    /// <summary>Puts the contract on the chain.</summary>
    public async Task<EvmAddress> DeployAsync(ChainSender sender) =>
        (await sender.SendAsync(null, CairnContract.DeployCode(), 0, TestContext.Current.CancellationToken)).Contract!.Value;

    /// <summary>The compiled bytes of a contract for tests.</summary>
    /// <param name="name">Its name, in contracts/build.</param>
    public static byte[] CodeOf(string name)
    {
        using var built = JsonDocument.Parse(File.ReadAllText(Path.Combine(Root, $"contracts/build/{name}.json")));
        return Convert.FromHexString(built.RootElement.GetProperty("bytecode").GetString()!);
    }

    private static string Root
    {
        get
        {
            var root = AppContext.BaseDirectory;
            while (!File.Exists(Path.Combine(root, "Cairn.slnx")))
            {
                root = Path.GetDirectoryName(root) ?? throw new InvalidOperationException("the tests do not lie in the repository");
            }

            return root;
        }
    }

    private static bool IsInstalled(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));

    private static async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        // Into a file: the node that the script leaves running would keep a pipe open.
        var log = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        using var script = Process.Start(new ProcessStartInfo("bash", ["-c", $"exec \"$@\" >{log} 2>&1 </dev/null", "-", Path.Combine(Root, "tools/chain-node.sh"), .. arguments]))!;
        await script.WaitForExitAsync();
        var output = await File.ReadAllTextAsync(log);
        File.Delete(log);
        return (script.ExitCode, output);
    }
}

/// <summary>One that makes ten blocks a second.</summary>
public sealed class TickingAnvilNode : AnvilNode
{
    protected override string[] Options => ["--block-time", "0.1"];
}

/// <summary>One that makes blocks only when told to.</summary>
public sealed class ManualAnvilNode : AnvilNode
{
    protected override string[] Options => ["--no-mining"];

    public async Task<ulong> MineAsync()
    {
        await ControlAsync("evm_mine");
        return await Chain.HeightAsync(TestContext.Current.CancellationToken);
    }
}
