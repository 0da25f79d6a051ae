using System.CommandLine;
using Cairn.Base;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn chain up|down</c>: a real EVM on this machine, for people who want to try; and what moves the money of runs on chains.</summary>
internal static class ChainVerb
{
    private const string ScriptName = "chain-node.sh";

    private static readonly Option<string?> Dir = new("--dir") { Description = "Where the chain keeps its state. Default: artifacts/chain in the checkout." };
    private static readonly Option<int> Port = new("--port") { Description = "Where it answers, on this machine alone.", DefaultValueFactory = _ => 8545 };
    private static readonly Option<double> BlockTime = new("--block-time") { Description = "Seconds from one block to the next.", DefaultValueFactory = _ => 0.5 };

    public static Command Create()
    {
        var up = new Command(
            "up",
            "Starts a chain of one node (Anvil) that keeps its state, and fetches it from npm if it is not here. Its accounts are public: never send them " +
            "anything of worth.\n\n" +
            "Example:  cairn chain up && cairn swarm --ledger evm --rounds 3")
        {
            Dir, Port, BlockTime,
        };
        up.SetAction((parsed, _) => UpAsync(Folder(parsed), parsed.GetValue(Port), parsed.GetValue(BlockTime)));
        var down = new Command("down", "Stops it; its state stays.\n\nExample:  cairn chain down") { Dir };
        down.SetAction(async (parsed, _) =>
        {
            await RunAsync("down", Folder(parsed));
            return ExitCode.Success;
        });
        return new Command("chain", "A blockchain on this machine for trying out runs whose ledger is on one, and the money of such runs (docs/chain.md).")
        {
            up, down, ChainMoneyVerbs.Bind(), ChainMoneyVerbs.Fund(), ChainMoneyVerbs.Settle(), ChainMoneyVerbs.Claim("chain claim"),
        };
    }

    private static async Task<int> UpAsync(string folder, int port, double blockTime)
    {
        if (port is < 1 or > 65_535 || !(blockTime is >= 0.1 and <= 3600))
        {
            throw new InputException($"--port is {port}, must be 1 to 65535; --block-time is {blockTime}, must be 0.1 to 3600 seconds.");
        }

        string[] arguments = ["up", folder, port.ToString(System.Globalization.CultureInfo.InvariantCulture), "--block-time", blockTime.ToString("0.###")];
        var (code, output) = await LocalScript.RunAsync(LocalScript.Find(ScriptName), arguments);
        if (code != 0 && output.Contains("install", StringComparison.Ordinal))
        {
            Console.WriteLine("fetching Anvil from npm");
            await RunAsync("install", folder);
            output = await RunAsync(arguments);
            code = 0;
        }

        if (code != 0)
        {
            throw new InputException($"{output.TrimEnd('.')}.");
        }

        Console.WriteLine($"a chain answers at http://127.0.0.1:{port}, a block every {blockTime:0.###} s; its state is kept in {folder}");
        Console.WriteLine($"\ntry next:\n  ./cairn swarm --ledger evm --rounds 3{(port == 8545 ? "" : $" --rpc http://127.0.0.1:{port}")}\n  ./cairn chain down");
        return ExitCode.Success;
    }

    private static async Task<string> RunAsync(params string[] arguments)
    {
        var (code, output) = await LocalScript.RunAsync(LocalScript.Find(ScriptName), arguments);
        return code == 0 ? output : throw new InputException($"{output.TrimEnd('.')}.");
    }

    private static string Folder(ParseResult parsed) =>
        Path.GetFullPath(parsed.GetValue(Dir) ?? Path.Combine(Path.GetDirectoryName(LocalScript.Find(ScriptName))!, "..", "artifacts", "chain"));
}
