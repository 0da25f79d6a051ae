using Cairn.Base;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>The nodes of a local swarm: one host for each member of the genesis.</summary>
internal sealed class SwarmNodes : IDisposable
{
    private readonly List<MemberNode> _nodes = [];

    private SwarmNodes()
    {
    }

    /// <summary>Opens every node of the run where its durable state stands, or where a checkpoint lets it begin.</summary>
    /// <param name="run">The run.</param>
    /// <param name="bell">Of this process.</param>
    /// <param name="boards">Show what each node does.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="InputException">What lies in the run's folder does not belong together.</exception>
    public static async Task<SwarmNodes> OpenAsync(RunContext run, LedgerBell bell, SwarmBoards boards, CancellationToken cancellation)
    {
        var state = run.ReplayLedger();
        var members = state.Genesis.Members;
        var nodes = new SwarmNodes();
        try
        {
            foreach (var member in members)
            {
                using (var key = run.Directory.OpenKey(member.Name))
                {
                    if (key.Public != member.PublicKey)
                    {
                        throw new InputException(
                            $"the key in {run.Directory.Node(member.Name)} is not that of {member.Name} in the ledger: restore node.key from a copy of the run.");
                    }
                }

                var board = boards.Add(member.Name, member.Role);
                var node = await MemberNode.OpenAsync(run, bell, member.Name, member.Role, state, board, steps: null, cancellation);
                nodes._nodes.Add(node);
                board.Begin(node.Replica.Next.Number);
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
    public bool Finished => _nodes.All(node => node.Host.Finished);

    /// <summary>Nodes that stopped with a wrong replica.</summary>
    public IReadOnlyList<ReplicaHalted> Halted => [.. _nodes.Select(node => node.Halted).OfType<ReplicaHalted>()];

    /// <summary>The replica that is furthest, of a node that did not halt.</summary>
    public Replica AnyReplica() => _nodes.Where(node => node.Halted is null).DefaultIfEmpty(_nodes[0]).Select(node => node.Replica).MaxBy(replica => replica.Next)!;

    /// <summary>Runs all nodes until the run is over, they are told to stop, or one fails.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        foreach (var node in _nodes)
        {
            await node.TellInitialLossAsync(cancellation);
        }

        var tasks = _nodes.Select(node => node.Host.RunAsync(stop.Token)).ToList();
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
            if (failure is not null || _nodes.Exists(node => node.Halted is not null))
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
        foreach (var node in _nodes)
        {
            node.Dispose();
        }
    }
}
