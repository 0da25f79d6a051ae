namespace Cairn.Simulation.Tests;

/// <summary>The oracles are no decoration: a bug planted in each rule of the round is found.</summary>
public sealed class MutationTests
{
    private const ulong SeedsMax = 200;

    public static TheoryData<string> Planted => [.. Enum.GetValues<Mutation>().Where(mutation => mutation != Mutation.None).Select(mutation => mutation.ToString())];

    [Theory]
    [MemberData(nameof(Planted))]
    public void A_planted_bug_is_found_within_200_seeds(string name) => Assert.NotNull(FirstFailure(Enum.Parse<Mutation>(name)));

    [Fact]
    public void With_an_apply_delay_an_update_from_any_other_base_than_the_one_before_the_last_is_refused()
    {
        var delayed = new Scenario { ApplyDelay = 1 };
        Assert.True(Simulator.Run(delayed).Held);
        Assert.Contains("WrongBase", Simulator.Run(delayed, Mutation.TrainsBeforeApplying).Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void There_is_a_planted_bug_for_each_of_the_ten_rules() => Assert.Equal(10, Planted.Count);

    [Fact]
    public void A_failure_is_made_smaller_and_still_fails_for_the_same_reason()
    {
        var failed = FirstFailure(Mutation.AppliesFewer)!;
        var smallest = new Shrinker(Mutation.AppliesFewer, 400).Shrink(failed);
        Assert.False(smallest.Held);
        Assert.Equal(failed.Oracle, smallest.Oracle);
        Assert.True(SizeOf(smallest.Scenario) < SizeOf(failed.Scenario));

        // What was printed repeats it.
        var again = Simulator.Run(ScenarioFile.Read(ScenarioFile.Write(smallest.Scenario), "s.json"), Mutation.AppliesFewer);
        Assert.Equal(smallest.Fault, again.Fault);
        Assert.True(Simulator.Run(smallest.Scenario).Held);
    }

    [Fact]
    public void A_run_and_its_shrinking_can_be_stopped()
    {
        var (asked, failed) = (0, new SeedResult(1, new Scenario { ApplyDelay = 1 }, "fault", "oracle", 0, new HashSet<Probe>(), 0, 0));
        Assert.Throws<OperationCanceledException>(() => Simulator.Run(new Scenario(), isStopped: () => ++asked == 20));
        Assert.Equal(20, asked);
        Assert.Throws<OperationCanceledException>(() => Simulator.Shrink(failed, isStopped: () => true));
    }

    private static int SizeOf(Scenario scenario) => scenario.Rounds * (scenario.Peers.Count + scenario.Validators.Count);

    private static SeedResult? FirstFailure(Mutation mutation)
    {
        for (var seed = 1UL; seed <= SeedsMax; seed++)
        {
            var result = Simulator.Run(Simulator.Draw(seed, new SimulationOptions()), mutation);
            if (!result.Held)
            {
                return result;
            }
        }

        return null;
    }
}
