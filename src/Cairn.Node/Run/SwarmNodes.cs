using Cairn.Base;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>The nodes of a local swarm: one host for each member of the genesis.</summary>
internal sealed class SwarmNodes : IDisposable
{
    private readonly RunContext _run;
    private readonly LedgerBell _bell;
    private readonly List<(NodeHost Host, string Name)> _hosts = [];
    private readonly List<Replica> _replicas = [];
    private readonly List<ValidatorEffects> _validators = [];
    private readonly List<IDisposable> _owned = [];

    private SwarmNodes(RunContext run, LedgerBell bell) => (_run, _bell) = (run, bell);

    /// <summary>Opens every node of the run where its durable state stands, or where a checkpoint lets it begin.</summary>
    /// <exception cref="InputException">What lies in the run's folder does not belong together.</exception>
    public static async Task<SwarmNodes> OpenAsync(RunContext run, LedgerBell bell, CancellationToken cancellation)
    {
        LedgerState state;
        IReadOnlyList<GenesisMember> members;
        using (var ledger = EmbeddedLedger.Open(run.Directory.Ledger))
        {
            members = ledger.Genesis.Members;
            if (ledger.Genesis.RulesDigest != run.RulesDigest)
            {
                throw new InputException($"{run.Directory.Ledger} belongs to other rules than {run.Directory.Rules}: restore both from one copy of the run.");
            }

            state = LedgerHistory.Replay(ledger).State;
        }

        var nodes = new SwarmNodes(run, bell);
        try
        {
            var evaluator = members.First(m => m.Role == Role.Validator).Name;
            foreach (var member in members)
            {
                await nodes.AddAsync(member, evaluates: member.Name == evaluator, state, cancellation);
            }
        }
        catch
        {
            nodes.Dispose();
            throw;
        }

        nodes.Peers = members.Count(m => m.Role == Role.Peer);
        nodes.Validators = members.Count - nodes.Peers;
        return nodes;
    }

    public int Peers { get; private set; }

    public int Validators { get; private set; }

    /// <summary>True if every node has applied the last round.</summary>
    public bool Finished => _hosts.All(h => h.Host.Finished);

    /// <summary>Nodes that stopped with a wrong replica.</summary>
    public IReadOnlyList<ReplicaHalted> Halted =>
        [.. _hosts.Where(h => h.Host.Halted is not null).Select(h => new ReplicaHalted(
            h.Name, h.Host.Halted!.Round.Number, h.Host.Halted.Own.ToString(), h.Host.Halted.Quorum.ToString()))];

    /// <summary>The replica that is furthest, of a node that did not halt.</summary>
    public Replica AnyReplica() => _replicas.Where((_, i) => _hosts[i].Host.Halted is null).DefaultIfEmpty(_replicas[0]).MaxBy(r => r.Next)!;

    /// <summary>Runs all nodes until the run is over, they are told to stop, or one fails.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        foreach (var validator in _validators)
        {
            await validator.TellInitialLossAsync(cancellation);
        }

        var tasks = _hosts.Select(h => h.Host.RunAsync(stop.Token)).ToList();
        Exception? failure = null;
        while (tasks.Count > 0)
        {
            var ended = await Task.WhenAny(tasks);
            tasks.Remove(ended);
            if (ended.IsFaulted)
            {
                failure ??= ended.Exception!.InnerException;
            }

            // A failure, or a wrong replica, ends the others too: nobody would be waited for.
            if (failure is not null || _hosts.Any(h => h.Host.Halted is not null))
            {
                await stop.CancelAsync();
            }
        }

        if (failure is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        }
    }

    public void Dispose()
    {
        foreach (var owned in Enumerable.Reverse(_owned))
        {
            owned.Dispose();
        }
    }

    private async Task AddAsync(GenesisMember member, bool evaluates, LedgerState state, CancellationToken cancellation)
    {
        var folder = _run.Directory.Node(member.Name);
        var key = NodeKey.LoadOrCreate(Path.Combine(folder, "node.key"));
        _owned.Add(key);
        if (key.Public != member.PublicKey)
        {
            throw new InputException($"the key in {folder} is not that of {member.Name} in the ledger: restore node.key from a copy of the run.");
        }

        var self = new NodeIdentity(member.Name, key, folder, new Outbox(Path.Combine(folder, "outbox"), key, state.Run));
        var replica = Replica.Open(_run, folder, trains: member.Role == Role.Peer);
        _owned.Add(replica);
        _replicas.Add(replica);
        await CheckpointStart.BeginAsync(_run, member.Name, replica, state, cancellation);
        var ledger = new LedgerFollower(_run.Directory.Ledger, _bell);
        _owned.Add(ledger);
        var shared = new SharedEffects(_run, self, ledger);
        _hosts.Add((member.Role == Role.Peer ? Peer(self, replica, ledger, shared) : Validator(self, replica, ledger, shared, evaluates), member.Name));
    }

    private NodeHost Peer(NodeIdentity self, Replica replica, LedgerFollower ledger, SharedEffects shared)
    {
        var machine = new PeerMachine(self.Key.Public, replica.Next, LastBase(replica));
        return new NodeHost(self.Name, machine.Step, new PeerEffects(_run, self, replica, shared), ledger, _bell, _run.Log)
        {
            StageMax = TimeSpan.FromSeconds(_run.Rules.Round.StageSecondsMax),
            CheckState = state => StateAgainstLedger.Check(self.Name, self.Folder, replica.Next, state, _run.DeltasRetained),
            Remembered = [.. self.Outbox.OpeningsFrom(replica.Next).Select(kept => new Published(kept.Round, kept.Opening))],
        };
    }

    private NodeHost Validator(NodeIdentity self, Replica replica, LedgerFollower ledger, SharedEffects shared, bool evaluates)
    {
        var machine = new ValidatorMachine(self.Key.Public, replica.Next, LastBase(replica), evaluates);
        var effects = new ValidatorEffects(_run, self, replica, shared, evaluates);
        _validators.Add(effects);
        return new NodeHost(self.Name, machine.Step, effects, ledger, _bell, _run.Log)
        {
            StageMax = TimeSpan.FromSeconds(_run.Rules.Round.StageSecondsMax),
            CheckState = state => StateAgainstLedger.Check(self.Name, self.Folder, replica.Next, state, _run.DeltasRetained),
        };
    }

    private static Digest LastBase(Replica replica) => replica.Next.Number == 0 ? Digest.Zero : replica.BaseDigest;
}
