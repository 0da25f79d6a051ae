using Cairn.Base;
using Cairn.Data;
using Cairn.Ledger;

namespace Cairn.Simulation;

/// <summary>Knows what every honest node must come to, computed apart from all of them, and watches the ledger statement by statement.</summary>
internal sealed class Oracle
{
    private readonly World _world;
    private readonly List<Replicated> _bases;
    private readonly Dictionary<(Round, Uid), Assignment> _assigned = [];
    private readonly Dictionary<(int Member, int Round), double[]?> _feedback = [];
    private readonly bool[] _trained;
    private readonly Dictionary<PublicKey, int> _declared = [];
    private readonly Dictionary<PublicKey, string> _places = [];
    private readonly List<Settlement> _settlements = [];
    private readonly long _moneyAtFirst;
    private readonly List<Manifest> _manifests = [];
    private readonly Dictionary<PublicKey, VoteRules> _rulesVotes = [];
    private readonly List<RulesVersion> _rulesChanges = [];
    private readonly HashSet<long> _issuedNow = [];
    private readonly HashSet<long> _plannedNow = [];
    private long[] _mustComeFirst = [];
    private long[] _issued = [];
    private long[] _waiting = [];
    private int _announcements;
    private long _samplesTrained;
    private long _samplesReturned;
    private long _stepsDone;
    private long _minted;
    private long _unpaid;
    private bool _hasPaid;
    private IReadOnlyList<ShareEntry> _paid;
    private Dictionary<Uid, IReadOnlyList<ShareEntry>> _posted = [];
    private (Round Round, int Count) _opened = (new Round(-1), 0);
    private (Round Round, VerdictEntry[] Entries)? _said;
    private Round _plannedRound = new(-1);
    private long _plannedSteps;

    public Oracle(World world)
    {
        _world = world;
        _bases = [new Replicated(world.Objective.Start, world.Objective.Start.Digest)];
        _moneyAtFirst = Money() + world.Founding.Genesis.Allocations.Sum(allocation => allocation.Bond);
        _trained = new bool[world.Scenario.OneEpoch ? world.Scenario.SampleCount : 0];
        _paid = world.Ledger.Head.ConsensusShares;
        Open(world.Ledger.Head);
    }

    /// <summary>Every settlement that paid.</summary>
    public IReadOnlyList<Settlement> Settlements => _settlements;

    /// <summary>How many samples were accepted as trained.</summary>
    public long SamplesTrained => _samplesTrained;

    /// <summary>The right base at the start of a round.</summary>
    public Replicated BaseBefore(Round round) => _bases[round.Number];

    public long[] Assigned(Round round, Uid uid) => _assigned[(round, uid)].Samples;

    /// <summary>How many samples a member was given in a round; 0 outside the roster.</summary>
    public int SamplesGiven(Round round, Uid uid) => _assigned.TryGetValue((round, uid), out var given) ? given.Samples.Length : 0;

    public Digest ReceiptOf(Round round, Uid uid) => _assigned[(round, uid)].Receipt;

    /// <summary>All samples issued in the round that is on.</summary>
    public IReadOnlySet<long> IssuedIn(Round round)
    {
        Invariant.Check(round == _opened.Round);
        return _issuedNow;
    }

    /// <summary>Looks at the ledger after a block.</summary>
    public void See(SignedOperation signed)
    {
        var ledger = _world.Ledger.Head;
        if (signed.Operation is PostShares posted && ledger.Find(signed.Author) is { } author)
        {
            _posted[author.Uid] = posted.Shares;
        }

        Note(ledger, signed);
        FollowRules(ledger);
        if (ledger.ManifestOf(new Round(_manifests.Count)) is { } manifest)
        {
            Close(ledger, manifest);
        }

        if (!ReferenceEquals(ledger.ConsensusShares, _paid))
        {
            Settle(ledger);
        }

        if (_opened != (ledger.CurrentRound, ledger.Roster.Count))
        {
            if (_opened.Round != ledger.CurrentRound)
            {
                End(ledger, _opened.Round);
            }

            Open(ledger);
        }

        Must.Hold(_stepsDone == ledger.StepsDone, "steps", $"{ledger.StepsDone} steps are counted, {_stepsDone} were made");
        Must.Hold(_samplesTrained == ledger.SamplesTrained, "samples", $"{ledger.SamplesTrained} samples are counted, {_samplesTrained} were trained");
        if (signed.Operation is PostBase && ledger.QuorumBase(ledger.CurrentRound) is { } quorum)
        {
            Must.Hold(quorum == _bases[ledger.CurrentRound.Number + 1].Digest, "base", $"the quorum has a wrong base after round {ledger.CurrentRound}");
        }
    }

    /// <summary>The ledger's answer to a statement.</summary>
    public void Answered(SimNode node, SignedOperation signed, Rejection why)
    {
        if (_world.Trace.Count > 0)
        {
            _world.Tell(node, $"  the ledger: {Words.Slot(signed.Operation)}: {why}");
        }

        // Who says two things cannot know which comes first; a wrong replica may have said a base that it has no more.
        var expected = !node.Plan.IsHonest || (why == Rejection.Equivocation && node.Plan.Wrong != Wrong.Never);
        Must.Hold(
            why is Rejection.None or Rejection.AlreadyThere or Rejection.Late || expected, "statements",
            $"{node.Name}: {Words.Of(signed.Operation)} was refused: {why}");
        _world.Reach(Probe.ReturnedAfterAbsence, signed.Operation is Return && why == Rejection.None);
        _world.Reach(Probe.EquivocationRefused, why == Rejection.Equivocation);
        _world.Reach(Probe.RefusedAsLate, why == Rejection.Late);
    }

    /// <summary>A node has applied a round.</summary>
    public void Applied(SimNode node, Round round)
    {
        if (node.Plan.Wrong != Wrong.Never)
        {
            return;
        }

        Must.Hold(
            node.Replica.Base == _bases[round.Number + 1].Digest, "base", $"{node.Name} has a wrong base after round {round}");
        if (node.Role != Role.Peer)
        {
            return;
        }

        // Rule 1: what an excluded update leaves behind is nothing; what a repeated round leaves behind is the same.
        var feedback = node.Replica.Feedback;
        var key = (node.Member, round.Number);
        var included = node.Uid is { } uid && _manifests[round.Number].Contains(uid);
        double[]? expected = null;
        var known = _feedback.TryGetValue(key, out expected)
            || (!included && (round.Number == 0 || _feedback.TryGetValue((node.Member, round.Number - 1), out expected)));
        Must.Hold(!known || Same(expected, feedback), "rollback", $"{node.Name} has another error feedback after round {round} than it should");
        _feedback[key] = feedback;
    }

    /// <summary>Whom an honest validator probes, and on what: the beacon says it, nobody else.</summary>
    public void Drawn(SimNode node, RoundView right, RoundView used, IReadOnlyList<Uid> probed)
    {
        Must.Hold(
            ReferenceEquals(right, used) || right.HeldBack.AsSpan().SequenceEqual(used.HeldBack), "beacon",
            $"{node.Name} draws the probes of round {right.Round} for itself ({probed.Count} peers)");

        // What was held back is compared with what was assigned: both must be of one part.
        var (main, assigned) = (_world.Scenario.MainSamples, Assigned(right.Round, right.Peers[0].Uid)[0]);
        Must.Hold(
            _world.Scenario.AnnealSamples == 0 || right.HeldBack.All(sample => (sample >= main) == (assigned >= main)), "annealing",
            $"the probes of round {right.Round} hold back samples of the part that it does not train on");
    }

    /// <summary>What a validator says.</summary>
    public void Said(SimNode node, VerdictEntry[] entries)
    {
        var round = _world.JudgedRound!.Round;
        if (_said is { } other && other.Round == round)
        {
            _world.Reach(Probe.VerdictsDiffered, !other.Entries.AsSpan().SequenceEqual(entries));
        }

        _said = (round, entries);
        foreach (var entry in entries)
        {
            _world.Reach(Probe.CopyRefused, entry.Reason == Rejection.Copied);
            _world.Reach(Probe.HarmRefused, entry.Reason == Rejection.Harmful);
            if (!node.Plan.IsHonest || node.Plan is not { OddPerMille: 0, Wrong: Wrong.Never })
            {
                continue;
            }

            var peer = _world.NodeOf(entry.Uid);
            Must.Hold(
                !peer.Plan.IsHonest || peer.Plan.Wrong != Wrong.Never
                    || entry.Reason is Rejection.None or Rejection.Missing or Rejection.NotEntitled or Rejection.Harmful,
                "honest update", $"{node.Name} refuses the honest update of {peer.Name} in round {round}: {entry.Reason}");
        }
    }

    private static bool Same(double[]? left, double[]? right) =>
        ReferenceEquals(left, right) || (left is not null && right is not null && left.AsSpan().SequenceEqual(right));

    // What members say of themselves holds from the next round on, or at once for where their objects are.
    private void Note(LedgerState ledger, SignedOperation signed)
    {
        switch (signed.Operation)
        {
            case Declare declare:
                _declared[signed.Author] = declare.Samples;
                _world.Reach(Probe.DeclaredFewer, declare.Samples < ledger.Rules.SamplesPerPeer);
                _world.Reach(Probe.DeclaredAllAgain, declare.Samples == ledger.Rules.SamplesPerPeer);
                break;
            case VoteRules vote:
                _rulesVotes[signed.Author] = vote;
                break;
            case Announce announce:
                _world.Reach(Probe.MovedItsStore, _places.ContainsKey(signed.Author));
                _places[signed.Author] = announce.Place;
                Must.Hold(ledger.Announcements == ++_announcements, "places", $"{ledger.Announcements} announcements are counted, {_announcements} were made");
                Must.Hold(ledger.Find(signed.Author)!.Place == announce.Place, "places", "an announced place is not where the ledger says");
                break;
        }
    }

    // Who may change the rules, and when: counted apart from the ledger. Every validator here has the same bond.
    private void FollowRules(LedgerState ledger)
    {
        foreach (var version in ledger.RulesVersions.Skip(1 + _rulesChanges.Count))
        {
            var voices = ledger.Members.Where(member => ledger.Votes(member.Uid)).ToList();
            var stand = voices.Count(member => _rulesVotes.TryGetValue(member.Key, out var vote)
                && vote.From == version.From && vote.Changes.SequenceEqual(version.Changes));
            Must.Hold(3 * stand >= 2 * voices.Count, "rules", $"{stand} of {voices.Count} validators changed the rules");
            Must.Hold(
                version.From.Number - ledger.CurrentRound.Number >= LedgerState.RulesNoticeRounds, "rules",
                $"rules of round {version.From} were changed in round {ledger.CurrentRound}");
            _rulesChanges.Add(version);
        }
    }

    private LedgerRules RulesOf(Round round) => _rulesChanges.Where(version => version.From <= round)
        .Aggregate(_world.Founding.Genesis.Rules, (rules, version) => ChangeableRule.In(rules, version.Changes));

    private void Open(LedgerState ledger)
    {
        _opened = (ledger.CurrentRound, ledger.Roster.Count);
        Must.Hold(ledger.Rules == RulesOf(ledger.CurrentRound), "rules", $"round {ledger.CurrentRound} has other rules than were agreed on");
        _world.Reach(Probe.RulesChanged, ledger.Rules != _world.Founding.Genesis.Rules);
        _world.Reach(Probe.NobodyInRoster, ledger.Roster.Count == 0);
        _world.Reach(Probe.NotInRoster, ledger.Roster.Count < ledger.Members.Count(m => m.Role == Role.Peer && m.Active));
        var roster = ledger.Roster;
        var pieces = new long[roster.Count][];
        for (var place = 0; place < roster.Count; place++)
        {
            long[] samples = [.. ledger.SamplesOf(roster[place].Uid)];
            Must.Hold(
                ledger.CurrentRound == _plannedRound || samples.Length == DueTo(ledger, roster[place].Uid), "samples",
                $"a peer has {samples.Length} samples and should have {DueTo(ledger, roster[place].Uid)}");
            Must.Hold(
                !_assigned.TryGetValue((ledger.CurrentRound, roster[place].Uid), out var planned) || planned.Samples.AsSpan().SequenceEqual(samples), "samples",
                $"the samples of round {ledger.CurrentRound} are not those that were planned");
            _assigned[(ledger.CurrentRound, roster[place].Uid)] = new Assignment(samples);
            pieces[(place + ledger.CurrentRound.Number) % roster.Count] = samples;
        }

        _issued = [.. pieces.SelectMany(piece => piece)];
        Refill(_issuedNow, _issued);
        Must.Hold(_issued.Length == _issuedNow.Count, "samples", "two peers of a round have the same sample");
        var wasPlanned = ledger.CurrentRound == _plannedRound;
        InTheirTime(_issued, ledger.CurrentRound, wasPlanned ? _plannedSteps : _stepsDone);
        ComesFirst(ledger.Rules.ApplyDelay == 0 ? _issued : [.. wasPlanned ? [] : _issued, .. Plan(ledger)]);
        _world.Reach(Probe.SecondEpoch, !_world.Scenario.OneEpoch && _samplesTrained > _world.Scenario.SampleCount);
    }

    private static void Refill(HashSet<long> set, long[] values)
    {
        set.Clear();
        set.UnionWith(values);
    }

    // Before the switch every sample is of the main part, from then on none is: counted in steps, by this oracle's own count.
    private void InTheirTime(long[] samples, Round round, long stepsBefore)
    {
        var (scenario, anneals) = (_world.Scenario, _world.Scenario.AnnealFrom > 0 && stepsBefore >= _world.Scenario.AnnealFrom);
        var wrong = Array.FindIndex(samples, sample => sample >= scenario.MainSamples != anneals);
        Must.Hold(
            wrong < 0, "annealing",
            $"sample {samples[Math.Max(0, wrong)]} of round {round} is not of the part due after {stepsBefore} steps; {scenario.AnnealFrom} come before annealing");
        _world.Reach(Probe.Annealed, anneals && samples.Length > 0);
        _world.Reach(Probe.LeftByAnnealing, anneals && _waiting.Any(id => id < scenario.MainSamples));
    }

    // What was given back of a part is issued before all else of that part.
    private void ComesFirst(long[] cut)
    {
        var main = _world.Scenario.MainSamples;
        foreach (var anneals in (ReadOnlySpan<bool>)[false, true])
        {
            var (must, came) = (OfPart(_mustComeFirst), OfPart(cut));
            var first = Math.Min(must.Length, came.Length);
            Must.Hold(must.AsSpan(0, first).SequenceEqual(came.AsSpan(0, first)), "samples", "what was given back is not issued first");
            _world.Reach(Probe.SamplesIssuedAgain, first > 0);
            _world.Reach(Probe.AnnealedAgain, anneals && first > 0);

            long[] OfPart(long[] samples) => _world.Scenario.AnnealSamples > 0 ? [.. samples.Where(id => id >= main == anneals)] : anneals ? [] : samples;
        }
    }

    private int DueTo(LedgerState ledger, Uid uid) => _declared.GetValueOrDefault(ledger.Members[uid.Value].Key, ledger.Rules.SamplesPerPeer);

    // With an apply delay: who trains on what in the next round is known when a round opens.
    private long[] Plan(LedgerState ledger)
    {
        var next = ledger.CurrentRound.Next;
        var planned = ledger.Members.Where(member => ledger.IsPlanned(member.Uid)).Select(member => member.Uid).ToList();
        if (_plannedRound == next || planned.Count == 0)
        {
            return [];
        }

        var pieces = new long[planned.Count][];
        for (var place = 0; place < planned.Count; place++)
        {
            long[] samples = [.. ledger.PlannedSamplesOf(planned[place])];
            Must.Hold(samples.Length == DueTo(ledger, planned[place]), "samples", $"{samples.Length} samples are planned for a peer");
            pieces[(place + next.Number) % planned.Count] = samples;
            _assigned[(next, planned[place])] = new Assignment(samples);
        }

        long[] all = [.. pieces.SelectMany(piece => piece)];
        (_plannedRound, _plannedSteps) = (next, _stepsDone + 1);
        Refill(_plannedNow, all);
        InTheirTime(all, next, _plannedSteps);
        Must.Hold(all.Length == _plannedNow.Count, "samples", "two peers of a planned round have the same sample");
        return all;
    }

    private void Close(LedgerState ledger, Manifest manifest)
    {
        Must.Hold(manifest.Round.Number == _manifests.Count, "manifest", "a manifest has another round than its place");
        Must.Hold(
            _manifests.Count == 0 || ReferenceEquals(ledger.ManifestOf(new Round(_manifests.Count - 1)), _manifests[^1]), "manifest", "a manifest was reopened");
        _manifests.Add(manifest);
        _bases.Add(_world.After(_bases[^1], manifest));
        NoCopies(manifest);
        if (manifest.Empty)
        {
            _world.Reach(Probe.EmptyRound);
            // Nothing was trained: the same samples are issued again, in the same order.
            _waiting = ledger.Rules.ApplyDelay == 0 ? _waiting : [.. _issued, .. StillWaiting()];
            _mustComeFirst = ledger.Rules.ApplyDelay == 0 ? _issued : _waiting;
            return;
        }

        _stepsDone++;
        Weigh(ledger, manifest);
        var members = manifest.Entries.Select(entry => entry.Uid).ToHashSet();
        var returned = new List<long>();
        foreach (var (uid, newcomer) in ledger.Rules.ApplyDelay == 0 ? ledger.Roster : InOrderOfIssue(ledger))
        {
            var samples = Assigned(manifest.Round, uid);
            _world.Reach(Probe.NewcomersWeighed, newcomer && members.Contains(uid));
            if (!members.Contains(uid))
            {
                returned.AddRange(samples);
            }
            else
            {
                _samplesTrained += samples.Length;
            }

            if (_world.Scenario.OneEpoch && members.Contains(uid))
            {
                foreach (var sample in samples)
                {
                    Must.Hold(!_trained[sample], "samples", $"sample {sample} was trained twice");
                    _trained[sample] = true;
                }
            }
        }

        // With one epoch the whole queue is known: what came back, then what still waited.
        _samplesReturned += returned.Count;
        _waiting = [.. returned, .. StillWaiting()];
        _mustComeFirst = _waiting;
        Must.Hold(
            ledger.SamplesIssued == _samplesTrained + _samplesReturned, "samples",
            $"{ledger.SamplesIssued} issued are not {_samplesTrained} trained and {_samplesReturned} given back");
    }

    // A part in the mean follows from the samples that were trained: among the established nothing else decides.
    private void Weigh(LedgerState ledger, Manifest manifest)
    {
        var newcomers = ledger.Roster.Where(entry => entry.Newcomer).Select(entry => entry.Uid).ToHashSet();
        var (first, samples) = (0L, 0L);
        foreach (var entry in manifest.Entries)
        {
            if (newcomers.Contains(entry.Uid))
            {
                continue;
            }

            var theirs = Assigned(manifest.Round, entry.Uid).Length;
            (first, samples) = samples == 0 ? (entry.Weight, theirs) : (first, samples);
            Must.Hold(
                entry.Weight * samples == first * theirs, "weight",
                $"uid {entry.Uid} weighs {entry.Weight} for {theirs} samples in round {manifest.Round}, another {first} for {samples}");
        }
    }

    private IEnumerable<long> StillWaiting() =>
        _world.Scenario.OneEpoch ? _waiting.Where(id => !_issuedNow.Contains(id) && !_plannedNow.Contains(id)) : [];

    private static IEnumerable<RosterEntry> InOrderOfIssue(LedgerState ledger) => ledger.Roster.Select((entry, place) => (entry, place))
        .OrderBy(pair => (pair.place + ledger.CurrentRound.Number) % ledger.Roster.Count).Select(pair => pair.entry);

    // Rule 6: whatever else was admitted, not twice the same; where nobody judges, that too.
    private void NoCopies(Manifest manifest)
    {
        var places = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in manifest.Entries)
        {
            var move = _world.Store.Open(entry.ObjectDigest).Move;
            Must.Hold(move is not null, "admission", $"round {manifest.Round} holds what nobody can read, of uid {entry.Uid}");
            Must.Hold(places.Add(move!.PlacesName) || !_world.Scenario.Gauntlet, "admission", $"round {manifest.Round} holds a copy, of uid {entry.Uid}");
        }
    }

    private void Settle(LedgerState ledger)
    {
        _paid = ledger.ConsensusShares;
        _minted += RulesOf(_opened.Round).RewardPerSettlement + _unpaid;
        (_unpaid, _hasPaid) = (0, true);
        _settlements.Add(new Settlement(_opened.Round, _paid, _posted));
        Must.Hold(_paid.Sum(share => share.Share) == Ledger.Shares.One, "money", "shares do not sum to one");
    }

    private void End(LedgerState ledger, Round round)
    {
        Withhold(ledger);
        (_posted, _hasPaid) = ([], false);
        var money = Money();
        Must.Hold(money == _moneyAtFirst + _minted, "money", $"there is {money}, there should be {_moneyAtFirst} and {_minted} minted");
        _world.Reach(Probe.RoundWithoutQuorum, ledger.QuorumBase(round) is null);
    }

    // Pay waits for the next settlement where this one did not pay, though validators said something.
    private void Withhold(LedgerState ledger)
    {
        if (ledger.Unpaid != _unpaid)
        {
            Must.Hold(!_hasPaid && _posted.Count > 0, "money", "pay was kept back, and paid or not spoken of");
            _unpaid += RulesOf(_opened.Round).RewardPerSettlement;
            Must.Hold(ledger.Unpaid == _unpaid, "money", $"{ledger.Unpaid} waits to be paid, there should be {_unpaid}");
            _world.Reach(Probe.PayKeptBack, true);
        }
    }

    // Bonds that wait for a joiner count as money too: they are its as soon as it registers. So does what was burned, and what waits for audits.
    private long Money()
    {
        var ledger = _world.Ledger.Head;
        var sum = ledger.Burned + ledger.AuditFund;
        foreach (var member in ledger.Members)
        {
            sum += member.Bond + member.Reward;
        }

        foreach (var allocation in _moneyAtFirst == 0 ? [] : ledger.Genesis.Allocations)
        {
            sum += ledger.Find(allocation.PublicKey) is null ? allocation.Bond : 0;
        }

        return sum;
    }

    private sealed class Assignment(long[] samples)
    {
        private Digest? _receipt;

        public long[] Samples { get; } = samples;

        public Digest Receipt => _receipt ??= SampleReceipt.Of(Samples);
    }
}

/// <summary>What a settlement paid.</summary>
/// <param name="Round">The round that ended with it.</param>
/// <param name="Paid">What the ledger made of the validators' words.</param>
/// <param name="Posted">What each validator said.</param>
internal sealed record Settlement(Round Round, IReadOnlyList<ShareEntry> Paid, IReadOnlyDictionary<Uid, IReadOnlyList<ShareEntry>> Posted);
