using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>Follows what a contract says about one run: sees a reorganisation of the chain and says what is taken back, and goes on from any final place. Of several
/// nodes one is looked through at a time; one that fails, lags, hides events or is outvoted by the others is passed over for the next, and named.</summary>
public sealed class ChainFollower
{
    // Hidden events show in no node's own answers, so the others are asked from time to time even if nothing seems to have been said.
    private const int LooksWithoutVote = 10;
    private static readonly TimeSpan VoteMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Rest = TimeSpan.FromMinutes(1);
    private readonly ChainClient _chain;
    private readonly ChainFollowing _following;
    private readonly long?[] _silentSince;

    // Places above the final one, in order: blocks with events, and the newest block of each look. One that still stands vouches for all below it.
    private readonly List<ChainPlace> _places = [];
    private readonly List<string> _remarks = [];
    private ChainPlace _final;
    private long? _behindSince;
    private int _looks = LooksWithoutVote;

    /// <summary>Begins after a place.</summary>
    /// <param name="chain">Whom to ask.</param>
    /// <param name="following">What, and how.</param>
    /// <param name="after">Where a follower ended before, or a block before the first event; with the hash zero, whatever stands there is taken.</param>
    public ChainFollower(ChainClient chain, ChainFollowing following, ChainPlace after)
    {
        (_chain, _following, _final) = (chain, following, after);
        _silentSince = new long?[chain.Endpoints.Count];
    }

    /// <summary>What the last look found wrong with nodes of the chain, each named; also where another node has helped.</summary>
    public IReadOnlyList<string> Remarks => _remarks;

    /// <summary>Looks at the chain.</summary>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>What changed; null if nothing can be said now, because the chain moved meanwhile, or all nodes are behind what was seen.</returns>
    /// <exception cref="ChainFaultException">No node answers properly.</exception>
    /// <exception cref="InputException">All nodes deny what was final: the chain was reorganised deeper than this follower was told to expect.</exception>
    public async Task<ChainStep?> LookAsync(CancellationToken cancellation)
    {
        _remarks.Clear();
        var (denied, waits, nodes, first) = (0, false, _chain.Endpoints.Count, _chain.Endpoints.Current);
        var believeShorter = _following.LagMax == TimeSpan.Zero || (_behindSince is { } since && _following.Time.GetElapsedTime(since) >= _following.LagMax);
        ChainFaultException? last = null;
        for (var i = 0; i < nodes; i++)
        {
            var node = (first + i) % nodes;
            try
            {
                var sight = await new ChainLook(_chain.At(node), _following).LookAsync(_final, _places, believeShorter, cancellation);
                if (sight.Kind == SightKind.Seen && !await IsOutvotedAsync(node, sight, cancellation))
                {
                    _chain.Endpoints.Prefer(node);
                    return Accept(sight);
                }

                denied += sight.Kind == SightKind.Denies ? 1 : 0;
                waits |= sight.Kind is SightKind.Moved or SightKind.Behind;
                Remark(node, sight.Kind);
            }
            catch (ChainFaultException fault)
            {
                (last, _silentSince[node]) = (fault, _following.Time.GetTimestamp());
                var name = _chain.Endpoints.NameOf(node);
                _remarks.Add(fault.Message.Contains(name, StringComparison.Ordinal) ? fault.Message : $"{name}: {fault.Message}");
            }
        }

        if (denied == nodes)
        {
            throw Denied();
        }

        _behindSince = waits ? _behindSince ?? _following.Time.GetTimestamp() : null;
        return waits ? null : throw new ChainFaultException(last?.Kind ?? ChainFaultKind.BadAnswer, string.Join("; ", _remarks), last?.Reason, last);
    }

    private void Remark(int node, SightKind kind)
    {
        var what = kind switch
        {
            SightKind.Behind => "knows fewer blocks than were seen already",
            SightKind.Denies => $"denies block {_final.Number}, on which this node has built",
            SightKind.Seen => "is contradicted by other nodes",
            _ => "",
        };
        if (what.Length > 0)
        {
            _remarks.Add($"{_chain.Endpoints.NameOf(node)} {what}");
        }
    }

    // What would become final is first shown to the other nodes. More of them against it than for it, or as many and one of those is named first: it is not taken.
    private async Task<bool> IsOutvotedAsync(int node, ChainSight sight, CancellationToken cancellation)
    {
        var place = FinalOf(sight) ?? _final;
        if (place.Hash.IsZero || _chain.Endpoints.Count == 1 || (place.Record == _final.Record && ++_looks < LooksWithoutVote))
        {
            return false;
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(VoteMax);
        var voters = Enumerable.Range(0, _chain.Endpoints.Count).Where(other => other != node && !Rests(other)).ToArray();
        var votes = await Task.WhenAll(voters.Select(other => VoteAsync(other, place, patience.Token)));
        cancellation.ThrowIfCancellationRequested();
        _looks = 0;
        int[] against = [.. voters.Where((_, i) => votes[i] == false)];
        int[] inFavour = [node, .. voters.Where((_, i) => votes[i] == true)];
        var outvoted = against.Length > inFavour.Length || (against.Length == inFavour.Length && against.Min() < inFavour.Min());
        _remarks.AddRange(outvoted ? [] : against.Select(other => $"{_chain.Endpoints.NameOf(other)} says otherwise of block {place.Number}"));
        return outvoted;
    }

    private async Task<bool?> VoteAsync(int node, ChainPlace place, CancellationToken cancellation)
    {
        try
        {
            var vote = await new ChainLook(_chain.At(node), _following).ConfirmsAsync(place, cancellation);
            _silentSince[node] = vote is null ? _following.Time.GetTimestamp() : null;
            return vote;
        }
        catch (OperationCanceledException)
        {
            _silentSince[node] = _following.Time.GetTimestamp();
            return null;
        }
    }

    private bool Rests(int node) => _silentSince[node] is { } since && _following.Time.GetElapsedTime(since) < Rest;

    private ChainStep Accept(ChainSight sight)
    {
        (_behindSince, var final) = (null, FinalOf(sight) ?? _final);
        _places.RemoveAll(place => place.Number > sight.KeptUpTo);
        _places.AddRange(sight.Places!.Where(place => place.Number > sight.KeptUpTo));
        _places.RemoveAll(place => place.Number <= final.Number);
        _final = final;
        return new ChainStep(sight.KeptUpTo, sight.New!, final);
    }

    // The newest place that is deep enough; null if that is still the one before.
    private ChainPlace? FinalOf(ChainSight sight)
    {
        var head = sight.Places![^1].Number;
        var all = _places.Where(place => place.Number <= sight.KeptUpTo).Concat(sight.Places);
        var deep = all.LastOrDefault(place => place.Number + _following.Confirmations <= head);
        return deep.Number > _final.Number ? deep : null;
    }

    private InputException Denied() => new(
        $"the chain's block {_final.Number} is not the one that this node has built on: it was reorganised by more than {_following.Confirmations} blocks, or is " +
        "another chain, or a node of it has hidden something. Ask the run's other members which chain they follow before you go on.");
}
