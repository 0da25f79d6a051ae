using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>A validator with a voice in a round.</summary>
/// <param name="Uid">Who.</param>
/// <param name="Bond">When the round opened: a vote in progress is never reweighted.</param>
/// <param name="Awaited">False for one that has been absent too long: its bond counts in every total, but nobody waits for it.</param>
internal readonly record struct Voter(Uid Uid, long Bond, bool Awaited);

/// <summary>Everything said in the current round, by place in the roster or among the voters (both ascending by uid).</summary>
internal sealed class RoundBook
{
    private readonly bool[] _timedOut;
    private int _firstAwaited;

    public RoundBook(Round round, RosterEntry[] roster, int[] samples, Voter[] voters)
    {
        (Round, Roster, Samples, Voters) = (round, roster, samples, voters);
        SampleStarts = new int[roster.Length];
        var start = 0;
        foreach (var place in RoundPlan.InOrderOfIssue(roster.Length, round))
        {
            SampleStarts[place] = start;
            start += samples[place];
        }

        Commits = new Digest?[roster.Length];
        CommitOrders = new int[roster.Length];
        Openings = new Opening?[roster.Length];
        Beacons = new Digest?[voters.Length];
        Verdicts = new Verdict?[voters.Length];
        Shares = new PostShares?[voters.Length];
        PauseVotes = new bool?[voters.Length];
        _timedOut = new bool[voters.Length];
        foreach (var voter in voters)
        {
            BondTotal += voter.Bond;
        }
    }

    public Round Round { get; }

    public Stage Stage { get; private set; }

    public RosterEntry[] Roster { get; }

    /// <summary>How many samples each place was given.</summary>
    public int[] Samples { get; }

    /// <summary>Where in the round's samples those of each place begin.</summary>
    public int[] SampleStarts { get; }

    public Voter[] Voters { get; }

    public long BondTotal { get; }

    public Digest?[] Commits { get; }

    public int[] CommitOrders { get; }

    public int CommitCount { get; set; }

    public Opening?[] Openings { get; }

    public Digest?[] Beacons { get; }

    public Verdict?[] Verdicts { get; }

    public PostShares?[] Shares { get; }

    public SortedDictionary<int, Digest> Bases { get; } = [];

    /// <summary>Votes to cut a bond, by voter and accused.</summary>
    public SortedDictionary<(int Voter, int Accused), VoteSlash> SlashVotes { get; } = [];

    /// <summary>Votes to stop or to go on, by voter.</summary>
    public bool?[] PauseVotes { get; }

    public Digest Beacon { get; set; }

    public ReadOnlySpan<bool> TimedOut => _timedOut;

    /// <summary>Takes over the votes on bonds, and if wanted those on pausing, of voters that are in both books: of a book of the same round that waited.</summary>
    /// <param name="before">The book.</param>
    /// <param name="pauses">True to take over the votes on pausing.</param>
    public RoundBook WithVotesOf(RoundBook before, bool pauses)
    {
        for (var i = 0; i < Voters.Length; i++)
        {
            var old = Array.FindIndex(before.Voters, voter => voter.Uid == Voters[i].Uid);
            if (old < 0)
            {
                continue;
            }

            PauseVotes[i] = pauses ? before.PauseVotes[old] : null;
            foreach (var ((_, accused), vote) in before.SlashVotes.Where(pair => pair.Key.Voter == old))
            {
                SlashVotes.Add((i, accused), vote);
            }
        }

        return this;
    }

    /// <summary>Goes on to another stage; timeouts count for one stage only.</summary>
    public void Enter(Stage stage)
    {
        Stage = stage;
        _firstAwaited = 0;
        Array.Clear(_timedOut);
    }

    public void TimeOut(int voter) => _timedOut[voter] = true;

    /// <summary>Place in the roster, or −1.</summary>
    public int PlaceOf(Uid uid)
    {
        var (low, high) = (0, Roster.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (Roster[middle].Uid == uid)
            {
                return middle;
            }

            (low, high) = Roster[middle].Uid < uid ? (middle + 1, high) : (low, middle - 1);
        }

        return -1;
    }

    /// <summary>Place among the voters, or −1.</summary>
    public int VoterOf(Uid uid)
    {
        for (var i = 0; i < Voters.Length; i++)
        {
            if (Voters[i].Uid == uid)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>Bond of the voters for whom something holds.</summary>
    public long BondOf(Func<int, bool> holds)
    {
        var bond = 0L;
        for (var i = 0; i < Voters.Length; i++)
        {
            bond += holds(i) ? Voters[i].Bond : 0;
        }

        return bond;
    }

    /// <summary>Bond of the voters who say the same of a member.</summary>
    public long BondFor(VoteSlash said) => BondOf(i =>
        SlashVotes.TryGetValue((i, said.Uid.Value), out var vote) && vote.Reason == said.Reason && vote.Evidence == said.Evidence);

    /// <summary>More than half of all validator bond.</summary>
    public bool IsMajority(long bond) => 2 * bond > BondTotal;

    /// <summary>At least two thirds of all validator bond: what money needs.</summary>
    public bool MayMoveMoney(long bond) => 3 * bond >= 2 * BondTotal;

    /// <summary>True if everybody waited for has acted in this stage, or a majority timed it out.</summary>
    public bool StageIsOver() => IsMajority(BondOf(i => _timedOut[i])) || Stage switch
    {
        Stage.Commit => Roster.Length > 0 && CommitCount == Roster.Length,
        Stage.Reveal => EveryCommitIsOpen() && EveryBeaconIsRevealed(),
        Stage.Judge => EveryVoter(i => Verdicts[i] is not null),
        Stage.Apply => EveryPeer(i => Openings[i] is null || PostedBase(Roster[i].Uid)) && EveryVoter(i => PostedBase(Voters[i].Uid)),
        Stage.Settle => EveryVoter(i => Shares[i] is not null),
        _ => false,
    };

    /// <summary>True in <see cref="Stage.Reveal"/> once every commit is opened.</summary>
    public bool EveryCommitIsOpen() => EveryPeer(i => Commits[i] is null || Openings[i] is not null);

    /// <summary>True once every validator that is waited for has revealed its part of the beacon.</summary>
    public bool EveryBeaconIsRevealed() => EveryVoter(i => Beacons[i] is not null);

    /// <summary>True once half of the bond has revealed: from then on who opens might already know what the beacon draws.</summary>
    public bool BeaconIsTelling() => 2 * BondOf(i => Beacons[i] is not null) >= BondTotal;

    /// <summary>Whom the stage waits for, ascending by uid: empty just when it is over without timeouts, or has nobody to wait for.</summary>
    public IReadOnlyList<Uid> Awaited()
    {
        IEnumerable<Uid> Peers(Func<int, bool> acted) => Enumerable.Range(0, Roster.Length).Where(i => !acted(i)).Select(i => Roster[i].Uid);
        IEnumerable<Uid> Validators(Func<int, bool> acted) =>
            Enumerable.Range(0, Voters.Length).Where(i => Voters[i].Awaited && !acted(i)).Select(i => Voters[i].Uid);
        return
        [
            .. (Stage switch
            {
                Stage.Commit => Peers(i => Commits[i] is not null),
                // Validators reveal last.
                Stage.Reveal => EveryCommitIsOpen() ? Validators(i => Beacons[i] is not null) : Peers(i => Commits[i] is null || Openings[i] is not null),
                Stage.Judge => Validators(i => Verdicts[i] is not null),
                Stage.Apply => Peers(i => Openings[i] is null || PostedBase(Roster[i].Uid)).Concat(Validators(i => PostedBase(Voters[i].Uid))),
                Stage.Settle => Validators(i => Shares[i] is not null),
                _ => [],
            }).Order(),
        ];
    }

    /// <summary>The base that voters with a majority posted, or null.</summary>
    public Digest? QuorumBase()
    {
        for (var i = 0; i < Voters.Length; i++)
        {
            if (Bases.TryGetValue(Voters[i].Uid.Value, out var candidate)
                && IsMajority(BondOf(j => Bases.TryGetValue(Voters[j].Uid.Value, out var other) && other == candidate)))
            {
                return candidate;
            }
        }

        return null;
    }

    /// <summary>The checkpoint that voters with a majority named, or null.</summary>
    public Digest? QuorumCheckpoint()
    {
        foreach (var posted in Shares)
        {
            if (posted is { CheckpointDigest.IsZero: false } && IsMajority(BondOf(j => Shares[j]?.CheckpointDigest == posted.CheckpointDigest)))
            {
                return posted.CheckpointDigest;
            }
        }

        return null;
    }

    /// <summary>True if a peer left undone something that was waited for.</summary>
    public bool PeerWasAbsent(int place) => Openings[place] is null || !PostedBase(Roster[place].Uid);

    /// <summary>True if a voter left undone something that was waited for.</summary>
    public bool VoterWasAbsent(int voter, bool settled) =>
        Beacons[voter] is null || Verdicts[voter] is null || !PostedBase(Voters[voter].Uid) || (settled && Shares[voter] is null);

    private bool PostedBase(Uid uid) => Bases.ContainsKey(uid.Value);

    // Who has acted in a stage stays so until the next: those at the front need not be asked again after every statement.
    private bool EveryPeer(Func<int, bool> acted)
    {
        while (_firstAwaited < Roster.Length && acted(_firstAwaited))
        {
            _firstAwaited++;
        }

        return _firstAwaited == Roster.Length;
    }

    private bool EveryVoter(Func<int, bool> acted)
    {
        for (var i = 0; i < Voters.Length; i++)
        {
            if (Voters[i].Awaited && !acted(i))
            {
                return false;
            }
        }

        return true;
    }
}
