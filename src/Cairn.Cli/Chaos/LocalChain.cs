using System.Globalization;
using System.Text.Json;
using Cairn.Base;
using Cairn.Ledger.Evm;

namespace Cairn.Cli.Chaos;

/// <summary>A real EVM on this machine for the time of a trial, started by tools/chain-node.sh: killed and started again where its state was last written, stopped, and
/// reorganised, always by fewer blocks than a run waits for.</summary>
internal sealed class LocalChain : IAsyncDisposable
{
    /// <summary>Blocks that must stand on one before a node acts on it: more than a kill loses.</summary>
    public const int Confirmations = 8;

    /// <summary>What opens the accounts of a trial; they are worth nothing.</summary>
    public const string Passphrase = "chaos";

    private const double BlockSeconds = 0.25;

    // Anvil writes its state once a second. A second and a quarter are five or six blocks.
    private const int StateIntervalSeconds = 1;
    private const double StateAgeMax = 1.25;
    private const string Coins = "0x56bc75e2d63100000"; // 100
    private static readonly TimeSpan LookForState = TimeSpan.FromSeconds(5);
    private readonly string _script;
    private readonly string _folder;
    private readonly int _port;
    private readonly ChainEndpoints _node;

    private LocalChain(string folder)
    {
        (_script, _folder, _port) = (LocalScript.Find("chain-node.sh"), Path.GetFullPath(folder), LocalScript.FreePort());
        Address = $"http://127.0.0.1:{_port}";
        _node = new ChainEndpoints([Address], TimeSpan.FromSeconds(5));
    }

    public string Address { get; }

    private string StatePath => Path.Combine(_folder, "state.json");

    private string PidPath => Path.Combine(_folder, "pid");

    /// <summary>Starts it.</summary>
    /// <param name="folder">Its own folder.</param>
    /// <exception cref="InputException">Anvil is not here.</exception>
    public static async Task<LocalChain> StartAsync(string folder)
    {
        var chain = new LocalChain(folder);
        await chain.UpAsync();
        return chain;
    }

    /// <summary>Starts it where its state was last written.</summary>
    public async Task UpAsync()
    {
        var (code, output) = await LocalScript.RunAsync(
            _script, "up", _folder, Text(_port), "--block-time", Text(BlockSeconds), "--state-interval", Text(StateIntervalSeconds));
        if (code != 0)
        {
            throw new InputException($"no chain could be started: {output.TrimEnd('.')}.");
        }
    }

    /// <summary>Makes an account that can pay, in a key file that <see cref="Passphrase"/> opens.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task MakeAccountAsync(string path, CancellationToken cancellation)
    {
        using var key = AccountKey.Create();
        Keystore.Write(path, key, Passphrase);
        await AskAsync("anvil_setBalance", $"""["{key.Address}","{Coins}"]""", cancellation);
    }

    /// <summary>kill -9, at an instant at which what it has written is whole and not old: Anvil is no real node, and would not survive any other.</summary>
    /// <returns>False if there was no such instant.</returns>
    public async Task<bool> KillAsync(CancellationToken cancellation)
    {
        var pid = int.Parse(await File.ReadAllTextAsync(PidPath, cancellation), CultureInfo.InvariantCulture);
        var until = DateTimeOffset.UtcNow + LookForState;
        while (DateTimeOffset.UtcNow < until)
        {
            ProcessSignal.Send(pid, ProcessSignal.Stop);
            if (IsStateGood())
            {
                ProcessSignal.Send(pid, ProcessSignal.Kill);
                File.Delete(PidPath);
                return true;
            }

            ProcessSignal.Send(pid, ProcessSignal.Continue);
            await Task.Delay(100, cancellation);
        }

        return false;
    }

    /// <summary>Stops it: it takes connections and answers nothing.</summary>
    public void Freeze() => Signal(ProcessSignal.Stop);

    /// <summary>Lets it go on.</summary>
    public void Thaw() => Signal(ProcessSignal.Continue);

    /// <summary>Puts other, empty blocks in the place of the newest.</summary>
    /// <param name="depth">How many, fewer than <see cref="Confirmations"/>.</param>
    /// <param name="cancellation">Gives up.</param>
    public Task ReorganiseAsync(int depth, CancellationToken cancellation) => AskAsync("anvil_reorg", $"[{Text(depth)},[]]", cancellation);

    /// <summary>Takes the blocks of some time away, so that the chain is shorter until it has made others.</summary>
    /// <param name="blocks">About how many; never as many as <see cref="Confirmations"/>.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>False if more blocks came meanwhile than may be taken away.</returns>
    public async Task<bool> RevertAsync(int blocks, CancellationToken cancellation)
    {
        var before = await HeightAsync(cancellation);
        var snapshot = await AskAsync("evm_snapshot", "[]", cancellation);
        await Task.Delay(TimeSpan.FromSeconds(blocks * BlockSeconds), cancellation);
        if (await HeightAsync(cancellation) >= before + Confirmations - 2)
        {
            return false;
        }

        await AskAsync("evm_revert", $"[\"{snapshot}\"]", cancellation);
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        _node.Dispose();
        if (File.Exists(PidPath))
        {
            Thaw();
            await LocalScript.RunAsync(_script, "down", _folder);
        }
    }

    private bool IsStateGood()
    {
        var age = DateTimeOffset.UtcNow - File.GetLastWriteTimeUtc(StatePath);
        if (age.TotalSeconds > StateAgeMax)
        {
            return false;
        }

        try
        {
            using var state = JsonDocument.Parse(File.ReadAllBytes(StatePath));
            return true;
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
            return false;
        }
    }

    private void Signal(int signal)
    {
        if (File.Exists(PidPath))
        {
            ProcessSignal.Send(int.Parse(File.ReadAllText(PidPath), CultureInfo.InvariantCulture), signal);
        }
    }

    private Task<ulong> HeightAsync(CancellationToken cancellation) => new ChainClient(_node).HeightAsync(cancellation);

    private async Task<string> AskAsync(string method, string parameters, CancellationToken cancellation)
    {
        using var answer = await _node.AskAsync(method, parameters, cancellation);
        return answer.RootElement.ToString();
    }

    private static string Text(IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture);
}
