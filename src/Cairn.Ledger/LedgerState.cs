using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>The run as the ledger orders it: a pure function of the genesis and the blocks. Integers only, every walk in a fixed order, so that
/// all who applied the same operations hold the same state.</summary>
/// <remarks>For one thread at a time. The round is in five stages (<see cref="Stage"/>); everything about "this round" is of
/// <see cref="CurrentRound"/> and is forgotten when the next opens, except manifests, bases and checkpoints, which are kept for those who
/// catch up.</remarks>
public sealed partial class LedgerState
{
    private readonly List<Member> _members = [];
    private readonly List<Digest> _registrations = [];
    private readonly Dictionary<PublicKey, int> _byKey = [];
    private readonly Dictionary<PublicKey, long> _allocations = [];
    private readonly List<(long Accepted, long Rejected)> _tallies = [];
    private readonly List<Manifest> _manifests = [];
    private readonly List<SortedDictionary<int, Digest>> _bases = [];
    private readonly List<Digest?> _quorumBases = [];
    private readonly List<(Round Round, Digest Digest)> _checkpoints = [];
    private readonly HashSet<int> _paidIn = [];
    // One for each part of the samples.
    private readonly SampleQueue[] _queues;
    private readonly SignatureChecks _signatures = new();
    private readonly List<Slash> _slashes = [];
    private readonly HashSet<(Uid Uid, Digest Evidence)> _punished = [];
    private readonly SortedDictionary<int, IReadOnlyList<Backing>> _backings = [];
    private Digest _slashHistory;
    private RoundBook _book;
    // Without an apply delay: from which the round that is open, or was last, took its samples.
    private SampleQueue _queue;
    // Only with an apply delay: what is trained in the current round and in the next.
    private RoundPlan? _plan;
    private RoundPlan? _ahead;
    private Digest _history;
    private Digest _lastBeacon;

    private LedgerState(Genesis genesis)
    {
        Genesis = genesis;
        Tip = _history = Run = genesis.Digest;
        _lastBeacon = Digest.Of("cairn/beacon/first", genesis.RulesDigest.ToArray());
        _versions = [new RulesVersion(1, genesis.RulesDigest, new Round(0), [])];
        _rulesByVersion = [Rules = genesis.Rules];
        _queues = [.. genesis.Rules.SampleParts().Select(part => new SampleQueue(part, genesis.Rules.Seed))];
        _queue = _queues[0];
        foreach (var allocation in genesis.Allocations)
        {
            _allocations.Add(allocation.PublicKey, allocation.Bond);
        }

        foreach (var member in genesis.Members)
        {
            Enrol(new Register(member.Role, member.Name, member.ChainTip), member.PublicKey, member.Bond);
        }

        _book = OpenBook(new Round(0));
    }

    /// <summary>The state before the first block: round 0 is open.</summary>
    /// <param name="genesis">Agreed by all.</param>
    /// <exception cref="InputException">The genesis has <see cref="Genesis.Faults"/>.</exception>
    public static LedgerState FromGenesis(Genesis genesis)
    {
        genesis.Validate();
        return new LedgerState(genesis);
    }

    /// <summary>What the run began with.</summary>
    public Genesis Genesis { get; }

    /// <summary>How many blocks were applied.</summary>
    public long Height { get; private set; }

    /// <summary>Which run this is: <see cref="Genesis.Digest"/>, bound into every signature.</summary>
    public Digest Run { get; }

    /// <summary>Hash of the last block; before the first, <see cref="Genesis.Digest"/>.</summary>
    public Digest Tip { get; private set; }

    /// <summary>The round in progress; the last one when <see cref="Stage"/> is <see cref="Stage.Finished"/>.</summary>
    public Round CurrentRound => _book.Round;

    /// <summary>Where it stands.</summary>
    public Stage Stage => _book.Stage;

    /// <summary>How often a member has announced its store: whoever keeps a copy of the places looks again when this has grown.</summary>
    public int Announcements { get; private set; }

    /// <summary>Everybody who ever registered; index = uid.</summary>
    public IReadOnlyList<Member> Members => _members;

    /// <summary>Validators with as much bond as the rules ask of those who judge and publish; ascending by uid.</summary>
    public IEnumerable<Member> Validators => _members.Where(member => member.Role == Role.Validator && member.Bond >= Rules.ValidatorBondMin);

    /// <summary>The member with a key, or null.</summary>
    /// <param name="key">Any.</param>
    public Member? Find(PublicKey key) => _byKey.TryGetValue(key, out var index) ? _members[index] : null;

    /// <summary>The peers of the current round, ascending by uid, closed when the round opened. Empty only while nobody is there: the run
    /// waits for a peer to register or return.</summary>
    public IReadOnlyList<RosterEntry> Roster => _book.Roster;

    /// <summary>True for a peer of the current round.</summary>
    /// <param name="uid">Any member.</param>
    public bool IsInRoster(Uid uid) => _book.PlaceOf(uid) >= 0;

    /// <summary>The samples that a peer trains on in the current round, in order.</summary>
    /// <param name="uid">Any member.</param>
    /// <returns>As many ids as it declared or the rules say, disjoint from every other peer's; none for one outside the roster.</returns>
    /// <remarks>Pieces go to the roster in uid order, beginning one place further each round, so that samples given back by one peer come
    /// to another.</remarks>
    public IReadOnlyList<long> SamplesOf(Uid uid) => _book.PlaceOf(uid) is >= 0 and var place ? PieceOf(place) : [];

    /// <summary>How many samples a peer gets in the next round that it has a place in: what it declared, or all that the rules give.</summary>
    /// <param name="member">A peer of this state.</param>
    public int SamplesToCome(Member member) => member.Samples > 0 ? member.Samples : Rules.SamplesPerPeer;

    /// <summary>The samples that a peer is to train on in the next round, known while the current one goes on: only with an apply delay of 1, else none.</summary>
    /// <param name="uid">Any member.</param>
    /// <returns>As <see cref="SamplesOf(Uid)"/>; they stay the same when the round opens, unless the peer has left by then.</returns>
    public IReadOnlyList<long> PlannedSamplesOf(Uid uid) =>
        _ahead?.Round == CurrentRound.Next && _ahead.PlaceOf(uid) is >= 0 and var place ? _ahead.Pieces[place].ToArray() : [];

    /// <summary>All samples that are given out for rounds that have not opened: the next, and the current one while it waits. None without an apply delay.</summary>
    public IReadOnlyList<long> PlannedSamples =>
    [
        .. _plan is not null && _book.Roster.Length == 0 ? _plan.Pieces.SelectMany(piece => piece) : [],
        .. _ahead?.Round == CurrentRound.Next ? _ahead.Pieces.SelectMany(piece => piece) : [],
    ];

    /// <summary>True for a peer that has a place in the next round: only with an apply delay of 1.</summary>
    /// <param name="uid">Any member.</param>
    public bool IsPlanned(Uid uid) => _ahead?.Round == CurrentRound.Next && _ahead.PlaceOf(uid) >= 0;

    /// <summary>Where the samples of the current round, or with an apply delay of the next, stand on the schedules: how many rounds before it count as steps. With a
    /// delay the round that is not closed when the next is planned counts as one.</summary>
    /// <param name="round">The current round or the one after it.</param>
    public long StepsBefore(Round round) => _plan?.Round == round ? _plan.StepsBefore : _ahead?.Round == round ? _ahead.StepsBefore : StepsDone;

    /// <summary>What a peer committed to in the current round, or null.</summary>
    /// <param name="uid">Any member.</param>
    public Digest? CommitOf(Uid uid) => _book.PlaceOf(uid) is >= 0 and var place ? _book.Commits[place] : null;

    /// <summary>How many commits of the current round the ledger holds before this peer's; −1 without one.</summary>
    /// <param name="uid">Any member.</param>
    public int CommitOrder(Uid uid) => CommitOf(uid) is null ? -1 : _book.CommitOrders[_book.PlaceOf(uid)];

    /// <summary>What a peer opened in the current round, or null.</summary>
    /// <param name="uid">Any member.</param>
    public Opening? OpeningOf(Uid uid) => _book.PlaceOf(uid) is >= 0 and var place ? _book.Openings[place] : null;

    /// <summary>True in <see cref="Stage.Reveal"/> once every commit is opened.</summary>
    public bool EveryCommitIsOpen => Stage == Stage.Reveal && _book.EveryCommitIsOpen();

    /// <summary>True once every validator that is waited for has revealed its part of the round's beacon.</summary>
    public bool EveryBeaconIsRevealed => _book.EveryBeaconIsRevealed();

    /// <summary>The preimage that a validator revealed in the current round, or null.</summary>
    /// <param name="uid">Any member.</param>
    public Digest? BeaconOf(Uid uid) => _book.VoterOf(uid) is >= 0 and var voter ? _book.Beacons[voter] : null;

    /// <summary>The current round's randomness: over the round and the revealed preimages in uid order. Only from <see cref="Stage.Judge"/>
    /// on.</summary>
    public Digest RoundBeacon
    {
        get
        {
            Invariant.Check(Stage >= Stage.Judge);
            return _book.Beacon;
        }
    }

    /// <summary>True for a validator with a voice in the current round.</summary>
    /// <param name="uid">Any member.</param>
    public bool Votes(Uid uid) => _book.VoterOf(uid) >= 0;

    /// <summary>A validator's verdict in the current round, or null.</summary>
    /// <param name="uid">Any member.</param>
    public Verdict? VerdictOf(Uid uid) => _book.VoterOf(uid) is >= 0 and var voter ? _book.Verdicts[voter] : null;

    /// <summary>A validator's shares in the current round, or null.</summary>
    /// <param name="uid">Any member.</param>
    public PostShares? SharesOf(Uid uid) => _book.VoterOf(uid) is >= 0 and var voter ? _book.Shares[voter] : null;

    /// <summary>The base that a member posted at the end of a round, or null.</summary>
    /// <param name="round">Any.</param>
    /// <param name="uid">Any member.</param>
    public Digest? BaseOf(Round round, Uid uid) => BasesOf(round) is { } bases && bases.TryGetValue(uid.Value, out var digest) ? digest : null;

    /// <summary>The base after a round that validators with more than half of all bond posted, or null.</summary>
    /// <param name="round">Any.</param>
    public Digest? QuorumBase(Round round) =>
        round == CurrentRound && Stage != Stage.Finished ? _book.QuorumBase()
        : round.Number >= 0 && round.Number < _quorumBases.Count ? _quorumBases[round.Number] : null;

    /// <summary>The closed list of a round's updates, or null before it closed.</summary>
    /// <param name="round">Any.</param>
    public Manifest? ManifestOf(Round round) => round.Number >= 0 && round.Number < _manifests.Count ? _manifests[round.Number] : null;

    /// <summary>Checkpoints that validators with more than half of all bond agreed on, in round order.</summary>
    public IReadOnlyList<(Round Round, Digest Digest)> Checkpoints => _checkpoints;

    /// <summary>True for a round whose settlement paid: where validators do not agree, or too few come, what was to be paid waits (<see cref="Unpaid"/>).</summary>
    /// <param name="round">Any round.</param>
    public bool PaidIn(Round round) => _paidIn.Contains(round.Number);

    /// <summary>The last of <see cref="Checkpoints"/>, or null.</summary>
    public (Round Round, Digest Digest)? LatestCheckpoint => _checkpoints.Count > 0 ? _checkpoints[^1] : null;

    /// <summary>Rounds closed with at least one update: what schedules count.</summary>
    public long StepsDone { get; private set; }

    /// <summary>Samples handed out so far, the current round's and repeated issues counted, empty rounds not.</summary>
    public long SamplesIssued { get; private set; }

    /// <summary>Samples of updates that are in manifests.</summary>
    public long SamplesTrained { get; private set; }

    /// <summary>How many places of all epochs of all parts the schedule of samples has passed.</summary>
    public long SampleCursor => _queues.Sum(queue => queue.Cursor);

    /// <summary>How many places of all epochs of a part were passed.</summary>
    /// <param name="part">Its place in <see cref="LedgerRules.SampleParts"/>.</param>
    public long SampleCursorOf(int part) => _queues[part].Cursor;

    /// <summary>Samples that were passed, not trained, and are issued first by the next round that trains on their part: those of the main part first.
    /// What of it waits when the annealing begins waits to the end.</summary>
    public IReadOnlyList<long> WaitingSamples => [.. _queues.SelectMany(queue => queue.Waiting.ToArray())];

    /// <summary>The part of the samples on which the current round trains, or, with an apply delay, the one after it.</summary>
    /// <param name="round">The current round or the one after it.</param>
    public SamplePart PartOf(Round round) =>
        Rules.ApplyDelay == 0 && round == CurrentRound ? _queue.Part : _queues[Rules.PartAt(StepsBefore(round))].Part;

    /// <summary>How many of a peer's updates a majority accepted.</summary>
    /// <param name="uid">A member.</param>
    public long AcceptedOf(Uid uid) => _tallies[uid.Value].Accepted;

    /// <summary>How many of a peer's commits a majority judged and did not accept.</summary>
    /// <param name="uid">A member.</param>
    public long RejectionsOf(Uid uid) => _tallies[uid.Value].Rejected;

    /// <summary>True while validators with two thirds of all bond want no further round.</summary>
    public bool Paused { get; private set; }

    /// <summary>Every cut of a bond, in order.</summary>
    public IReadOnlyList<Slash> Slashes => _slashes;

    /// <summary>What was cut off bonds in all, and belongs to nobody.</summary>
    public long Burned { get; private set; }

    /// <summary>What settlements have laid aside to pay audits.</summary>
    public long AuditFund { get; private set; }

    /// <summary>What settlements have paid out in all, <see cref="AuditFund"/> counted. Bonds + rewards + burned + audit fund = bonds of the genesis (and of
    /// allocations taken up) + this, after every operation.</summary>
    public long Minted { get; private set; }

    /// <summary>What settlements did not pay because validators cannot tell yet whose it is, or do not agree: the next one that pays, pays it too.</summary>
    public long Unpaid { get; private set; }

    /// <summary>The shares of the last settlement that paid; sum <see cref="Shares.One"/>, or empty before the first.</summary>
    public IReadOnlyList<ShareEntry> ConsensusShares { get; private set; } = [];

    /// <summary>How far a validator has backed each peer over the settlements so far: what its dividends follow.</summary>
    /// <param name="uid">Any member.</param>
    public IReadOnlyList<Backing> BackingsOf(Uid uid) => _backings.GetValueOrDefault(uid.Value, []);

    private SortedDictionary<int, Digest>? BasesOf(Round round) =>
        round == CurrentRound && Stage != Stage.Finished ? _book.Bases
        : round.Number >= 0 && round.Number < _bases.Count ? _bases[round.Number] : null;

    private long[] PieceOf(int place) => _plan is not null ? _plan.Pieces[place].ToArray() : _queue.Issued(_book.SampleStarts[place], _book.Samples[place]);
}
