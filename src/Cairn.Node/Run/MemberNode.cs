using Cairn.Base;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>One member of a run at work in this process: its key, its replica where the durable state stands or a checkpoint lets it begin, its machine and
/// host.</summary>
internal sealed class MemberNode : IDisposable
{
    private readonly Stack<IDisposable> _owned = [];
    private ValidatorEffects? _validator;

    private MemberNode(string name) => Name = name;

    public string Name { get; }

    public NodeHost Host { get; private set; } = null!;

    public Replica Replica { get; private set; } = null!;

    /// <summary>The halt as an event, or null while the node is well.</summary>
    public ReplicaHalted? Halted =>
        Host.Halted is { } halt ? new ReplicaHalted(Name, halt.Round.Number, halt.Own.ToString(), halt.Quorum.ToString()) : null;

    /// <summary>Opens a node.</summary>
    /// <param name="run">The run.</param>
    /// <param name="bell">Of this process.</param>
    /// <param name="name">The name of its folder.</param>
    /// <param name="role">Peer or validator.</param>
    /// <param name="state">The ledger after a replay.</param>
    /// <param name="board">Shows what the node does, or null.</param>
    /// <param name="steps">Inner steps that a peer does in a round; null to leave that as it is.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="InputException">What lies in the node's folder does not belong to the run, or is damaged.</exception>
    public static async Task<MemberNode> OpenAsync(
        RunContext run, LedgerBell bell, string name, Role role, LedgerState state, StatusBoard? board, int? steps, CancellationToken cancellation)
    {
        var node = new MemberNode(name);
        try
        {
            await node.BeginAsync(run, bell, role, state, board, steps, cancellation);
            return node;
        }
        catch
        {
            node.Dispose();
            throw;
        }
    }

    /// <summary>Runs until the run is over, the node halts, or it is told to stop.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        await TellInitialLossAsync(cancellation);
        await Host.RunAsync(cancellation);
    }

    /// <summary>Measures the loss before the first round, if it is this node that tells.</summary>
    public Task TellInitialLossAsync(CancellationToken cancellation) => _validator?.TellInitialLossAsync(cancellation) ?? Task.CompletedTask;

    public void Dispose()
    {
        while (_owned.TryPop(out var owned))
        {
            owned.Dispose();
        }
    }

    private async Task BeginAsync(RunContext run, LedgerBell bell, Role role, LedgerState state, StatusBoard? board, int? steps, CancellationToken cancellation)
    {
        var folder = run.Directory.Node(Name);
        var key = Own(run.Directory.OpenKey(Name));
        var self = new NodeIdentity(Name, key, folder, new Outbox(Path.Combine(folder, "outbox"), key, state.Run));
        run.RulesBook.Follow(state);
        Replica = Own(Replica.Open(run, folder, trains: role == Role.Peer));
        await CheckpointStart.BeginAsync(run, Name, Replica, state, cancellation);
        var ledger = Own(new LedgerFollower(run.Directory.Ledger, bell, run.Chain));
        var shared = new SharedEffects(run, self, ledger);
        if (state.Find(key.Public) is null)
        {
            // A stranger joins by saying so; the signed words are durable, so that it says the same however often it begins.
            shared.Say(new Register(role, Name, Digest.Zero));
        }

        var lastBase = Replica.Next.Number == 0 ? Digest.Zero : Replica.BaseDigest;
        Func<NodeEvent, LedgerState, IReadOnlyList<Effect>> step;
        Func<string> waitsFor;
        IEffectRunner effects;
        IReadOnlyList<NodeEvent> remembered = [];
        if (role == Role.Peer)
        {
            var machine = new PeerMachine(key.Public, Replica.Next, lastBase, run.Rules.Round.ApplyDelay);
            (step, waitsFor) = (machine.Step, () => machine.WaitsFor);
            effects = new PeerEffects(run, self, Replica, shared, steps);
            remembered = [.. self.Outbox.OpeningsFrom(Replica.Next).Select(kept => new Published(kept.Round, kept.Opening))];
        }
        else
        {
            CheckBeacon(run, state.Find(key.Public));
            // One validator tells what concerns the run and not a node: the first.
            var tells = state.Members.First(member => member.Role == Role.Validator).Key == key.Public;
            var machine = new ValidatorMachine(key.Public, Replica.Next, lastBase, tells);
            (step, waitsFor) = (machine.Step, () => machine.WaitsFor);
            effects = _validator = new ValidatorEffects(run, self, Replica, shared, tells);
        }

        Host = new NodeHost(Name, step, effects, ledger, bell, run.Log)
        {
            StageMax = round => TimeSpan.FromSeconds(run.RulesBook.At(round).Round.StageSecondsMax),
            CheckState = now => StateAgainstLedger.Check(Name, folder, Replica.Next, now, run.DeltasRetained),
            Remembered = remembered,
            WaitsFor = waitsFor,
            Board = board,
        };
    }

    // A validator that cannot reveal what it promised would only find out when the others wait for it.
    private void CheckBeacon(RunContext run, Member? me)
    {
        if (me is null)
        {
            return;
        }

        var secret = RunCreator.BeaconSecret(run.Directory, run.Rules, Name);
        if (secret != me.ChainTip && !BeaconChain.TryPreimage(secret, run.Rules.Round.Rounds, me.ChainTip, out _))
        {
            throw new InputException(
                $"the secret of {Name} (beacon.key in {run.Directory.Node(Name)}) is missing or another than it registered with: restore it from a copy.");
        }
    }

    private T Own<T>(T owned)
        where T : IDisposable
    {
        _owned.Push(owned);
        return owned;
    }
}
