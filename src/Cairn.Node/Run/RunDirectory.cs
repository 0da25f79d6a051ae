using Cairn.Base;

namespace Cairn.Node;

/// <summary>Where everything of a run lies on this machine, and the lock that keeps a second process out.</summary>
public sealed class RunDirectory
{
    private RunPlaces? _places;

    /// <summary>Names the places under a root; touches nothing.</summary>
    /// <param name="root">The run's folder.</param>
    public RunDirectory(string root) => Root = Path.GetFullPath(root);

    /// <summary>The run's folder.</summary>
    public string Root { get; }

    /// <summary>The agreed rules and their digest.</summary>
    public string Rules => Path.Combine(Root, "rules.json");

    /// <summary>Where ledger and common store are, read when first asked for.</summary>
    /// <exception cref="InputException">run.json is damaged.</exception>
    public RunPlaces Places => _places ??= RunPlaces.Read(Root);

    /// <summary>Writes down where ledger and store are.</summary>
    /// <param name="places">From now on.</param>
    internal void Keep(RunPlaces places)
    {
        places.Write(Root);
        _places = places;
    }

    /// <summary>The ledger's file.</summary>
    public string Ledger => Places.Ledger ?? Path.Combine(Root, "ledger.cairn");

    /// <summary>The object store, if it is a folder.</summary>
    public string Store => Places.Store is { } place && !IsOnNetwork ? place : Path.Combine(Root, "store");

    /// <summary>True if the common store is not a folder.</summary>
    public bool IsOnNetwork => Places.Store?.Contains("://", StringComparison.Ordinal) == true;

    /// <summary>Files without a name, of what is too large to be in memory whole.</summary>
    internal string Spool => Path.Combine(Root, "spool");

    /// <summary>Token shards, tokenizer, manifest.</summary>
    public string Data => Path.Combine(Root, "data");

    /// <summary>Published checkpoints, one folder for each settled round; of a store on the network those that were fetched.</summary>
    public string Checkpoints => Path.Combine(IsOnNetwork ? Root : Store, "checkpoints");

    /// <summary>What evaluators found of checkpoints, a folder for each round; of a store on the network what was fetched.</summary>
    public string Evaluations => Path.Combine(IsOnNetwork ? Root : Store, "evaluations");

    /// <summary>What happened, one JSON object per line.</summary>
    public string Events => Path.Combine(Root, "events.jsonl");

    /// <summary>The summary written at the end.</summary>
    public string Report => Path.Combine(Root, "report.json");

    /// <summary>One node's own folder: key, durable state, outbox.</summary>
    /// <param name="node">The node's name.</param>
    public string Node(string node) => Path.Combine(Root, "nodes", node);

    /// <summary>The environment variable of the passphrase that encrypts the keys of nodes.</summary>
    public const string PassphraseVariable = "CAIRN_KEY_PASSPHRASE";

    /// <summary>A node's key, created if it is not there; encrypted if a passphrase is in the environment.</summary>
    /// <param name="node">The node's name.</param>
    /// <exception cref="InputException">It cannot be used, or not with this passphrase.</exception>
    public NodeKey OpenKey(string node)
    {
        try
        {
            return NodeKey.LoadOrCreate(KeyFile(node), Environment.GetEnvironmentVariable(PassphraseVariable));
        }
        catch (InputException e) when (e.Message.Contains("passphrase", StringComparison.Ordinal))
        {
            throw new InputException($"{e.Message.TrimEnd('.')} ({PassphraseVariable}).", e);
        }
    }

    /// <summary>The file of a node's key.</summary>
    /// <param name="node">The node's name.</param>
    public string KeyFile(string node) => Path.Combine(Node(node), "node.key");

    /// <summary>True if a run was created here.</summary>
    public bool HoldsRun => File.Exists(Rules) && File.Exists(Ledger);

    /// <summary>What of a run that was once begun is here, or null: so that a run with a lost file is never taken for a free folder.</summary>
    internal string? Remains =>
        File.Exists(Ledger) ? "a ledger"
        : Directory.Exists(Node("")) && Directory.EnumerateFiles(Node(""), "state-*.bin", SearchOption.AllDirectories).Any() ? "the states of nodes"
        : null;

    /// <summary>Takes the folder for this process until the result is disposed.</summary>
    /// <exception cref="InputException">Another process has it, or it cannot be written.</exception>
    public IDisposable Lock() => LockFile(Root, "run.lock", FileAccess.ReadWrite, FileShare.None, "wait for it, stop it, or choose another --dir");

    /// <summary>Takes one node of the run for this process; processes of other nodes may be there, one of the whole run may not.</summary>
    /// <param name="node">The node's name.</param>
    /// <exception cref="InputException">Another process has the node or the whole run, or the folder cannot be written.</exception>
    public IDisposable LockNode(string node)
    {
        var own = LockFile(Node(node), "node.lock", FileAccess.ReadWrite, FileShare.None, "stop it, or choose another --name");
        try
        {
            return new LockedNode(own, LockFile(Root, "run.lock", FileAccess.Read, FileShare.Read, "wait for it or stop it"));
        }
        catch
        {
            own.Dispose();
            throw;
        }
    }

    /// <summary>True if a process has the node, or the whole run.</summary>
    /// <param name="node">The node's name.</param>
    public bool IsRunning(string node) =>
        IsTaken(Path.Combine(Node(node), "node.lock"), FileAccess.ReadWrite, FileShare.None) || IsTaken(Path.Combine(Root, "run.lock"), FileAccess.Read, FileShare.Read);

    private static bool IsTaken(string path, FileAccess access, FileShare share)
    {
        try
        {
            using var free = File.Exists(path) ? new FileStream(path, FileMode.Open, access, share, 1, FileOptions.None) : null;
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    private FileStream LockFile(string folder, string name, FileAccess access, FileShare share, string remedy)
    {
        const int Tries = 5;
        var path = Path.Combine(folder, name);
        try
        {
            Directory.CreateDirectory(folder);
            for (var tries = 1; ; tries++)
            {
                try
                {
                    return new FileStream(path, FileMode.OpenOrCreate, access, share, 1, FileOptions.None);
                }
                catch (IOException) when (tries < Tries && File.Exists(path))
                {
                    // Perhaps somebody has only looked whether it is taken.
                    Thread.Sleep(20);
                }
            }
        }
        catch (IOException e) when (File.Exists(path) && Directory.Exists(folder))
        {
            throw new InputException($"another cairn process is running in {folder}: {remedy}.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"cannot use {Root} as a run folder ({e.Message}): choose another --dir.", e);
        }
    }

    private sealed class LockedNode(FileStream node, FileStream run) : IDisposable
    {
        public void Dispose()
        {
            run.Dispose();
            node.Dispose();
        }
    }
}
