using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Node.Tests;

public sealed class NodeNeedsTests(SmallRun run)
{
    [Theory]
    [InlineData(Role.Peer)]
    [InlineData(Role.Validator)]
    public void What_a_node_takes_grows_with_the_tokens_of_an_inner_step(Role role)
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        var rules = RunRulesFile.Read(File.ReadAllBytes(half.Rules), half.Rules);
        var needs = NodeNeeds.Of(rules, role);
        var twice = NodeNeeds.Of(rules with { Training = rules.Training with { Batch = 2 * rules.Training.Batch } }, role);
        Assert.True(twice.MemoryBytes > needs.MemoryBytes);
        Assert.Equal(needs.DiskBytes, twice.DiskBytes);
    }

    [Fact]
    public void A_node_whose_activations_do_not_fit_is_refused_before_it_starts()
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        var rules = RunRulesFile.Read(File.ReadAllBytes(half.Rules), half.Rules);
        NodeNeeds.Of(rules, Role.Peer).Check(half.Root, 0);
        var vast = rules with { Training = rules.Training with { Batch = 65_536 }, Model = rules.Model with { Context = 1 << 20 } };
        var refusal = Assert.Throws<Base.InputException>(() => NodeNeeds.Of(vast, Role.Peer).Check(half.Root, 0));
        Assert.Contains("of memory", refusal.Message, StringComparison.Ordinal);
    }
}
