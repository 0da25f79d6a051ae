using Cairn.Ledger;
using Cairn.Ledger.Evm;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>The status of each node of a local swarm: what a node's own process would show of it.</summary>
internal sealed class SwarmBoards(RunDirectory directory, RunRules rules)
{
    private readonly Dictionary<string, StatusBoard> _boards = [];

    /// <summary>Begins the status of a node.</summary>
    /// <param name="name">The node.</param>
    /// <param name="role">Its role.</param>
    public StatusBoard Add(string name, Role role)
    {
        var board = new StatusBoard(name, role, rules.Name, rules.Round.Rounds, directory.Node(name), TimeProvider.System);
        lock (_boards)
        {
            return _boards[name] = board;
        }
    }

    /// <summary>Passes on what a node tells to the board of that node.</summary>
    /// <param name="happened">An event of any.</param>
    public void See(RunEvent happened)
    {
        StatusBoard? board;
        lock (_boards)
        {
            board = TellerOf(happened) is { } node ? _boards.GetValueOrDefault(node) : null;
        }

        board?.See(happened);
    }

    /// <summary>Passes on to all boards what is wrong with the chain that orders the ledger.</summary>
    /// <param name="trouble">What, or null if nothing.</param>
    public void SeeChain(ChainTrouble? trouble)
    {
        StatusBoard[] boards;
        lock (_boards)
        {
            boards = [.. _boards.Values];
        }

        foreach (var board in boards)
        {
            board.SeeChain(trouble);
        }
    }

    private static string? TellerOf(RunEvent happened) => happened switch
    {
        PeerTrained trained => trained.Node,
        UpdatePublished published => published.Node,
        UpdatesJudged judged => judged.Node,
        RoundApplied applied => applied.Node,
        CheckpointSaved saved => saved.Node,
        OperationRefused refused => refused.Node,
        StoreDoesNotAnswer silent => silent.Node,
        RoundCannotBeHad missing => missing.Node,
        _ => null,
    };
}
