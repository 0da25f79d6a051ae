using System.CommandLine;
using System.CommandLine.Parsing;
using Cairn.Base;

namespace Cairn.Cli;

/// <summary>How a process that could not do its work says so: one sentence on the error stream, and an exit code.</summary>
internal static class Failure
{
    /// <summary>Options or arguments that are not understood.</summary>
    /// <param name="parsed">With errors.</param>
    public static int TellUsage(ParseResult parsed)
    {
        var verb = "";
        for (SymbolResult? at = parsed.CommandResult; at is CommandResult { Command: not RootCommand and var command }; at = at.Parent)
        {
            verb = $" {command.Name}{verb}";
        }

        Console.Error.WriteLine($"cairn: {string.Join(" ", parsed.Errors.Select(e => e.Message).Distinct())} See 'cairn{verb} --help'.");
        return ExitCode.Usage;
    }

    /// <summary>An exception that reached the root.</summary>
    /// <param name="exception">Bad input, trouble of the machine, or our own bug.</param>
    public static int Tell(Exception exception)
    {
        switch (exception)
        {
            case AggregateException { InnerExceptions.Count: 1, InnerException: { } inner }:
                return Tell(inner);
            case InputException:
                return Say(exception.Message, ExitCode.BadInput);
            case OperationCanceledException:
                return Say("interrupted. Nothing is lost: go on with --resume if the run had begun.", ExitCode.Interrupted);
            case OutOfMemoryException:
                return Say("this machine has too little memory for that: choose a smaller --preset or fewer --peers.", ExitCode.BadInput);
            case IOException or UnauthorizedAccessException:
                return Say($"{exception.Message} Check that this user may read and write there and that the disk is not full, then try again.", ExitCode.BadInput);
            default:
                return Say($"this is a bug in cairn, please report it: {exception}", ExitCode.Bug);
        }
    }

    /// <summary>What is said of a node that stopped with a wrong replica.</summary>
    /// <param name="halted">What it told.</param>
    /// <param name="folder">The run's folder.</param>
    public static string OfHalted(Node.ReplicaHalted halted, string folder) =>
        $"cairn: {halted.Node} halted after round {halted.Round}: its base {halted.Own[..8]} differs from the quorum's {halted.Quorum[..8]} even when computed again. " +
        $"Its state is kept in {Path.Combine(folder, "nodes", halted.Node)}; this machine or its memory may be faulty.";

    private static int Say(string sentence, int code)
    {
        Console.Error.WriteLine($"cairn: {sentence}");
        return code;
    }
}
