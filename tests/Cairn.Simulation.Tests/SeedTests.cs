using Cairn.Base;

namespace Cairn.Simulation.Tests;

/// <summary>Whole swarms from seeds: nothing that was promised breaks, and the same seed does the same.</summary>
public sealed class SeedTests
{
    private static readonly SimulationOptions Usual = new();

    // CI runs 200; set CAIRN_SEEDS to run more.
    private static int Count => int.TryParse(Environment.GetEnvironmentVariable("CAIRN_SEEDS"), out var count) ? count : 200;

    [Fact]
    public void Every_oracle_holds_in_every_seed_and_the_seeds_reach_every_rare_path()
    {
        var reached = new HashSet<Probe>();
        for (var seed = 1UL; seed <= (ulong)Count; seed++)
        {
            var result = Simulator.Run(Simulator.Draw(seed, Usual));
            Assert.True(result.Held, $"cairn simulate --seed {seed}: {result.Fault}");
            reached.UnionWith(result.Reached);
        }

        // One of them is too rare for 200 seeds: two bases without a majority need three accidents at once.
        Assert.Empty(Enum.GetValues<Probe>().Except(reached).Except(Count < 5000 ? [Probe.RoundWithoutQuorum] : []));
    }

    [Fact]
    public void Seeds_that_failed_once_hold()
    {
        foreach (var line in File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "seeds.txt")).Where(line => line.Length > 0 && line[0] != '#'))
        {
            var seed = ulong.Parse(line.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
            for (var delay = 0; delay <= 1; delay++)
            {
                var result = Simulator.Run(Simulator.Draw(seed, Usual with { ApplyDelay = delay }));
                Assert.True(result.Held, $"cairn simulate --seed {seed} --apply-delay {delay}: {result.Fault}");
            }
        }
    }

    [Fact]
    public void The_seeds_draw_both_apply_delays_and_nothing_else_shifts()
    {
        var drawn = Enumerable.Range(1, 40).Select(seed => Simulator.Draw((ulong)seed, Usual)).ToList();
        Assert.InRange(drawn.Count(scenario => scenario.ApplyDelay == 1), 10, 30);
        Assert.All(drawn, scenario => Assert.Equal(
            ScenarioFile.Write(scenario with { ApplyDelay = 0 }), ScenarioFile.Write(Simulator.Draw(scenario.Seed, Usual with { ApplyDelay = 0 }))));
    }

    [Theory]
    [InlineData(3UL)]
    [InlineData(52UL)]
    public void The_same_seed_gives_the_same_log_line_by_line_and_another_gives_another(ulong seed)
    {
        var (first, second, other) = (new List<string>(), new List<string>(), new List<string>());
        var (one, two) = (Simulator.Run(Simulator.Draw(seed, Usual), first.Add), Simulator.Run(Simulator.Draw(seed, Usual), second.Add));
        Assert.NotEmpty(first);
        Assert.Equal(first, second);
        Assert.Equal(one.Fingerprint, two.Fingerprint);
        Simulator.Run(Simulator.Draw(seed + 1, Usual), other.Add);
        Assert.NotEqual(first, other);

        // Who looks does not change what happens.
        Assert.Equal(one.Fingerprint, Simulator.Run(Simulator.Draw(seed, Usual)).Fingerprint);
    }

    [Fact]
    public void With_real_keys_and_verified_signatures_everything_holds_too()
    {
        for (var seed = 1UL; seed <= 20; seed++)
        {
            var result = Simulator.Run(Simulator.Draw(seed, Usual with { Peers = 4, Rounds = 4, RealKeys = true }));
            Assert.True(result.Held, $"cairn simulate --seed {seed} --peers 4 --rounds 4 --real-keys: {result.Fault}");
        }
    }

    [Fact]
    public void A_crowd_of_sixty_four_with_sixteen_validators_holds()
    {
        var result = Simulator.Run(Simulator.Draw(1, Usual with { Peers = 64, Validators = 16, Rounds = 4 }));
        Assert.True(result.Held, result.Fault);
    }

    [Theory]
    [InlineData("{}", "peers must be 1 to 4096")]
    [InlineData("nonsense", "is no scenario")]
    [InlineData("{\"rounds\": 0, \"peers\": []}", "rounds must be")]
    [InlineData("{\"planted\": 1}", "is no scenario")]
    public void What_is_no_scenario_is_refused_in_one_sentence(string json, string word)
    {
        var refusal = Assert.Throws<InputException>(() => ScenarioFile.Read(json, "s.json"));
        Assert.Contains(word, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("s.json", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_scenario_read_back_from_its_file_is_the_same_run()
    {
        var scenario = Simulator.Draw(5, Usual);
        var read = ScenarioFile.Read(ScenarioFile.Write(scenario), "s.json");
        Assert.Equal(Simulator.Run(scenario).Fingerprint, Simulator.Run(read).Fingerprint);
    }
}
