using Cairn.Base;
using Cairn.Ledger;
using Cairn.Ledger.Evm;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>What the owner of one node chooses.</summary>
/// <param name="Directory">The run's folder: rules, ledger, store and data are there.</param>
/// <param name="Name">The node's name; its key and state lie in a folder of that name. A peer of a new name gets a new key and joins.</param>
/// <param name="Role">Peer or validator.</param>
/// <param name="Threads">Threads to compute with.</param>
/// <param name="Store">Where it puts its objects, an S3 address or a folder; null for its part of the run's store.</param>
/// <param name="Access">What it may do with stores.</param>
/// <param name="Health">Where to answer those who watch, an IP address and a port, or null.</param>
/// <param name="Steps">Inner steps that a peer does in a round, fewer than the rules say if it is slow; null to leave that as it is.</param>
public sealed record NodeOptions(string Directory, string Name, Role Role, int Threads, string? Store, StoreAccess Access, string? Health, int? Steps)
{
    /// <summary>How to reach the chain that orders the run's ledger, if one does, and who pays there.</summary>
    public ChainOptions Chain { get; init; } = new();

    /// <summary>Every value out of range, at once.</summary>
    /// <exception cref="InputException">Names them all.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        if (Name.Length is 0 or > OperationCodec.NameMax || !Name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
        {
            faults.Add($"--name is '{Name}', must be 1 to {OperationCodec.NameMax} small letters, digits or '-'");
        }

        if (Threads is < 1 or > 256)
        {
            faults.Add($"--threads is {Threads}, must be 1 to 256");
        }

        if (faults.Count > 0)
        {
            throw new InputException(string.Join("; ", faults) + ".");
        }
    }
}

/// <summary>How a node ended.</summary>
/// <param name="Finished">True if the run is over and the node has applied its last round.</param>
/// <param name="Halted">Set when it stopped with a wrong replica.</param>
/// <param name="Rounds">Rounds applied.</param>
/// <param name="BaseDigest">Digest of its base.</param>
public sealed record NodeOutcome(bool Finished, ReplicaHalted? Halted, int Rounds, string BaseDigest);

/// <summary>One node of a run as a process of its own: it meets the others on the ledger and in the store, and nowhere else.</summary>
public static class NodeProcess
{
    /// <summary>Takes part in a run until it is over, the node halts, or it is told to stop.</summary>
    /// <param name="options">Who and where; validated.</param>
    /// <param name="watch">Told what happens, also written to events.jsonl in the node's folder.</param>
    /// <param name="cancellation">Stops; the same command goes on where it stopped.</param>
    /// <exception cref="InputException">There is no run, the node is not one of it and cannot become one, or its files are damaged or in use.</exception>
    public static async Task<NodeOutcome> RunAsync(NodeOptions options, Action<RunEvent> watch, CancellationToken cancellation)
    {
        var directory = new RunDirectory(options.Directory);
        var rules = RunSetup.ReadRules(directory);
        CheckSteps(options, rules);
        using var held = directory.LockNode(options.Name);
        DurableFile.DeleteLeft(directory.Node(options.Name));
        var needs = NodeNeeds.Of(rules, options.Role);
        needs.Check(directory.Node(options.Name), Directory.EnumerateFiles(directory.Node(options.Name), "state-*").Sum(path => new FileInfo(path).Length));
        var board = new StatusBoard(options.Name, options.Role, rules.Name, rules.Round.Rounds, directory.Node(options.Name), TimeProvider.System);
        using var log = new EventLog(Path.Combine(directory.Node(options.Name), "events.jsonl"), happened =>
        {
            board.See(happened);
            watch(happened);
        });
        using var export = OpenTelemetryExport.StartIfConfigured(board);
        await using var health = options.Health is { } listen ? await HealthServer.StartAsync(listen, board) : null;
        void SeeChain(ChainTrouble? trouble)
        {
            if (trouble is { Waits: true } && board.Now.Chain?.What != trouble.What)
            {
                log.Tell(new ChainDoesNotAnswer(options.Name, trouble.What));
            }

            board.SeeChain(trouble);
        }

        using var line = directory.Places.Chain is { } known ? await ChainLine.OpenAsync(options.Chain, known, cancellation, SeeChain) : null;
        using var chain = line is null ? null : await line.FollowAsync(directory.Ledger, cancellation);
        using var run = new RunContext(directory, rules, Swarm.DataOf(directory, rules), log, options.Threads, users: 1)
        {
            Chain = chain,
            Stores = StoreOpening.StoresOf(directory, RememberedStore(directory, options.Name, options.Store), options.Name, options.Access),
        };
        var state = run.ReplayLedger();
        CheckMembership(directory, options, state);
        run.Stores.Notice(state);
        // Who could not be read would hold up every round that it has a place in.
        await StoreCheck.TryOutAsync(run.Stores, options.Name, isNew: state.Members.All(member => member.Name != options.Name), cancellation);
        RememberStore(directory, options);
        var bell = new LedgerBell();
        using var ledgerWatch = LedgerWatch.Begin(directory.Ledger, bell);
        using var node = await MemberNode.OpenAsync(run, bell, options.Name, options.Role, state, board, options.Steps, cancellation);
        board.Begin(node.Replica.Next.Number);
        log.Tell(new NodeStarted(
            options.Name, options.Role.ToString(), rules.Name, run.RulesDigest.ToString(), node.Replica.Next.Number, rules.Round.Rounds, health?.Address, needs));
        if (chain is not null)
        {
            chain.Troubled += SeeChain;
        }

        try
        {
            await Swarm.WithChainAsync(chain, bell, node.RunAsync, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Told to stop: what is durable stands.
        }

        return new NodeOutcome(node.Host.Finished, node.Halted, node.Replica.Next.Number, node.Replica.BaseDigest.ToString());
    }

    // A node that was given a store of its own has it from then on: begun again without one it would announce another, where nothing of it is.
    internal static string? RememberedStore(RunDirectory directory, string name, string? given) =>
        !string.IsNullOrWhiteSpace(given) ? given
        : File.Exists(StoreFile(directory, name)) && File.ReadAllText(StoreFile(directory, name)).Trim() is { Length: > 0 } before ? before
        : null;

    private static void RememberStore(RunDirectory directory, NodeOptions options)
    {
        if (!string.IsNullOrWhiteSpace(options.Store) && options.Store != RememberedStore(directory, options.Name, null))
        {
            DurableFile.Write(StoreFile(directory, options.Name), System.Text.Encoding.UTF8.GetBytes(options.Store));
        }
    }

    private static string StoreFile(RunDirectory directory, string name) => Path.Combine(directory.Node(name), "store.txt");

    private static void CheckSteps(NodeOptions options, RunRules rules)
    {
        if (options.Steps is { } steps && (options.Role != Role.Peer || steps < rules.InnerStepsMin || steps > rules.Training.InnerSteps))
        {
            throw new InputException(
                options.Role != Role.Peer ? "a validator does no inner steps: leave out --steps."
                : $"--steps is {steps}, peers of this run do {rules.InnerStepsMin} to {rules.Training.InnerSteps} inner steps.");
        }
    }

    // What stands before anything is created: a name that is another's, or a role that this node cannot have, is said at once.
    private static void CheckMembership(RunDirectory directory, NodeOptions options, LedgerState state)
    {
        PublicKey? known = null;
        if (File.Exists(directory.KeyFile(options.Name)))
        {
            using var key = directory.OpenKey(options.Name);
            known = key.Public;
        }

        var member = known is { } there ? state.Find(there) : null;
        if (member is not null && member.Role != options.Role)
        {
            throw new InputException($"{options.Name} is a {Word(member.Role)} of this run: start it with cairn {Word(member.Role)}.");
        }

        if (member is null && state.Members.Any(other => other.Name == options.Name))
        {
            throw new InputException(
                $"{options.Name} is a member of this run whose key is not in {directory.Node(options.Name)}: " +
                "restore node.key from a copy, or join under another --name.");
        }

        if (member is null && options.Role == Role.Validator)
        {
            throw new InputException(
                $"{options.Name} is no validator of this run, and a validator without a bond has no voice: name one of " +
                $"{string.Join(", ", state.Members.Where(m => m.Role == Role.Validator).Select(m => m.Name))}.");
        }

        if (member is null && state.Stage == Stage.Finished)
        {
            throw new InputException($"the run in {directory.Root} is over: nobody can join it any more.");
        }
    }

    private static string Word(Role role) => role == Role.Peer ? "peer" : "validator";
}
