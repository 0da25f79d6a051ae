using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Simulation;

/// <summary>How a replica computes wrong bases.</summary>
public enum Wrong
{
    /// <summary>Never.</summary>
    Never,

    /// <summary>One apply is wrong; computed again it is right.</summary>
    Once,

    /// <summary>Wrong from some round on, and the same when computed again.</summary>
    Always,

    /// <summary>Wrong from some round on, each time otherwise.</summary>
    Differently,
}

/// <summary>One member of a simulated swarm, and what is special about it.</summary>
public sealed record MemberPlan
{
    /// <summary>Honest and healthy.</summary>
    public static readonly MemberPlan Honest = new();

    /// <summary>How it behaves: "honest", or the name of an adversary (<see cref="Conducts.Names"/>).</summary>
    public string Conduct { get; init; } = Conducts.Honest;

    /// <summary>With whom it colludes, or whom it censors: a place in the list of peers; −1 for nobody.</summary>
    public int Other { get; init; } = -1;

    /// <summary>From which round on a farmer cheats.</summary>
    public int TurnsAt { get; init; }

    /// <summary>Its work takes this many times as long.</summary>
    public int Slowness { get; init; } = 1;

    /// <summary>Its timers run at this rate, in thousandths of the others'.</summary>
    public int ClockPerMille { get; init; } = 1000;

    /// <summary>In so many of a thousand rounds its training diverges.</summary>
    public int DivergesPerMille { get; init; }

    /// <summary>A validator: so many of a thousand updates it refuses though they are good.</summary>
    public int OddPerMille { get; init; }

    /// <summary>How its replica is wrong.</summary>
    public Wrong Wrong { get; init; }

    /// <summary>From which round on it is wrong.</summary>
    public int WrongRound { get; init; }

    /// <summary>When it disappears; −1 for never.</summary>
    public long GoneFrom { get; init; } = -1;

    /// <summary>When it is back; <see cref="long.MaxValue"/> for never.</summary>
    public long GoneTo { get; init; }

    /// <summary>When it loses sight of ledger and store, though it runs on; −1 for never.</summary>
    public long CutFrom { get; init; } = -1;

    /// <summary>When it sees them again.</summary>
    public long CutTo { get; init; }

    /// <summary>A peer: so many samples a round it declares to train on, as a slow one may; 0 for all.</summary>
    public int Samples { get; init; }

    /// <summary>From which round on it declares them.</summary>
    public int DeclaresAt { get; init; }

    /// <summary>From which round on it does all again; as many as the run has, or more, for never.</summary>
    public int AllAgainAt { get; init; } = int.MaxValue;

    /// <summary>Announces a place for its objects at its first look at the ledger, and another one when the run is half over.</summary>
    public bool Moves { get; init; }

    /// <summary>A peer without bond.</summary>
    public bool Newcomer { get; init; }

    /// <summary>When it registers; −1 for a member from the first block on.</summary>
    public long JoinsAt { get; init; } = -1;

    internal bool GoneForGood => GoneFrom >= 0 && GoneTo == long.MaxValue;

    internal bool IsHonest => Conduct == Conducts.Honest;

    /// <summary>What it wants to train on in a round; 0 for all.</summary>
    internal int SamplesIn(Round round) => round.Number >= DeclaresAt && round.Number < AllAgainAt ? Samples : 0;
}

/// <summary>A change of the rules that the validators of a run agree on.</summary>
public sealed record RulesPlan
{
    /// <summary>From which round on they vote for it.</summary>
    public int VotedAt { get; init; }

    /// <summary>The first round that it is to govern.</summary>
    public int From { get; init; }

    /// <summary>What it changes, each as name=value.</summary>
    public IReadOnlyList<string> Changes { get; init; } = [];

    /// <summary>The vote of a round.</summary>
    internal VoteRules VoteIn(Round round) => new(round, new Round(From), [.. Changes.Select(ChangeableRule.Read).OrderBy(change => change.Rule)]);
}

/// <summary>What the world does to everybody until it heals.</summary>
public sealed record FaultPlan
{
    /// <summary>Of a thousand effect boundaries: the node is killed there and starts again later.</summary>
    public int KillPerMille { get; init; }

    /// <summary>Of a thousand news of the ledger: seen only at the next look.</summary>
    public int LatePerMille { get; init; }

    /// <summary>Of a thousand news of the ledger: told twice. This one never heals, for it is harmless.</summary>
    public int TwicePerMille { get; init; }

    /// <summary>Of a thousand restarts: the newest durable state is lost, the one before it counts.</summary>
    public int FallBackPerMille { get; init; }

    /// <summary>Of a thousand objects: put, and never there.</summary>
    public int LostPerMille { get; init; }

    /// <summary>Of a thousand objects: there only after a while.</summary>
    public int SlowObjectPerMille { get; init; }

    /// <summary>Of a thousand reads: a byte differs.</summary>
    public int CorruptPerMille { get; init; }

    /// <summary>Of a thousand reads: the end is missing.</summary>
    public int TruncatedPerMille { get; init; }

    /// <summary>Of a thousand statements: sent twice.</summary>
    public int RepeatPerMille { get; init; }

    /// <summary>Of a thousand blocks: the ledger stands still for a while before it.</summary>
    public int StallPerMille { get; init; }

    /// <summary>Of a thousand blocks: before they are final their statements change order, and some go back to wait.</summary>
    public int ReorgPerMille { get; init; }
}

/// <summary>A whole run and all that goes wrong in it. Running it twice gives the same events.</summary>
public sealed record Scenario
{
    /// <summary>Seed of the run: data, assignment, adversaries.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Seed of delays and faults, apart: other delays, same run.</summary>
    public ulong DelaySeed { get; init; } = 1;

    /// <summary>Rounds of the run.</summary>
    public int Rounds { get; init; } = 4;

    /// <summary>Rounds between settlements.</summary>
    public int SettleEvery { get; init; } = 2;

    /// <summary>Rounds from the base that a round is trained from to the one before it: 0 or 1, the rule of the run.</summary>
    public int ApplyDelay { get; init; }

    /// <summary>The most peers in a round.</summary>
    public int PeersMax { get; init; } = 8;

    /// <summary>Samples of the data set.</summary>
    public long SampleCount { get; init; } = 4000;

    /// <summary>How many of them, the last ones, form the annealing part; 0 for none.</summary>
    public long AnnealSamples { get; init; }

    /// <summary>After how many steps rounds train on that part; 0 where there is none.</summary>
    public int AnnealFrom { get; init; }

    /// <summary>Samples of one peer in one round.</summary>
    public int SamplesPerPeer { get; init; } = 64;

    /// <summary>Rounds that a member may be absent before nobody waits for it.</summary>
    public int AbsentRoundsMax { get; init; } = 3;

    /// <summary>Peers that are probed in a round.</summary>
    public int ProbedPeers { get; init; } = 8;

    /// <summary>Samples of a probe, half assigned, half held back.</summary>
    public int ProbeSequences { get; init; } = 128;

    /// <summary>From how many thousandths of shared places on an update is a copy.</summary>
    public int OverlapPerMille { get; init; } = 400;

    /// <summary>Deadline of a stage in virtual milliseconds.</summary>
    public long StageMax { get; init; } = 20_000;

    /// <summary>Time from one block to the next, in virtual milliseconds.</summary>
    public long BlockTime { get; init; } = 200;

    /// <summary>When all faults stop.</summary>
    public long HealAt { get; init; }

    /// <summary>What goes wrong.</summary>
    public FaultPlan Faults { get; init; } = new();

    /// <summary>Changes of the rules, one after the other.</summary>
    public IReadOnlyList<RulesPlan> Rules { get; init; } = [];

    /// <summary>The peers.</summary>
    public IReadOnlyList<MemberPlan> Peers { get; init; } = [MemberPlan.Honest, MemberPlan.Honest, MemberPlan.Honest];

    /// <summary>The validators.</summary>
    public IReadOnlyList<MemberPlan> Validators { get; init; } = [MemberPlan.Honest];

    /// <summary>False where validators only look whether an update can be read: what would happen without judgement.</summary>
    public bool Gauntlet { get; init; } = true;

    /// <summary>Kills this member (peers first, then validators) at one effect boundary; −1 for nobody.</summary>
    public int KillMember { get; init; } = -1;

    /// <summary>At which of its boundaries.</summary>
    public int KillBoundary { get; init; }

    /// <summary>How many nodes replay the whole ledger by themselves and compare.</summary>
    public int PrivateReplays { get; init; } = 1;

    /// <summary>True for ECDSA keys and verified signatures; false for the seeded test signer.</summary>
    public bool RealKeys { get; init; }

    /// <summary>Everything of a run that is trained lies in one epoch.</summary>
    internal bool OneEpoch => IsEnough(MainSamples) && (AnnealSamples == 0 || IsEnough(AnnealSamples));

    internal long MainSamples => SampleCount - AnnealSamples;

    // A step is an eighth of what a peer does in a round, and a slow peer does two at least.
    internal int SamplesPerStep => Math.Max(1, SamplesPerPeer / 8);

    internal int SamplesMin => Math.Min(SamplesPerPeer, 2 * SamplesPerStep);

    internal int MemberCount => Peers.Count + Validators.Count;

    internal Role RoleOf(int member) => member < Peers.Count ? Role.Peer : Role.Validator;

    internal MemberPlan PlanOf(int member) => member < Peers.Count ? Peers[member] : Validators[member - Peers.Count];

    private bool IsEnough(long samples) => samples >= (long)Rounds * Math.Min(PeersMax, Peers.Count) * SamplesPerPeer;

    /// <summary>Everything that cannot be run, as sentences.</summary>
    public IReadOnlyList<string> Faulty()
    {
        var faults = new List<string>();
        void Need(bool holds, string fault)
        {
            if (!holds)
            {
                faults.Add(fault);
            }
        }

        Need(Peers is { Count: >= 1 and <= LedgerRules.PeersLimit }, $"peers must be 1 to {LedgerRules.PeersLimit}");
        Need(Validators is { Count: >= 1 and <= 256 }, "validators must be 1 to 256");
        Need(Rounds is >= 1 and <= 10_000, "rounds must be 1 to 10,000");
        Need(SettleEvery >= 1 && AbsentRoundsMax >= 1 && ProbedPeers >= 0 && ProbeSequences >= 2, "a number of the rules is too small");
        Need(ApplyDelay is 0 or 1, "applyDelay must be 0 or 1");
        Need(PeersMax >= 1 && PeersMax <= LedgerRules.PeersLimit, $"peersMax must be 1 to {LedgerRules.PeersLimit}");
        Need(SamplesPerPeer is >= 1 and <= 4096, "samplesPerPeer must be 1 to 4096");
        var needed = ((long)PeersMax * SamplesPerPeer) + ProbeSequences;
        Need(SampleCount >= needed && SampleCount <= 1 << 25, "sampleCount must hold a round and its probes, and be at most 33,554,432");
        Need(
            AnnealSamples == 0 ? AnnealFrom == 0 : AnnealFrom >= 1 && AnnealFrom < Rounds && AnnealSamples >= needed && AnnealSamples <= SampleCount - needed,
            "annealSamples must hold a round and its probes, and leave as much, and annealFrom be at least 1 and below rounds; or both be 0");
        Need(StageMax >= 1 && BlockTime >= 1 && HealAt >= 0, "times must be positive");
        Need(OverlapPerMille is >= 1 and <= 1000, "overlapPerMille must be 1 to 1000");
        Need(PrivateReplays >= 0, "privateReplays must not be negative");
        foreach (var plan in Rules ?? [])
        {
            Need(plan.VotedAt >= 0 && plan.VotedAt + LedgerState.RulesNoticeRounds <= plan.From && plan.From < Rounds, "a change of the rules is voted on too late");
            Need(AreChanges(plan.Changes), "a change of the rules names what no vote can change, or a value out of range");
        }

        foreach (var plan in (Peers ?? []).Concat(Validators ?? []))
        {
            Need(Conducts.IsKnown(plan.Conduct), $"no conduct is named '{plan.Conduct}'");
            Need(plan.Other < (Peers ?? []).Count, "other must be a place in the list of peers");
            Need(
                plan.Samples == 0 || (plan.Samples % SamplesPerStep == 0 && plan.Samples >= SamplesMin && plan.Samples <= SamplesPerPeer),
                $"samples must be 0, or a multiple of {SamplesPerStep} from {SamplesMin} to {SamplesPerPeer}");
            Need(plan.Slowness is >= 1 and <= 1000 && plan.ClockPerMille is >= 100 and <= 10_000, "slowness or clock is out of range");
        }

        foreach (var (plan, mine) in (Peers ?? []).Select(p => (p, true)).Concat((Validators ?? []).Select(v => (v, false))))
        {
            Need(Conducts.IsFor(plan.Conduct, mine ? Role.Peer : Role.Validator), $"'{plan.Conduct}' is not for a {(mine ? "peer" : "validator")}");
        }

        Need((Validators ?? []).Any(plan => plan.JoinsAt < 0), "a validator must be there from the first block on");
        return faults;
    }

    private static bool AreChanges(IReadOnlyList<string>? changes)
    {
        try
        {
            return ChangeableRule.AreWellFormed([.. (changes ?? []).Select(ChangeableRule.Read).OrderBy(change => change.Rule)]);
        }
        catch (InputException)
        {
            return false;
        }
    }
}
