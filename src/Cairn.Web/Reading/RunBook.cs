using Cairn.Base;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Web;

/// <summary>What is known of a run: sums that grow as its ledger and its event log are read, once each. Written by one thread; whoever reads or writes holds
/// <see cref="Gate"/>.</summary>
internal sealed partial class RunBook(RunRules rules, LedgerState state)
{
    private const int RoundsKept = 20_000;
    private const int NotesKept = 200;
    private const int TextsKept = 64;
    private readonly List<RoundRow> _rounds = [];
    private readonly Dictionary<int, PeerRow> _peers = [];
    private readonly DigestIndex _digests = new();

    /// <summary>Held by whoever reads or writes.</summary>
    public Lock Gate { get; } = new();

    public RunRules Rules { get; } = rules;

    /// <summary>The rules of the current round: what votes have changed is in them.</summary>
    public RunRules RulesNow
    {
        get
        {
            var book = new RulesBook(Rules);
            book.Follow(State);
            return book.At(State.CurrentRound);
        }
    }

    /// <summary>The ledger after what was read of it.</summary>
    public LedgerState State { get; } = state;

    /// <summary>Grows with everything that is read.</summary>
    public long Version { get; private set; }

    /// <summary>True once all that was there at the beginning has been read.</summary>
    public bool CaughtUp { get; set; }

    /// <summary>Why reading ended early, or null.</summary>
    public string? Failure { get; set; }

    /// <summary>The time of the run: now, or of a past run that is shown again.</summary>
    public DateTimeOffset Now { get; set; }

    /// <summary>How fast that time goes: 1 for a run that is going on.</summary>
    public double Speed { get; init; } = 1;

    /// <summary>When something last happened.</summary>
    public DateTimeOffset? LastSign { get; private set; }

    public Curve Curve { get; } = new();

    /// <summary>What went wrong lately, the newest last.</summary>
    public List<Note> Notes { get; } = [];

    /// <summary>What the model wrote, the first and the newest ones.</summary>
    public List<SampledText> Texts { get; } = [];

    /// <summary>How many texts were seen, those that are no longer kept too.</summary>
    public int TextsSeen { get; private set; }

    /// <summary>The newest time that a log told, or null where no log is.</summary>
    public DateTimeOffset? LastLine { get; private set; }

    /// <summary>Other ways of training, for comparison.</summary>
    public IReadOnlyList<BaselineView> Baselines { get; private set; } = [];

    /// <summary>How often they changed.</summary>
    public int BaselinesSeen { get; private set; }

    /// <summary>How many times smaller an update is than the parameters in fp32.</summary>
    public double? Compression { get; private set; }

    /// <summary>Bytes of all updates.</summary>
    public long Bytes { get; private set; }

    /// <summary>How many updates those were.</summary>
    public long Updates { get; private set; }

    /// <summary>False once two members posted different bases after a round.</summary>
    public bool Agreement { get; private set; } = true;

    /// <summary>Where digests of the ledger are.</summary>
    public DigestIndex Digests => _digests;

    /// <summary>Rounds of which something is kept, in order.</summary>
    public IReadOnlyList<RoundRow> Rounds => _rounds;

    /// <summary>What is kept of a round, or null.</summary>
    public RoundRow? Round(int number) =>
        _rounds.Count > 0 && number >= _rounds[0].Number && number <= _rounds[^1].Number ? _rounds[number - _rounds[0].Number] : null;

    /// <summary>What is kept of a member.</summary>
    public PeerRow Peer(int uid)
    {
        if (!_peers.TryGetValue(uid, out var row))
        {
            _peers.Add(uid, row = new PeerRow(uid));
        }

        return row;
    }

    /// <summary>Tokens trained on in accepted updates.</summary>
    public long Tokens => State.SamplesTrained * Rules.Model.Context;

    /// <summary>Takes note of other ways of training. Under the gate.</summary>
    public void Compare(IReadOnlyList<BaselineView> baselines)
    {
        (Baselines, BaselinesSeen) = (baselines, BaselinesSeen + 1);
        Version++;
    }

    /// <summary>What was measured of peers' contributions, or null.</summary>
    public ContributionsView? Contributions { get; private set; }

    /// <summary>Takes note of what was measured of peers' contributions. Under the gate.</summary>
    public void TakeNoteOf(ContributionsView? contributions)
    {
        Contributions = contributions;
        Version++;
    }

    /// <summary>What evaluators found of the checkpoint after a round, in order of uids.</summary>
    public IReadOnlyDictionary<int, IReadOnlyList<ReadEvaluation>> Evaluations { get; private set; } = new Dictionary<int, IReadOnlyList<ReadEvaluation>>();

    /// <summary>Takes note of what evaluators found. Under the gate.</summary>
    public void TakeNoteOf(IReadOnlyDictionary<int, IReadOnlyList<ReadEvaluation>> evaluations)
    {
        Evaluations = new Dictionary<int, IReadOnlyList<ReadEvaluation>>(evaluations);
        Version++;
    }

    /// <summary>Takes note of something that the dashboard itself has to say. Under the gate.</summary>
    public void Say(string what)
    {
        Add(new Note(Now, null, null, what));
        Version++;
    }

    private void Add(Note note)
    {
        Notes.Add(note);
        Notes.RemoveRange(0, Math.Max(0, Notes.Count - NotesKept));
    }

    /// <summary>The row of a round that has begun, made where it is new; null for one of which nothing is kept any more, or that cannot be.</summary>
    private RoundRow? Open(int number)
    {
        if ((_rounds.Count > 0 && number < _rounds[0].Number) || number < 0 || number > State.CurrentRound.Number + 1)
        {
            return null;
        }

        // The log may be ahead of what was read of the ledger, by a round.
        while (_rounds.Count == 0 || _rounds[^1].Number < number)
        {
            _rounds.Add(new RoundRow(_rounds.Count == 0 ? number : _rounds[^1].Number + 1));
        }

        if (_rounds.Count > RoundsKept)
        {
            _rounds.RemoveRange(0, RoundsKept / 8);
        }

        return Round(number);
    }
}

/// <summary>Something that people should know.</summary>
/// <param name="Time">When.</param>
/// <param name="Round">In which round, if it says.</param>
/// <param name="Who">Which node, if it says.</param>
/// <param name="What">In a sentence.</param>
internal sealed record Note(DateTimeOffset Time, int? Round, string? Who, string What);

/// <summary>What the model wrote after a round.</summary>
/// <param name="Round">The round; −1 before the first.</param>
/// <param name="Text">The text.</param>
internal sealed record SampledText(int Round, string Text);
