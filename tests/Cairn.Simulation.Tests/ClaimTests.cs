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

    [Fact]
    public void Every_kind_of_cheat_that_was_promised_is_there() => Assert.Equal(
        [
            "censor", "colluder", "copycat-blended", "copycat-early", "copycat-late", "duplicated-data", "equivocator", "farmer", "free-rider", "friend-liar", "lazy", "nan",
            "noise", "norm-bomb", "oversize", "share-copier", "sign-flip", "stale-base", "sybil", "withholder", "wrong-data",
        ],
        Conducts.Names);
}
