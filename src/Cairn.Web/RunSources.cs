namespace Cairn.Web;

/// <summary>Where the files of a run are. The dashboard reads them and writes none.</summary>
public sealed record RunSources
{
    /// <summary>The run's folder, as people name it.</summary>
    public required string Folder { get; init; }

    /// <summary>The agreed rules.</summary>
    public required string Rules { get; init; }

    /// <summary>The ledger.</summary>
    public required string Ledger { get; init; }

    /// <summary>What happened, a JSON object per line; may be missing.</summary>
    public required string Events { get; init; }

    /// <summary>The folder of the nodes on this machine: each may have a status and a log of its own there. May be missing.</summary>
    public required string Nodes { get; init; }

    /// <summary>The folder of the checkpoints; may be missing.</summary>
    public required string Checkpoints { get; init; }

    /// <summary>Curves of other ways of training, for comparison; may be missing.</summary>
    public required string Comparison { get; init; }
}
