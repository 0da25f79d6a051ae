using Cairn.Model;

namespace Cairn.Node.Tests;

public sealed class UpdateMemoryTests
{
    [Fact]
    public async Task A_round_of_drawn_updates_goes_the_whole_way_and_every_part_of_it_is_measured()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "peak memory is counted by the kernel of Linux");
        using var folder = new TestFolder();
        var report = await UpdateMemory.RunAsync(
            new MemoryOptions(2_000_000, Peers: 3, folder["run"], Store: null, new StoreAccess()), _ => { }, TestContext.Current.CancellationToken);
        Assert.Equal(
            ["compress", "seal, put and commit", "fetch and check", "aggregate, step and put the mean", "put a checkpoint", "fetch the mean and step by it"],
            report.Stages.Select(stage => stage.Name));
        Assert.All(report.Stages, stage => Assert.InRange(stage.Ratio, 0.001, report.Ratio));
        Assert.InRange(report.UpdateBytes * 8.0 / (report.Parameters / 64), 8, 10);
        Assert.InRange(report.DeltaBytes, report.UpdateBytes, report.Parameters * sizeof(float));
    }

    [Theory]
    [InlineData(2_000_000)]
    [InlineData(500_000_000)]
    [InlineData(8_000_000_000)]
    public void A_model_of_a_size_has_about_that_size_and_the_proportions_of_the_family(long parameters)
    {
        var shape = LlamaOfSize.Of(parameters, 64);
        Assert.Empty(shape.Faults());
        Assert.InRange(shape.ParameterCount / (double)parameters, 0.95, 1.05);
        Assert.InRange((double)shape.FeedForward / shape.Dim, 2.6, 3);
    }
}
