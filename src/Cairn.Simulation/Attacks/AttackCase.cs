using System.Globalization;

namespace Cairn.Simulation;

/// <summary>What all runs of an attack table have in common.</summary>
/// <param name="Model">Names the model and its data: two tables of one name are of the same numbers.</param>
/// <param name="Peers">Peers in all, the cheats counted.</param>
/// <param name="Validators">Honest validators.</param>
/// <param name="Rounds">Rounds of a run.</param>
/// <param name="InnerSteps">Inner steps of a peer in a round.</param>
/// <param name="Batch">Sequences per inner step.</param>
/// <param name="SampleCount">Samples of the data.</param>
/// <param name="ProbedPeers">Peers whose updates are probed in a round.</param>
/// <param name="ProbeSequences">Sequences of a probe, half assigned, half held back.</param>
public sealed record AttackSetting(
    string Model, int Peers, int Validators, int Rounds, int InnerSteps, int Batch, long SampleCount, int ProbedPeers, int ProbeSequences)
{
    /// <summary>Raised whenever a run computes something else than before: rows of an older version are computed anew.</summary>
    public const int Version = 3;

    /// <summary>Samples of one peer in one round.</summary>
    public int SamplesPerPeer => InnerSteps * Batch;

    /// <summary>How many of the peers cheat when a part of them does: rounded to the nearest, at least one.</summary>
    /// <param name="part">Above 0, below a half.</param>
    public int CheatsOf(double part) => Math.Max(1, (int)Math.Round(Peers * part, MidpointRounding.AwayFromZero));
}

/// <summary>One run of an attack table.</summary>
/// <param name="Adversary">Which conduct the cheats have; null for a clean run of the honest peers alone.</param>
/// <param name="Cheats">How many cheat: the last ones of the peers. In a clean run so many peers are missing.</param>
/// <param name="Gauntlet">False where validators only look whether an update can be read.</param>
/// <param name="Seed">Of the model, the data's order and the cheats.</param>
public sealed record AttackCase(string? Adversary, int Cheats, bool Gauntlet, ulong Seed)
{
    /// <summary>For people.</summary>
    public string Label => $"{Adversary ?? "clean"} {Cheats} {(Gauntlet ? "judged" : "unjudged")} seed {Seed}";

    /// <summary>Everything that its numbers follow from.</summary>
    /// <param name="setting">What all runs share.</param>
    public string KeyOf(AttackSetting setting) => string.Create(
        CultureInfo.InvariantCulture, $"v{AttackSetting.Version}|{setting}|{Adversary ?? "clean"}|{Cheats}|{(Gauntlet ? "on" : "off")}|seed {Seed}");

    /// <summary>The run as the simulator takes it.</summary>
    /// <param name="setting">What all runs share.</param>
    public Scenario ScenarioOf(AttackSetting setting)
    {
        var honest = setting.Peers - Cheats;
        var plans = new List<MemberPlan>();
        for (var i = 0; i < (Adversary is null ? honest : setting.Peers); i++)
        {
            plans.Add(i < honest ? MemberPlan.Honest : new MemberPlan
            {
                Conduct = Adversary!,
                Other = Conducts.NeedsFriend(Adversary!) ? 0 : -1,
                Newcomer = Adversary == "sybil",
                TurnsAt = setting.Rounds / 2,
                // Who waits for a friend's update is later than the friend.
                Slowness = Conducts.NeedsFriend(Adversary!) ? 2 : 1,
            });
        }

        if (Adversary is not null && Conducts.NeedsFriend(Adversary))
        {
            plans[0] = plans[0] with { Conduct = Conducts.Leader };
        }

        return new Scenario
        {
            Seed = Seed,
            DelaySeed = Seed,
            Rounds = setting.Rounds,
            SettleEvery = Math.Max(1, setting.Rounds / 5),
            PeersMax = setting.Peers,
            SampleCount = setting.SampleCount,
            SamplesPerPeer = setting.SamplesPerPeer,
            ProbedPeers = setting.ProbedPeers,
            ProbeSequences = setting.ProbeSequences,
            Peers = plans,
            Validators = [.. Enumerable.Repeat(MemberPlan.Honest, setting.Validators)],
            PrivateReplays = 0,
            Gauntlet = Gauntlet,
        };
    }
}

/// <summary>What came of one run.</summary>
/// <param name="Key">See <see cref="AttackCase.KeyOf"/>.</param>
/// <param name="Case">Which run.</param>
/// <param name="Loss">Held-out loss at the end, nats per token.</param>
/// <param name="PayOfCheat">What one cheat earned in the mean, as a part of what one honest peer did; 0 in a clean run.</param>
/// <param name="PayCaptured">What all cheats earned, as a part of all that was paid to peers.</param>
/// <param name="PayAfterTurn">As <paramref name="PayOfCheat"/>, but only settlements that began when a farmer had turned.</param>
/// <param name="RoundsAdmitted">In how many rounds the update of a cheat was in the manifest, in the mean over them.</param>
/// <param name="RoundsUntilOut">The round after which no update of a cheat was in any manifest; −1 if one is in the last.</param>
/// <param name="HonestRefused">Updates of honest peers that were not in a manifest.</param>
/// <param name="Trigger">How often a back door opens; null where none was laid.</param>
/// <param name="Base">Digest of the model at the end.</param>
public sealed record AttackResult(
    string Key, AttackCase Case, double Loss, double PayOfCheat, double PayCaptured, double PayAfterTurn, double RoundsAdmitted, int RoundsUntilOut,
    int HonestRefused, double? Trigger, string Base);
