using System.CommandLine;
using System.Text.Json;
using Cairn.Base;
using Cairn.Cli.Views;
using Cairn.Ledger;
using Cairn.Node;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn peer</c> and <c>cairn validator</c>: one node of a run as a process of its own.</summary>
internal static class NodeVerb
{
    private static readonly Option<bool> Json = new("--json") { Description = "Print how it ended as one line of JSON and nothing else." };

    public static Command Peer() => Create(
        Role.Peer, "peer",
        "Trains in a run: joins it if its name is new, goes on where it stopped otherwise. Ctrl-C stops it; the same command goes on.\n\n" +
        "Example:  cairn peer --dir runs/ours --name alice --threads 2");

    public static Command Validator() => Create(
        Role.Validator, "validator",
        "Checks, scores and closes the rounds of a run as one of its validators. Ctrl-C stops it; the same command goes on.\n\n" +
        "Example:  cairn validator --dir runs/ours --name validator-1");

    private static Command Create(Role role, string word, string description)
    {
        var command = new Command(word, description) { Json };
        foreach (var option in NodeConfig.All)
        {
            command.Options.Add(option);
        }

        command.SetAction((parsed, cancellation) => RunAsync(role, word, parsed, cancellation));
        return command;
    }

    private static async Task<int> RunAsync(Role role, string word, ParseResult parsed, CancellationToken cancellation)
    {
        var config = NodeConfig.Read(parsed);
        if (parsed.GetValue(NodeConfig.PrintConfig))
        {
            Print(config);
            return ExitCode.Success;
        }

        var folder = config.Folder ?? RunFolders.Newest();
        return await RunAsync(role, word, config, folder, parsed.GetValue(Json), cancellation);
    }

    /// <summary>Runs a node and says how it ended.</summary>
    /// <param name="role">Peer or validator.</param>
    /// <param name="word">The verb that goes on with it.</param>
    /// <param name="config">How it is set up.</param>
    /// <param name="folder">The run's folder.</param>
    /// <param name="json">True to print nothing but how it ended.</param>
    /// <param name="cancellation">Stops it.</param>
    public static async Task<int> RunAsync(Role role, string word, NodeConfig config, string folder, bool json, CancellationToken cancellation)
    {
        var options = OptionsOf(role, config, folder);
        options.Validate();
        NodeOutcome outcome;
        using (IRunView view = json ? new SilentView() : new NodeView(Console.Out))
        {
            outcome = await NodeProcess.RunAsync(options, view.Show, cancellation);
        }

        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(outcome, CliJson.Default.NodeOutcome));
        }
        else if (outcome.Finished)
        {
            Console.WriteLine(
                $"the run is over: {outcome.Rounds} rounds, base {outcome.BaseDigest[..16]}…\n\ntry next:\n  ./cairn run show --dir {RunFolders.Quoted(folder)}");
        }
        else if (outcome.Halted is null)
        {
            Console.WriteLine(
                $"\nstopped at round {outcome.Rounds}. Nothing is lost. Go on with:\n  ./cairn {word} --dir {RunFolders.Quoted(folder)} --name {options.Name}");
        }

        if (outcome.Halted is { } halted)
        {
            Console.Error.WriteLine(Failure.OfHalted(halted, folder));
            return ExitCode.Disagreement;
        }

        return outcome.Finished ? ExitCode.Success : ExitCode.Interrupted;
    }

    /// <summary>What was chosen.</summary>
    /// <param name="role">Peer or validator.</param>
    /// <param name="config">How it is set up.</param>
    /// <param name="folder">The run's folder.</param>
    public static NodeOptions OptionsOf(Role role, NodeConfig config, string folder) => new(
        folder, config.NodeName ?? throw new InputException("a node needs a name: give --name."), role, config.ThreadCount, config.OwnStore, config.Access,
        config.HealthAddress, config.StepCount)
    {
        Chain = config.Chain,
    };

    /// <summary>Prints every value and where it comes from.</summary>
    /// <param name="config">How a node is set up.</param>
    public static void Print(NodeConfig config)
    {
        var width = config.Values.Max(value => value.Name.Length);
        foreach (var (name, value, from) in config.Values)
        {
            Console.WriteLine($"{name.PadRight(width)}  {value}  ({from})");
        }
    }
}
