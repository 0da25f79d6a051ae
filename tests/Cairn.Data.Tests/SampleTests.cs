using Cairn.Base;

namespace Cairn.Data.Tests;

public sealed class SampleTests
{
    private static readonly Digest Beacon = Digest.Of("cairn/test", "beacon"u8);

    [Fact]
    public void Each_inner_step_takes_the_next_batch_in_the_order_of_issue()
    {
        var assignment = new BatchAssignment([9, 4, 7, 1, 0, 30], 2);
        Assert.Equal(3, assignment.InnerSteps);
        Assert.Equal([9L, 4], assignment.Batch(0).ToArray());
        Assert.Equal([0L, 30], assignment.Batch(2).ToArray());
        Assert.Throws<InvariantViolation>(() => _ = assignment.Batch(3));
        Assert.Throws<InvariantViolation>(() => new BatchAssignment([1, 2, 3], 2));
    }

    [Fact]
    public void A_receipt_tells_order_and_length()
    {
        var receipt = SampleReceipt.Of([1, 2, 3]);
        Assert.Equal(receipt, new BatchAssignment([1, 2, 3], 1).Receipt);
        Assert.NotEqual(receipt, SampleReceipt.Of([1, 3, 2]));
        Assert.NotEqual(receipt, SampleReceipt.Of([1, 2]));
        Assert.NotEqual(SampleReceipt.Of([]), SampleReceipt.Of([0]));
        Assert.Equal("0cbbf6d9", receipt.Short);
    }

    [Fact]
    public void Probes_of_a_peer_are_distinct_samples_of_its_own_and_differ_by_peer()
    {
        var issued = Enumerable.Range(100, 50).Select(i => (long)i).ToArray();
        var drawn = ProbeSamples.OfPeer(Beacon, new Uid(1), issued, 10);
        Assert.Equal(10, drawn.Distinct().Count());
        Assert.Subset(issued.ToHashSet(), drawn.ToHashSet());
        Assert.Equal(drawn, ProbeSamples.OfPeer(Beacon, new Uid(1), issued, 10));
        Assert.NotEqual(drawn, ProbeSamples.OfPeer(Beacon, new Uid(2), issued, 10));
        Assert.Equal(issued, ProbeSamples.OfPeer(Beacon, new Uid(1), issued, 99).Order());
    }

    [Theory]
    [InlineData(1000, 100, 20)]
    [InlineData(1000, 950, 20)]
    [InlineData(1000, 990, 20)]
    [InlineData(1000, 1000, 20)]
    [InlineData(10, 0, 10)]
    [InlineData(1L << 40, 5000, 64)]
    public void Probes_of_the_round_avoid_every_issued_sample(long samples, int issuedCount, int count)
    {
        var order = new SeededPermutation(samples, 3, "epoch", 0);
        var issued = Enumerable.Range(0, issuedCount).Select(i => order.At(i)).ToHashSet();
        var drawn = ProbeSamples.NotIssued(Beacon, 0, samples, issued, count);
        Assert.Equal(Math.Min(count, samples - issuedCount), drawn.Length);
        Assert.Equal(drawn.Length, drawn.Distinct().Count());
        Assert.All(drawn, sample => Assert.True(sample >= 0 && sample < samples && !issued.Contains(sample)));
        Assert.Equal(drawn, ProbeSamples.NotIssued(Beacon, 0, samples, issued.Reverse().ToHashSet(), count));
    }

    [Theory]
    [InlineData(300, 10, 20)]
    [InlineData(300, 280, 20)]
    [InlineData(300, 290, 20)]
    public void Probes_of_a_part_are_those_of_a_set_of_its_own_moved_to_where_it_begins(long samples, int issuedCount, int count)
    {
        var issued = Enumerable.Range(0, issuedCount).Select(i => (long)i).ToHashSet();
        var moved = issued.Select(sample => 700 + sample).Concat([3, 699, 700 + samples, -1]).ToHashSet();
        var alone = ProbeSamples.NotIssued(Beacon, 0, samples, issued, count);
        Assert.Equal(alone.Select(sample => 700 + sample), ProbeSamples.NotIssued(Beacon, 700, samples, moved, count));
    }

    [Fact]
    public void Every_free_sample_is_drawn_about_as_often_as_another()
    {
        var issued = new HashSet<long> { 0, 3, 5 };
        var seen = new int[20];
        for (var i = 0; i < 4000; i++)
        {
            foreach (var sample in ProbeSamples.NotIssued(Digest.Of(BitConverter.GetBytes(i)), 0, 20, issued, 3))
            {
                seen[sample]++;
            }
        }

        Assert.All(Enumerable.Range(0, 20), i => Assert.True(issued.Contains(i) ? seen[i] == 0 : seen[i] is > 560 and < 860));
    }
}
