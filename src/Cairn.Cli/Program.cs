using System.CommandLine;
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
    BenchVerb.Create(),
};

try
{
    var parsed = root.Parse(args);
    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
}
catch (InputException e)
{
    await Console.Error.WriteLineAsync($"cairn: {e.Message}");
    return ExitCode.BadInput;
}
catch (OperationCanceledException)
{
    await Console.Error.WriteLineAsync("cairn: interrupted.");
    return ExitCode.Interrupted;
}
