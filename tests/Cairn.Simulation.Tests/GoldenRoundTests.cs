namespace Cairn.Simulation.Tests;

/// <summary>One round as text, as each role lives through it: events at the margin, what the machine asks for below them. To be read before the machines.</summary>
public sealed class GoldenRoundTests
{
    [Theory]
    [InlineData("peer-round", 0, 1, 0)]
    [InlineData("validator-round", 2, 1, 0)]
    [InlineData("peer-rounds-delayed", 0, 2, 1)]
    public void A_round_goes_as_written(string file, int uid, int rounds, int applyDelay)
    {
        var scenario = new Scenario { Rounds = rounds, SettleEvery = 1, ApplyDelay = applyDelay, Peers = [MemberPlan.Honest, MemberPlan.Honest] };
        using var world = new World(scenario, trace: true, traced: uid).Run();
        var lived = string.Join('\n', Told([.. world.Trace.Where(line => !line.StartsWith("  the ledger:", StringComparison.Ordinal))])) + "\n";
        var written = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", $"{file}.txt"));
        Assert.True(written == lived, $"{file} goes otherwise now:\n{lived}");
    }

    // News that the machine had nothing to say to, and the ledger's answers, are left out.
    private static IEnumerable<string> Told(string[] lines)
    {
        for (var i = 0; i < lines.Length; i++)
        {
            var silent = lines[i].StartsWith("ledger:", StringComparison.Ordinal) && (i + 1 == lines.Length || lines[i + 1][0] != ' ');
            if (!silent)
            {
                yield return lines[i];
            }
        }
    }
}
