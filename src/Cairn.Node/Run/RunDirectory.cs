using Cairn.Base;

namespace Cairn.Node;

/// <summary>Where everything of a run lies on this machine, and the lock that keeps a second process out.</summary>
public sealed class RunDirectory
{
    /// <summary>Names the places under a root; touches nothing.</summary>
    /// <param name="root">The run's folder.</param>
    public RunDirectory(string root) => Root = Path.GetFullPath(root);

    /// <summary>The run's folder.</summary>
    public string Root { get; }

    /// <summary>The agreed rules and their digest.</summary>
    public string Rules => Path.Combine(Root, "rules.json");

    /// <summary>The embedded ledger.</summary>
    public string Ledger => Path.Combine(Root, "ledger.cairn");

    /// <summary>The object store.</summary>
    public string Store => Path.Combine(Root, "store");

    /// <summary>Token shards, tokenizer, manifest.</summary>
    public string Data => Path.Combine(Root, "data");

    /// <summary>Published checkpoints, one folder for each settled round.</summary>
    public string Checkpoints => Path.Combine(Store, "checkpoints");

    /// <summary>What happened, one JSON object per line.</summary>
    public string Events => Path.Combine(Root, "events.jsonl");

    /// <summary>The summary written at the end.</summary>
    public string Report => Path.Combine(Root, "report.json");

    /// <summary>One node's own folder: key, durable state, outbox.</summary>
    /// <param name="node">The node's name.</param>
    public string Node(string node) => Path.Combine(Root, "nodes", node);

    /// <summary>True if a run was created here.</summary>
    public bool HoldsRun => File.Exists(Rules) && File.Exists(Ledger);

    /// <summary>What of a run that was once begun is here, or null: so that a run with a lost file is never taken for a free folder.</summary>
    internal string? Remains =>
        File.Exists(Ledger) ? "a ledger"
        : Directory.Exists(Node("")) && Directory.EnumerateFiles(Node(""), "state-*.bin", SearchOption.AllDirectories).Any() ? "the states of nodes"
        : null;

    /// <summary>Takes the folder for this process until the result is disposed.</summary>
    /// <exception cref="InputException">Another process has it, or it cannot be written.</exception>
    public IDisposable Lock()
    {
        var path = Path.Combine(Root, "run.lock");
        try
        {
            Directory.CreateDirectory(Root);
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.None);
        }
        catch (IOException e) when (File.Exists(path) && Directory.Exists(Root))
        {
            throw new InputException($"another cairn process is running in {Root}: wait for it, stop it, or choose another --dir.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"cannot use {Root} as a run folder ({e.Message}): choose another --dir.", e);
        }
    }
}
