using Cairn.Base;

namespace Cairn.Simulation.Tests;

/// <summary>What each adversary cannot get, with a third of the peers of its kind and no other trouble, over some seeds.</summary>
public sealed class ClaimTests
{
    private const ulong Seeds = 12;

    public static TheoryData<string> Adversaries => [.. Conducts.Names];

    [Theory]
    [MemberData(nameof(Adversaries))]
    public void The_claim_of_an_adversary_holds(string name)
    {
        for (var seed = 1UL; seed <= Seeds; seed++)
        {
            var result = Simulator.Run(Simulator.Draw(seed, new SimulationOptions { Adversaries = [name], Faults = [] }));
            Assert.True(result.Held, $"cairn simulate --seed {seed} --adversaries {name} --faults none: {result.Fault} ({Conducts.ClaimOf(name)})");
        }
    }

    // A single run leaves room for luck; the mean of many does not. Faults strike as usual.
    [Theory]
    [InlineData("colluder", 0.05)]
    [InlineData("copycat-blended", 0.05)]
    [InlineData("copycat-late", 0.05)]
    [InlineData("duplicated-data", 0.175)]
    [InlineData("farmer", 0.05)]
    [InlineData("free-rider", 0.05)]
    [InlineData("lazy", 0.55)]
    [InlineData("noise", 0.05)]
    [InlineData("norm-bomb", 0.05)]
    [InlineData("sign-flip", 0.05)]
    [InlineData("sybil", 0.05)]
    [InlineData("wrong-data", 0.05)]
    public void In_the_mean_a_cheat_earns_no_more_than_its_part_of_the_work_and_five_points(string name, double most)
    {
        var (paid, typical) = (0.0, 0.0);
        for (var seed = 1UL; seed <= 20; seed++)
        {
            using var world = new World(Simulator.Draw(seed, new SimulationOptions { Adversaries = [name] })).Run();
            var ending = new Ending(world);
            foreach (var cheat in ending.AllOf(name))
            {
                var pay = ending.PayOf([cheat], name == "farmer" ? new Round(cheat.Plan.TurnsAt) : default);
                (paid, typical) = (paid + pay.Paid, typical + pay.Typical);
            }
        }

        Assert.True(typical > 0, "nobody was paid");
        Assert.True(paid <= most * typical, $"{name} earned {paid / typical:0.000} of an honest peer's pay");
        TestContext.Current.TestOutputHelper!.WriteLine($"{name}: {paid / typical:0.0000}");
    }

    // Against the best paid honest peer an ordinary one has about 0.83; who does less is rated a little lower, since its updates help less, and is no cheat for it.
    [Theory]
    [InlineData(16)]
    [InlineData(32)]
    [InlineData(64)]
    public void A_peer_that_declares_fewer_samples_is_paid_for_those_and_for_no_others(int samples)
    {
        var (paid, due) = (0.0, 0.0);
        for (var seed = 1UL; seed <= 20; seed++)
        {
            var scenario = Simulator.Draw(seed, new SimulationOptions { Adversaries = [], Faults = [] });
            var slow = MemberPlan.Honest with { Samples = samples };
            using var world = new World(scenario with { Peers = [slow, .. scenario.Peers.Skip(1)] }).Run();
            var pay = new Ending(world).PayForSamples(world.Nodes[0]);
            (paid, due) = (paid + pay.Paid, due + pay.Due);
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"{samples}: {paid / due:0.0000}");
        Assert.InRange(paid / due, 0.7, 0.9);
    }

    [Fact]
    public void Every_kind_of_cheat_that_was_promised_is_there() => Assert.Equal(
        [
            "censor", "colluder", "copycat-blended", "copycat-early", "copycat-late", "duplicated-data", "equivocator", "farmer", "free-rider", "friend-liar", "lazy", "nan",
            "noise", "norm-bomb", "oversize", "share-copier", "sign-flip", "stale-base", "sybil", "withholder", "wrong-data",
        ],
        Conducts.Names);
}
