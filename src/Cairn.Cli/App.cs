using System.CommandLine;
using System.CommandLine.Invocation;
using Cairn.Base;
using Cairn.Cli.Verbs;

namespace Cairn.Cli;

/// <summary>The whole program but for the process around it: parses, runs the verb, and turns whatever went wrong into a sentence and an exit code.</summary>
internal static class App
{
    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            // Files and updates are read as numbers where they lie, everywhere: asked once, here.
            if (!BitConverter.IsLittleEndian)
            {
                throw new InputException("this processor keeps the highest byte of a number first, and Cairn's formats the lowest: use an x64 or ARM64 machine.");
            }

            var parsed = Root().Parse(args);
            if (parsed.Action is ParseErrorAction && args.Length > 0)
            {
                return Failure.TellUsage(parsed);
            }

            // Only what watches the token can stop cleanly; Ctrl-C ends everything else at once.
            using var signals = parsed.Action is AsynchronousCommandLineAction ? new StopSignals() : null;
            return await parsed.InvokeAsync(
                new InvocationConfiguration
                {
                    EnableDefaultExceptionHandler = false,
                    ProcessTerminationTimeout = null,
                    Output = Console.Out,
                    Error = Console.Error,
                },
                signals?.Token ?? default);
        }
        catch (Exception e)
        {
            return Failure.Tell(e);
        }
    }

    private static RootCommand Root() => new(
        "Cairn trains language models over the open internet: strangers train one model together, and nobody has to be trusted.\n\n" +
        "Begin with:  cairn swarm")
    {
        SwarmVerb.Create(),
        TrainVerb.Create(),
        GenerateVerb.Create(),
        ServeVerb.Create(),
        EvalVerb.Create(),
        CheckpointVerb.Create(),
        DataVerb.Create(),
        TokenizerVerb.Create(),
        RunVerb.Create(),
        NodeVerb.Peer(),
        JoinVerb.Join(),
        NodeVerb.Validator(),
        EvaluatorVerb.Evaluator(),
        StoreVerb.Create(),
        ChainVerb.Create(),
        AuditVerb.Create(),
        ChainMoneyVerbs.Claim("claim"),
        WalletVerb.Create(),
        DashboardVerb.Dashboard(),
        DashboardVerb.Replay(),
        ReportVerb.Create(),
        ObserveVerb.Create(),
        StatusVerb.Create(),
        LabVerb.Create(),
        SimulateVerb.Create(),
        ChaosVerb.Create(),
        BenchVerb.Create(),
    };
}
