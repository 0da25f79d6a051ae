namespace Cairn.Cli;

/// <summary>What the process returns; documented in the README.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Success = 0;

    /// <summary>An option or argument is unknown or out of range .</summary>
    public const int Usage = 1;

    /// <summary>A file, folder or value that was given cannot be used; one sentence says which and what to do.</summary>
    public const int BadInput = 2;

    /// <summary>What was computed again is not what others computed: a replica differs from the quorum and halted, the evidence is in its folder; or
    /// epochs of a file differ from those of the chain that made them; or two models that were compared differ.</summary>
    public const int Disagreement = 4;

    /// <summary>An oracle of the simulator failed; the seed and the command that repeats it are printed.</summary>
    public const int Broken = 5;

    /// <summary>A bug of this program; what it printed belongs into a report.</summary>
    public const int Bug = 70;

    /// <summary>Stopped by the user; the run can go on with --resume.</summary>
    public const int Interrupted = 130;
}
