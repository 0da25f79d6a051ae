using Cairn.Protocol.Tests.Simulation;

namespace Cairn.Protocol.Tests;

public sealed class SimulationTests
{
    private const int SeedsByDefault = 500;

    [Fact]
    public void Every_seeded_run_ends_with_the_right_base_whatever_goes_wrong()
    {
        var wanted = int.TryParse(Environment.GetEnvironmentVariable("CAIRN_SEEDS"), out var many) ? many : SeedsByDefault;
        var first = ulong.TryParse(Environment.GetEnvironmentVariable("CAIRN_FIRST_SEED"), out var from) ? from : 0;
        var failed = new List<ulong>();
        var faults = new List<string>();
        var reached = new SortedDictionary<Probe, int>();
        foreach (var seed in Enumerable.Range(0, wanted).Select(i => first + (ulong)i).Concat(OldFailures()))
        {
            var world = new World(ScenarioDraw.From(seed));
            try
            {
                world.Run();
            }
            catch (Exception e)
            {
                failed.Add(seed);
                faults.Add($"{seed}: {e.Message.Split('\n')[0]}");
            }

            foreach (var probe in world.Reached)
            {
                reached[probe] = reached.GetValueOrDefault(probe) + 1;
            }
        }

        Assert.True(failed.Count == 0, $"seeds that fail, to be added to seeds.txt: {string.Join(' ', failed)}\n{string.Join('\n', faults.Take(20))}\n{Explain(failed)}");
        TestContext.Current.TestOutputHelper!.WriteLine(string.Join(", ", reached.Select(pair => $"{pair.Key} {pair.Value}")));
        var missed = Enum.GetValues<Probe>().Where(probe => !reached.ContainsKey(probe)).ToList();
        Assert.True(missed.Count == 0, $"never reached: {string.Join(", ", missed)}");
    }

    // The run is repeated, this time with every event written down.
    private static string Explain(List<ulong> failed)
    {
        if (failed.Count == 0)
        {
            return "";
        }

        var world = new World(ScenarioDraw.From(failed[0]), trace: true);
        try
        {
            world.Run();
            return "the first one passed when it was repeated: something in it does not follow from the seed";
        }
        catch (Exception e)
        {
            return $"seed {failed[0]}: {world.Scenario}\n{string.Join('\n', world.Trace.Split('\n').TakeLast(80))}\n{e}";
        }
    }

    private static IEnumerable<ulong> OldFailures() =>
        File.ReadLines(Path.Combine(AppContext.BaseDirectory, "seeds.txt")).Where(line => line.Length > 0 && line[0] != '#').Select(ulong.Parse);
}
