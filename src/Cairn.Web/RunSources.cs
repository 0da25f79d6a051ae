using Cairn.Base;

namespace Cairn.Web;

/// <summary>Where the files of a run are. The dashboard reads them and writes none.</summary>
public sealed record RunSources
{
    /// <summary>The run's folder, or how people name the run that has none here.</summary>
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

    /// <summary>The curve of the centralised baseline; may be missing.</summary>
    public required string Baseline { get; init; }

    /// <summary>The manifest of the data set, which says in words what the text is; may be missing.</summary>
    public required string Data { get; init; }

    /// <summary>What was measured of peers' contributions; may be missing, and null where nobody could have measured.</summary>
    public string? Contribution { get; init; }

    /// <summary>The folder of what evaluators found of checkpoints; may be missing, and null where there can be none.</summary>
    public string? Evaluations { get; init; }

    /// <summary>Brings a checkpoint here from stores on the network; null where the run has none.</summary>
    public Func<WantedCheckpoint, CancellationToken, Task>? Bring { get; init; }
}

/// <summary>A checkpoint that is to be brought here.</summary>
/// <param name="Round">After which round it stands.</param>
/// <param name="Digest">What the ledger says that it is; whoever brings it compares.</param>
/// <param name="Places">Where validators announced that they keep theirs; an empty text for the common store.</param>
/// <param name="Folder">Where it is to lie.</param>
public sealed record WantedCheckpoint(int Round, Digest Digest, IReadOnlyList<string> Places, string Folder);
