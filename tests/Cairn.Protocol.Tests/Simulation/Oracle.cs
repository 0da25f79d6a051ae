using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Protocol.Tests.Simulation;

/// <summary>Knows what every honest node must come to, computed apart from all of them, and watches the ledger block by block.</summary>
internal sealed class Oracle
{
    private readonly World _world;
    private readonly List<Digest> _bases;
    private readonly Dictionary<(Round, Uid), IReadOnlyList<long>> _assigned = [];
    private readonly Dictionary<Uid, Digest> _errors = [];
    private readonly HashSet<long> _trained = [];
    private long[] _mustComeFirst = [];
    private long[] _issued = [];
    private long[] _waiting = [];
    private long _samplesTrained;
    private long _stepsDone;
    private (Round Round, int Count) _opened = (new Round(-1), 0);
    private int _closed;

    public Oracle(World world)
    {
        _world = world;
        _bases = [world.Chain.Genesis.InitialBase];
        See();
    }

    /// <summary>The right base at the start of a round.</summary>
    public Digest BaseBefore(Round round) => _bases[round.Number];

    public IReadOnlyList<long> Assigned(Round round, Uid uid) => _assigned[(round, uid)];

    /// <summary>The error feedback that an honest peer has at the end.</summary>
    public Digest ErrorOf(Uid uid) => _errors.GetValueOrDefault(uid);

    /// <summary>What the closed updates of a round are, as the store has them.</summary>
    public IReadOnlyList<Contribution> Contributions(Manifest manifest) =>
        [.. manifest.Entries.Select(entry => new Contribution(entry.Uid, _world.Store[entry.ObjectDigest], entry.Weight))];

    /// <summary>Looks at the ledger after a block.</summary>
    public void See()
    {
        var ledger = _world.Chain.State;
        if (ledger.ManifestOf(new Round(_closed)) is { } manifest)
        {
            _closed++;
            Closed(ledger, manifest);
        }

        if (_opened != (ledger.CurrentRound, ledger.Roster.Count))
        {
            _opened = (ledger.CurrentRound, ledger.Roster.Count);
            Opened(ledger);
        }

        Assert.Equal(_stepsDone, ledger.StepsDone);
        Assert.Equal(_samplesTrained, ledger.SamplesTrained);
        if (ledger.QuorumBase(ledger.CurrentRound) is { } quorum)
        {
            Assert.Equal(_bases[ledger.CurrentRound.Number + 1], quorum);
        }
        else if (ledger.CurrentRound.Number > 0 && ledger.QuorumBase(new Round(ledger.CurrentRound.Number - 1)) is null)
        {
            _world.Reach(Probe.RoundWithoutQuorum);
        }
    }

    private void Opened(LedgerState ledger)
    {
        _world.Reach(Probe.NobodyInRoster, ledger.Roster.Count == 0);
        _world.Reach(Probe.NotInRoster, ledger.Roster.Count < ledger.Members.Count(m => m.Role == Role.Peer && m.Active));
        var roster = ledger.Roster;
        var pieces = new long[roster.Count][];
        for (var place = 0; place < roster.Count; place++)
        {
            var samples = ledger.SamplesOf(roster[place].Uid);
            Assert.Equal(ledger.Rules.SamplesPerPeer, samples.Count);
            _assigned[(ledger.CurrentRound, roster[place].Uid)] = samples;
            pieces[(place + ledger.CurrentRound.Number) % roster.Count] = [.. samples];
        }

        _issued = [.. pieces.SelectMany(piece => piece)];
        Assert.Equal(_issued.Length, _issued.Distinct().Count());
        var first = Math.Min(_mustComeFirst.Length, _issued.Length);
        Assert.Equal(_mustComeFirst[..first], _issued[..first]);
        _world.Reach(Probe.SamplesIssuedAgain, first > 0);
        _world.Reach(Probe.SecondEpoch, !_world.Scenario.OneEpoch && _samplesTrained > _world.Scenario.SampleCount);
    }

    private void Closed(LedgerState ledger, Manifest manifest)
    {
        Assert.Equal(_closed - 1, manifest.Round.Number);
        _bases.Add(FakeReplica.BaseAfter(_bases[^1], Contributions(manifest)));
        if (manifest.Empty)
        {
            _world.Reach(Probe.EmptyRound);
            // Nothing was trained: the same samples are issued again, in the same order.
            _mustComeFirst = _issued;
            return;
        }

        _stepsDone++;
        _samplesTrained += manifest.Entries.Count * ledger.Rules.SamplesPerPeer;
        var returned = new List<long>();
        foreach (var (uid, newcomer) in ledger.Roster)
        {
            var samples = _assigned[(manifest.Round, uid)];
            _world.Reach(Probe.NewcomersWeighed, newcomer && manifest.Contains(uid));
            if (manifest.Contains(uid))
            {
                Took(manifest.Round, uid, samples);
            }
            else
            {
                returned.AddRange(samples);
            }
        }

        // With one epoch the whole queue is known: what came back, then what still waited.
        _waiting = _world.Scenario.OneEpoch ? [.. returned, .. _waiting.Except(_issued)] : [.. returned];
        _mustComeFirst = _waiting;
    }

    private void Took(Round round, Uid uid, IReadOnlyList<long> samples)
    {
        _errors[uid] = FakeReplica.ErrorAfter(ErrorOf(uid), FakeReplica.UpdateOf(BaseBefore(round), uid, round, samples));
        foreach (var sample in samples)
        {
            Assert.True(_trained.Add(sample) || !_world.Scenario.OneEpoch, $"sample {sample} was trained twice");
        }
    }
}
