using Cairn.Base;
using Cairn.Data;
using Cairn.Gauntlet;
using Cairn.Ledger;

namespace Cairn.Simulation;

/// <summary>What the ledger says of a round that is judged: the same for every validator, so it is copied once.</summary>
internal sealed class RoundView
{
    private readonly World _world;
    private readonly Dictionary<Uid, int> _places;
    private readonly SamplePart _part;
    private long[]? _heldBack;
    private (ModelPoint Point, double[] Losses)? _heldBackBefore;

    private RoundView(World world, LedgerState ledger)
    {
        (_world, Round, Beacon) = (world, ledger.CurrentRound, ledger.RoundBeacon);
        _part = ledger.PartOf(ledger.CurrentRound);
        Peers = new TrialPeer[ledger.Roster.Count];
        Openings = new Opening?[Peers.Length];
        _places = new Dictionary<Uid, int>(Peers.Length);
        for (var i = 0; i < Peers.Length; i++)
        {
            var (uid, newcomer) = ledger.Roster[i];
            Openings[i] = ledger.OpeningOf(uid);
            Peers[i] = new TrialPeer(uid, newcomer, ledger.CommitOrder(uid), ledger.SamplesOf(uid).Count);
            _places.Add(uid, i);
        }
    }

    public Round Round { get; }

    public Digest Beacon { get; private init; }

    public TrialPeer[] Peers { get; }

    public Opening?[] Openings { get; }

    /// <summary>Where a peer of the round stands in the lists above.</summary>
    public int PlaceOf(Uid uid) => _places[uid];

    /// <summary>The samples that nobody was given and on which all updates of the round are probed.</summary>
    public long[] HeldBack => _heldBack ??= ProbeSamples.NotIssued(
        Beacon, _part.First, _part.Count, _world.Oracle.IssuedIn(Round), _world.Scenario.ProbeSequences / 2);

    /// <summary>The view of the round in its judge stage.</summary>
    public static RoundView Of(World world, LedgerState ledger)
    {
        if (world.JudgedRound?.Round != ledger.CurrentRound)
        {
            world.JudgedRound = new RoundView(world, ledger);
        }

        return world.JudgedRound;
    }

    /// <summary>The same round with other randomness: what a validator that draws alone would see.</summary>
    public RoundView DrawnAlone(World world, int member) =>
        new(world, this, Digest.Of("simulation/alone", [.. Beacon.ToArray(), (byte)member]));

    /// <summary>Probes one update from a base.</summary>
    public LossScore Score(ModelPoint point, Uid uid, SparseMove move)
    {
        if (_heldBackBefore is not { } before || !ReferenceEquals(before.Point, point))
        {
            _heldBackBefore = before = (point, _world.Objective.Losses(point, null, HeldBack));
        }

        var assigned = ProbeSamples.OfPeer(Beacon, uid, _world.Oracle.Assigned(Round, uid), _world.Scenario.ProbeSequences / 2);
        return LossScore.Of(
            _world.Objective.Losses(point, null, assigned), _world.Objective.Losses(point, move, assigned),
            before.Losses, _world.Objective.Losses(point, move, HeldBack));
    }

    private RoundView(World world, RoundView other, Digest beacon)
    {
        (_world, Round, Beacon) = (world, other.Round, beacon);
        (Peers, Openings, _places, _part) = (other.Peers, other.Openings, other._places, other._part);
    }
}
