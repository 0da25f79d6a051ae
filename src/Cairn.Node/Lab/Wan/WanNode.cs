using Cairn.Base;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>One member of a run without computing.</summary>
/// <param name="Directory">The run's folder, made by <see cref="WanFounding"/>.</param>
/// <param name="Name">The member.</param>
/// <param name="ComputeSeconds">What stands for a peer's inner steps.</param>
/// <param name="Store">Where it puts its objects, an S3 address, or null for the run's folder.</param>
/// <param name="Access">What it may do there.</param>
public sealed record WanNodeOptions(string Directory, string Name, double ComputeSeconds, string? Store, StoreAccess Access);

/// <summary>Runs one member of a run without computing: the real machines, host, ledger and stores.</summary>
public static class WanNode
{
    /// <summary>Takes part until the run is over.</summary>
    /// <param name="options">Who and where.</param>
    /// <param name="cancellation">Stops.</param>
    /// <returns>How it ended.</returns>
    /// <exception cref="InputException">It is no member, or an object cannot be put or fetched.</exception>
    public static async Task<NodeOutcome> RunAsync(WanNodeOptions options, CancellationToken cancellation)
    {
        var directory = new RunDirectory(options.Directory);
        var rules = RunSetup.ReadRules(directory);
        using var held = directory.LockNode(options.Name);
        using var log = new EventLog(Path.Combine(directory.Node(options.Name), "events.jsonl"), watch: null);
        using var run = new RunContext(directory, rules, Swarm.DataOf(directory, rules), log, threads: 1, users: 1)
        {
            Stores = StoreOpening.StoresOf(directory, options.Store, options.Name, options.Access),
        };
        var state = run.ReplayLedger();
        run.Stores.Notice(state);
        await StoreCheck.TryOutAsync(run.Stores, options.Name, isNew: false, cancellation);
        using var key = directory.OpenKey(options.Name);
        var me = state.Find(key.Public) ?? throw new InputException($"{options.Name} is no member of the run in {directory.Root}.");
        var folder = directory.Node(options.Name);
        var self = new NodeIdentity(options.Name, key, folder, new Outbox(Path.Combine(folder, "outbox"), key, state.Run));
        var bell = new LedgerBell();
        using var watch = LedgerWatch.Begin(directory.Ledger, bell);
        using var ledger = new LedgerFollower(directory.Ledger, bell, chain: null);
        var (replica, shared) = (new WanReplica(run, self), new SharedEffects(run, self, ledger));
        NodeHost host;
        if (me.Role == Role.Peer)
        {
            var update = await Task.Run(() => SyntheticUpdate.Draw(run, me.Uid, cancellation), cancellation);
            var machine = new PeerMachine(key.Public, new Round(0), Digest.Zero, rules.Round.ApplyDelay);
            var effects = new WanPeerEffects(run, self, shared, replica, update, TimeSpan.FromSeconds(options.ComputeSeconds));
            host = HostOf(machine.Step, effects, () => machine.WaitsFor);
        }
        else
        {
            var tells = state.Members.First(member => member.Role == Role.Validator).Key == key.Public;
            var machine = new ValidatorMachine(key.Public, new Round(0), Digest.Zero, evaluates: false);
            host = HostOf(machine.Step, new WanValidatorEffects(run, self, shared, replica, tells), () => machine.WaitsFor);
        }

        await host.RunAsync(cancellation);
        return new NodeOutcome(host.Finished, null, rules.Round.Rounds, replica.Base.ToString());

        NodeHost HostOf(Func<NodeEvent, LedgerState, IReadOnlyList<Effect>> step, IEffectRunner effects, Func<string> waitsFor) =>
            new(options.Name, step, effects, ledger, bell, log) { StageMax = _ => TimeSpan.FromSeconds(rules.Round.StageSecondsMax), WaitsFor = waitsFor };
    }
}
