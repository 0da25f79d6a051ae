using Cairn.Base;

namespace Cairn.Protocol.Tests.Simulation;

/// <summary>Draws a run and its faults from a seed. What is drawn stays within what the protocol promises to live through: a majority of validator
/// bond comes back and is right, and some peer stays.</summary>
internal static class ScenarioDraw
{
    public static Scenario From(ulong seed)
    {
        var random = new SeededRandom(seed, "scenario");
        var rounds = 3 + random.NextBelow(5);
        var quiet = Chance(ref random, 100);
        var healAt = quiet ? 0 : 20_000L + random.NextBelow(200_000);
        var peers = new Trait[2 + random.NextBelow(4)];
        for (var i = 0; i < peers.Length; i++)
        {
            peers[i] = quiet ? Trait.Honest : Peer(ref random, i, rounds, healAt);
        }

        if (!quiet && Chance(ref random, 60))
        {
            // All peers away at once: nobody is left in the roster, and the run waits.
            peers = [.. peers.Select(peer => peer.GoneForGood ? peer : peer with { GoneFrom = healAt / 8, GoneTo = healAt })];
        }

        var validators = new Trait[Chance(ref random, 500) ? 3 : 1];
        Array.Fill(validators, Trait.Honest);
        if (!quiet && validators.Length == 3)
        {
            Validators(ref random, validators, rounds, healAt);
        }

        return new Scenario
        {
            Seed = seed,
            DelaySeed = seed,
            Rounds = rounds,
            SettleEvery = 1 + random.NextBelow(4),
            PeersMax = Chance(ref random, 250) ? Math.Max(1, peers.Length - 1) : 8,
            SamplesPerPeer = 1 + random.NextBelow(4),
            SampleCount = Chance(ref random, 300) ? 32 + random.NextBelow(20) : 400,
            AbsentRoundsMax = 1 + random.NextBelow(3),
            StageMax = 8_000 + random.NextBelow(30_000),
            HealAt = healAt,
            KillPerMille = quiet ? 0 : random.NextBelow(40),
            LostPerMille = quiet ? 0 : random.NextBelow(400),
            TwicePerMille = random.NextBelow(300),
            FallBackPerMille = Chance(ref random, 300) ? 300 : 0,
            Peers = peers,
            Validators = validators,
        };
    }

    public static bool Chance(ref SeededRandom random, int perMille) => random.NextBelow(1000) < perMille;

    // Peer 0 is never gone for good and always sends: with nobody left a run rightly waits.
    private static Trait Peer(ref SeededRandom random, int index, int rounds, long healAt)
    {
        var trait = Absence(ref random, healAt, forGood: index > 0) with
        {
            Slowness = Chance(ref random, 150) ? 2 + random.NextBelow(12) : 1,
            DivergesPerMille = Chance(ref random, 150) ? 300 : 0,
            CheatsPerMille = Chance(ref random, 200) ? 400 : 0,
            Equivocates = Chance(ref random, 150),
            Newcomer = Chance(ref random, 150),
        };
        return index == 0 ? trait : trait with
        {
            NeverOpens = Chance(ref random, 70),
            Wrong = DrawWrong(ref random),
            WrongRound = random.NextBelow(rounds),
        };
    }

    // One of three may be in any trouble; another may be away for a while.
    private static void Validators(ref SeededRandom random, Trait[] validators, int rounds, long healAt)
    {
        var troubled = random.NextBelow(validators.Length);
        validators[troubled] = Absence(ref random, healAt, forGood: true) with { Slowness = 1 + random.NextBelow(6), OddPerMille = random.NextBelow(300) };
        if (!validators[troubled].GoneForGood)
        {
            var wrong = Chance(ref random, 500) ? DrawWrong(ref random) : Wrong.Once;
            validators[troubled] = validators[troubled] with { Wrong = wrong, WrongRound = random.NextBelow(rounds) };
        }

        var other = (troubled + 1) % validators.Length;
        validators[other] = Absence(ref random, healAt, forGood: false) with { Slowness = 1 + random.NextBelow(20), Equivocates = Chance(ref random, 200) };
    }

    private static Trait Absence(ref SeededRandom random, long healAt, bool forGood)
    {
        if (!Chance(ref random, 250))
        {
            return Trait.Honest;
        }

        var from = random.NextBelow((int)healAt);
        return new Trait { GoneFrom = from, GoneTo = forGood && Chance(ref random, 300) ? long.MaxValue : from + random.NextBelow((int)(healAt - from) + 1) };
    }

    private static Wrong DrawWrong(ref SeededRandom random) => random.NextBelow(12) switch
    {
        0 or 1 => Wrong.Once,
        2 => Wrong.Always,
        3 => Wrong.Differently,
        _ => Wrong.Never,
    };
}
