namespace Cairn.Protocol.Tests.Simulation;

/// <summary>How a replica computes wrong bases.</summary>
internal enum Wrong
{
    Never,

    /// <summary>One apply is wrong; computed again it is right.</summary>
    Once,

    /// <summary>Wrong from some round on, and the same when computed again.</summary>
    Always,

    /// <summary>Wrong from some round on, each time otherwise.</summary>
    Differently,
}

/// <summary>What is special about one node.</summary>
internal sealed record Trait
{
    public static readonly Trait Honest = new();

    /// <summary>Its work takes this many times as long.</summary>
    public int Slowness { get; init; } = 1;

    /// <summary>It commits and never opens.</summary>
    public bool NeverOpens { get; init; }

    /// <summary>In so many of a thousand rounds its training diverges.</summary>
    public int DivergesPerMille { get; init; }

    /// <summary>In so many of a thousand rounds every validator refuses its update.</summary>
    public int CheatsPerMille { get; init; }

    /// <summary>A validator: so many of a thousand updates it refuses though they are good.</summary>
    public int OddPerMille { get; init; }

    /// <summary>After each statement somebody with its key makes another one for the same slot.</summary>
    public bool Equivocates { get; init; }

    public Wrong Wrong { get; init; }

    /// <summary>From which round on it is wrong.</summary>
    public int WrongRound { get; init; }

    /// <summary>When it disappears; −1 for never.</summary>
    public long GoneFrom { get; init; } = -1;

    /// <summary>When it is back; <see cref="long.MaxValue"/> for never.</summary>
    public long GoneTo { get; init; }

    /// <summary>A peer without bond.</summary>
    public bool Newcomer { get; init; }

    public bool GoneForGood => GoneFrom >= 0 && GoneTo == long.MaxValue;
}

/// <summary>A whole run and all that goes wrong in it.</summary>
internal sealed record Scenario
{
    public ulong Seed { get; init; } = 1;

    /// <summary>Stream of the delays, apart from the run's seed: other delays, same run.</summary>
    public ulong DelaySeed { get; init; } = 1;

    public int Rounds { get; init; } = 4;

    public int SettleEvery { get; init; } = 2;

    public int PeersMax { get; init; } = 8;

    public int SampleCount { get; init; } = 400;

    public int SamplesPerPeer { get; init; } = 4;

    public int AbsentRoundsMax { get; init; } = 3;

    /// <summary>The stage deadline, in virtual milliseconds.</summary>
    public long StageMax { get; init; } = 20_000;

    /// <summary>When all faults stop.</summary>
    public long HealAt { get; init; }

    /// <summary>Of a thousand effect boundaries, before the healing.</summary>
    public int KillPerMille { get; init; }

    /// <summary>Of a thousand news, before the healing: seen only at the next look.</summary>
    public int LostPerMille { get; init; }

    /// <summary>Of a thousand news: told again.</summary>
    public int TwicePerMille { get; init; }

    /// <summary>Of a thousand restarts: the newest durable state is lost, the one before it counts.</summary>
    public int FallBackPerMille { get; init; }

    /// <summary>Peers first, then validators; index = uid.</summary>
    public IReadOnlyList<Trait> Peers { get; init; } = [Trait.Honest, Trait.Honest, Trait.Honest];

    public IReadOnlyList<Trait> Validators { get; init; } = [Trait.Honest];

    /// <summary>Kills this node at exactly its n-th effect boundary; −1 for nobody.</summary>
    public (int Uid, int Boundary) KillAt { get; init; } = (-1, 0);

    /// <summary>All that the bases depend on comes from one epoch.</summary>
    public bool OneEpoch => SampleCount >= Rounds * Math.Min(PeersMax, Peers.Count) * SamplesPerPeer;
}
