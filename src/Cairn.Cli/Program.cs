using System.CommandLine;
using System.CommandLine.Invocation;
using Cairn.Base;
using Cairn.Cli;
using Cairn.Cli.Verbs;

var root = new RootCommand("Cairn trains language models over the open internet: strangers train one model together, and nobody has to be trusted.\n\n" +
    "Begin with:  cairn swarm")
{
    SwarmVerb.Create(),
    TrainVerb.Create(),
    GenerateVerb.Create(),
    DataVerb.Create(),
    TokenizerVerb.Create(),
    RunVerb.Create(),
    BenchVerb.Create(),
};

try
{
    var parsed = root.Parse(args);
    if (parsed.Action is ParseErrorAction && args.Length > 0)
    {
        return Failure.TellUsage(parsed);
    }

    // Only what watches the token can stop cleanly; Ctrl-C ends everything else at once.
    using var signals = parsed.Action is AsynchronousCommandLineAction ? new StopSignals() : null;
    return await parsed.InvokeAsync(
        new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, signals?.Token ?? default);
}
catch (Exception e)
{
    return Failure.Tell(e);
}
