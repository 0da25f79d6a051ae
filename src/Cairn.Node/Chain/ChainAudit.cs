using Cairn.Base;
using Cairn.Ledger;
using Cairn.Ledger.Evm;

namespace Cairn.Node;

/// <summary>A member as an audit found it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Role">Peer or validator.</param>
/// <param name="Accepted">Updates of it that are in manifests.</param>
/// <param name="Refused">Commits of it that were judged and refused.</param>
/// <param name="Bond">In units of the ledger.</param>
/// <param name="Reward">In units of the ledger.</param>
/// <param name="Account">Who is paid for it, or null.</param>
public sealed record AuditedMember(string Name, string Role, long Accepted, long Refused, long Bond, long Reward, string? Account);

/// <summary>A round as an audit found it.</summary>
/// <param name="Round">Its number.</param>
/// <param name="Updates">Updates in its manifest.</param>
/// <param name="Manifest">Digest of its manifest.</param>
/// <param name="Base">The base after it that the quorum posted, or null.</param>
public sealed record AuditedRound(int Round, int Updates, string Manifest, string? Base);

/// <summary>What an audit found.</summary>
/// <param name="Run">Digest of the genesis.</param>
/// <param name="Rules">Digest of the rules.</param>
/// <param name="ChainId">The chain.</param>
/// <param name="Contract">The contract.</param>
/// <param name="Block">The last block that was read.</param>
/// <param name="Height">Of the ledger.</param>
/// <param name="State">Digest of the ledger's state.</param>
/// <param name="Stage">Where it stands.</param>
/// <param name="Void">Operations on the chain that the rules refused.</param>
/// <param name="Members">Everybody.</param>
/// <param name="Rounds">Closed rounds.</param>
/// <param name="PayoutRoot">Root over what every account has earned and lost.</param>
/// <param name="HeldWei">What the contract holds for the run, in the smallest parts of its money.</param>
/// <param name="FolderAgrees">Whether the ledger's file of a folder has the same blocks, as far as both reach; null without a folder.</param>
public sealed record AuditReport(
    string Run, string Rules, ulong ChainId, string Contract, ulong Block, long Height, string State, string Stage, long Void, IReadOnlyList<AuditedMember> Members,
    IReadOnlyList<AuditedRound> Rounds, string PayoutRoot, string HeldWei, bool? FolderAgrees)
{
    /// <summary>The nodes of the chain that were named, and what each says.</summary>
    public required IReadOnlyList<AuditedNode> Nodes { get; init; }

    /// <summary>What its money is: "wei", or parts of a token.</summary>
    public required string Money { get; init; }

    /// <summary>Changes of its rules, and what validators stand for.</summary>
    public required RulesSummary Votes { get; init; }

    /// <summary>What the stores hold; null if nobody said where they are.</summary>
    public StoreAuditReport? Store { get; init; }
}

/// <summary>Rebuilds a run from the chain alone: every signature verified, every rule applied again. Then compares what its stores hold with what the ledger
/// names.</summary>
public static class ChainAudit
{
    /// <summary>Audits a run, and its stores if a folder or a place says where they are.</summary>
    /// <param name="nodes">Nodes of the chain.</param>
    /// <param name="contract">The contract.</param>
    /// <param name="run">Digest of the run's genesis.</param>
    /// <param name="confirmations">Blocks that must stand on the last one that is read.</param>
    /// <param name="folder">A run's folder whose ledger is compared, or null.</param>
    /// <param name="store">The run's common store, an S3 address or a folder, to be compared as well; or null.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="InputException">The chain does not answer, or has no such run.</exception>
    public static async Task<AuditReport> RunAsync(
        IReadOnlyList<string> nodes, string contract, Digest run, ulong confirmations, RunDirectory? folder, string? store, CancellationToken cancellation)
    {
        var address = EvmAddress.TryParse(contract, out var parsed) ? parsed : throw new InputException($"'{contract}' is no address of a contract: correct it.");
        using var endpoints = new ChainEndpoints(nodes);
        var chain = new ChainClient(endpoints);
        var (report, state) = await ChainLine.AskedAsync(async () =>
        {
            var (history, node, nodes) = await AuditSources.ReadAsync(chain, address, run, confirmations, cancellation);
            var held = CairnMoney.ReadAccounts(await chain.At(node).ReadAsync(address, CairnContract.RunQuestion(run), 4096, cancellation));
            var found = Report(history, await chain.At(node).ChainIdAsync(cancellation), address, held, nodes);
            return (found with { FolderAgrees = folder is null ? null : Agrees(folder, history) }, history.Replay.State);
        });
        if (store is null)
        {
            return report;
        }

        using var stores = StoreOpening.ReadersOf(store);
        var here = folder is null ? null : RunSetup.ReadRules(folder);
        var rules = here?.ComputeDigest() == state.Genesis.RulesDigest ? here!
            : await RunSetup.FetchRulesAsync(stores.Common, state.Genesis.RulesDigest, cancellation);
        return report with { Store = await new StoreAudit(state, rules, stores).RunAsync(cancellation) };
    }

    /// <summary>Compares what a chain holds of a run with what an invite says of it.</summary>
    /// <param name="invite">The invite.</param>
    /// <param name="where">The chain.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>What the run begins with.</returns>
    /// <exception cref="InputException">The chain does not answer, is another, or holds another history.</exception>
    internal static async Task<Genesis> CheckAsync(Invite invite, RunChain where, CancellationToken cancellation)
    {
        var contract = EvmAddress.TryParse(where.Contract, out var parsed) ? parsed : throw new InputException($"'{where.Contract}' is no address of a contract.");
        using var endpoints = new ChainEndpoints(where.Nodes);
        endpoints.Expect(where.ChainId);
        var chain = new ChainClient(endpoints);
        var history = await ChainLine.AskedAsync(async () =>
        {
            var height = await chain.HeightAsync(cancellation);
            return await ChainHistory.ReadAsync(chain, contract, invite.Genesis, height - Math.Min(height, where.Confirmations), cancellation);
        });
        var genesis = history.Replay.State.Genesis;
        invite.Check($"the ledger on chain {where.ChainId}", genesis, history.Replay.Blocks(1, new ChainPlace(history.End, Digest.Zero)));
        return genesis;
    }

    /// <summary>Digest of the genesis of the run in a folder.</summary>
    /// <param name="directory">The folder.</param>
    /// <exception cref="InputException">There is no run, or its ledger is damaged.</exception>
    public static Digest RunOf(RunDirectory directory)
    {
        using var ledger = EmbeddedLedger.Open(directory.Ledger, readOnly: true);
        return ledger.Genesis.Digest;
    }

    // As far as both reach.
    private static bool Agrees(RunDirectory directory, ChainHistory history)
    {
        using var ledger = EmbeddedLedger.Open(directory.Ledger, readOnly: true);
        return ledger.Genesis.Digest == history.Replay.State.Run
            && ledger.ReadNew().Zip(history.Replay.Blocks(1, new ChainPlace(history.End, Digest.Zero))).All(pair => pair.First.Hash == pair.Second.Hash);
    }

    private static AuditReport Report(
        ChainHistory history, ulong chainId, EvmAddress contract, ChainAccounts? held, IReadOnlyList<AuditedNode> nodes)
    {
        var state = history.Replay.State;
        var rounds = new List<AuditedRound>();
        for (var round = new Round(0); state.ManifestOf(round) is { } manifest; round = round.Next)
        {
            rounds.Add(new AuditedRound(round.Number, manifest.Entries.Count, manifest.Digest.ToString(), state.QuorumBase(round)?.ToString()));
        }

        AuditedMember[] members =
        [
            .. state.Members.Select(m => new AuditedMember(
                m.Name, m.Role.ToString(), state.AcceptedOf(m.Uid), state.RejectionsOf(m.Uid), m.Bond, m.Reward, history.Book.Of(m.Key)?.ToString())),
        ];
        return new AuditReport(
            state.Run.ToString(), state.Genesis.RulesDigest.ToString(), chainId, contract.ToString(), history.End, state.Height, state.StateDigest().ToString(),
            state.Stage.ToString(), history.Replay.Void, members, rounds, history.Payouts().Root.ToString(),
            held is null ? "" : held.Held.ToString(), FolderAgrees: null)
        {
            Nodes = nodes,
            Money = held?.Money ?? "",
            Votes = RulesSummary.Of(state),
        };
    }
}
