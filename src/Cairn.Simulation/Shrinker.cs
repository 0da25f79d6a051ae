namespace Cairn.Simulation;

/// <summary>Makes a failing scenario smaller: fewer rounds, fewer faults, fewer members, adversaries turned honest, one change at a time, kept as long as the same
/// oracle fails.</summary>
internal sealed class Shrinker(Mutation mutation, int runsMax)
{
    private int _runs;

    public SeedResult Shrink(SeedResult failed, Func<bool>? isStopped = null)
    {
        var smallest = failed;
        var progress = true;
        while (progress && _runs < runsMax)
        {
            progress = false;
            foreach (var candidate in Smaller(smallest.Scenario))
            {
                if (candidate.Faulty().Count > 0 || _runs >= runsMax)
                {
                    continue;
                }

                _runs++;
                var result = Simulator.Run(candidate, mutation, isStopped: isStopped);
                if (!result.Held && result.Oracle == failed.Oracle)
                {
                    (smallest, progress) = (result, true);
                    break;
                }
            }
        }

        return smallest;
    }

    private static IEnumerable<Scenario> Smaller(Scenario scenario)
    {
        if (scenario.Rounds > 1)
        {
            yield return scenario with { Rounds = (scenario.Rounds + 1) / 2 };
            yield return scenario with { Rounds = scenario.Rounds - 1 };
        }

        if (scenario.Rules.Count > 0)
        {
            yield return scenario with { Rules = [.. scenario.Rules.SkipLast(1)] };
        }

        if (scenario.ApplyDelay > 0)
        {
            yield return scenario with { ApplyDelay = 0 };
        }

        if (scenario.AnnealSamples > 0)
        {
            yield return scenario with { SampleCount = scenario.MainSamples, AnnealSamples = 0, AnnealFrom = 0 };
        }

        foreach (var faults in WithoutOne(scenario.Faults))
        {
            yield return scenario with { Faults = faults };
        }

        for (var i = scenario.Peers.Count - 1; i >= 0 && scenario.Peers.Count > 1; i--)
        {
            yield return WithoutPeer(scenario, i);
        }

        for (var i = scenario.Validators.Count - 1; i >= 0 && scenario.Validators.Count > 1; i--)
        {
            yield return scenario with { Validators = [.. scenario.Validators.Where((_, at) => at != i)] };
        }

        for (var i = 0; i < scenario.Peers.Count; i++)
        {
            foreach (var plan in Plainer(scenario.Peers[i]))
            {
                yield return scenario with { Peers = [.. scenario.Peers.Select((old, at) => at == i ? plan : old)] };
            }
        }

        for (var i = 0; i < scenario.Validators.Count; i++)
        {
            foreach (var plan in Plainer(scenario.Validators[i]))
            {
                yield return scenario with { Validators = [.. scenario.Validators.Select((old, at) => at == i ? plan : old)] };
            }
        }

        if (scenario.HealAt > 2_000)
        {
            yield return scenario with { HealAt = scenario.HealAt / 2 };
        }
    }

    private static IEnumerable<FaultPlan> WithoutOne(FaultPlan faults)
    {
        FaultPlan[] plainer =
        [
            faults with { KillPerMille = 0, FallBackPerMille = 0 }, faults with { FallBackPerMille = 0 }, faults with { LatePerMille = 0 },
            faults with { TwicePerMille = 0 }, faults with { RepeatPerMille = 0 }, faults with { LostPerMille = 0 }, faults with { SlowObjectPerMille = 0 },
            faults with { CorruptPerMille = 0 }, faults with { TruncatedPerMille = 0 }, faults with { StallPerMille = 0 }, faults with { ReorgPerMille = 0 },
        ];
        return plainer.Where(one => one != faults);
    }

    private static IEnumerable<MemberPlan> Plainer(MemberPlan plan)
    {
        MemberPlan[] plainer =
        [
            MemberPlan.Honest, plan with { Conduct = Conducts.Honest }, plan with { GoneFrom = -1, GoneTo = 0 }, plan with { CutFrom = -1, CutTo = 0 },
            plan with { Slowness = 1 }, plan with { ClockPerMille = 1000 }, plan with { DivergesPerMille = 0 }, plan with { OddPerMille = 0 },
            plan with { Wrong = Wrong.Never, WrongRound = 0 }, plan with { Newcomer = false }, plan with { JoinsAt = -1 },
        ];
        return plainer.Where(one => one != plan);
    }

    // Places of friends move with the list; who has lost its friend has nobody to copy or to favour.
    private static Scenario WithoutPeer(Scenario scenario, int gone)
    {
        MemberPlan Moved(MemberPlan plan) => plan.Other == gone
            ? plan with { Other = -1, Conduct = Conducts.Honest }
            : plan with { Other = plan.Other < gone ? plan.Other : plan.Other - 1 };
        return scenario with
        {
            Peers = [.. scenario.Peers.Where((_, at) => at != gone).Select(Moved)],
            Validators = [.. scenario.Validators.Select(Moved)],
            PeersMax = Math.Max(1, Math.Min(scenario.PeersMax, scenario.Peers.Count - 1)),
        };
    }
}
