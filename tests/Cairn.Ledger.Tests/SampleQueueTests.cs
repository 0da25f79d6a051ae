using Cairn.Base;

namespace Cairn.Ledger.Tests;

public sealed class SampleQueueTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Whatever_happens_every_sample_was_trained_or_waits_as_often_as_the_cursor_passed_it(ulong seed)
    {
        for (var world = 0; world < 40; world++)
        {
            var random = new SeededRandom(seed, "queue", world);
            var sampleCount = 1 + random.NextBelow(40);
            var queue = new SampleQueue(SamplePart.Main(sampleCount), seed);
            var trained = new long[sampleCount];
            for (var round = 0; round < 60; round++)
            {
                var count = 1 + random.NextBelow(sampleCount);
                queue.Open(count);
                var issued = queue.Issued(0, count);
                Assert.Equal(count, issued.Distinct().Count());
                End(queue, issued, trained, ref random);
                CheckAccounts(queue, trained);
            }
        }
    }

    [Fact]
    public void One_epoch_without_losses_visits_every_sample_once()
    {
        var queue = new SampleQueue(SamplePart.Main(100), 3);
        var seen = new List<long>();
        for (var round = 0; round < 10; round++)
        {
            queue.Open(10);
            seen.AddRange(queue.Issued(0, 10));
            queue.Close([]);
        }

        Assert.Equal(Enumerable.Range(0, 100).Select(id => (long)id), seen.Order());
        Assert.NotEqual(seen.Order(), seen);
    }

    [Fact]
    public void Returned_samples_are_issued_first_in_their_order()
    {
        var queue = new SampleQueue(SamplePart.Main(100), 3);
        queue.Open(10);
        var lost = queue.Issued(4, 3);
        queue.Close(lost);
        queue.Open(5);
        Assert.Equal(lost, queue.Issued(0, 3));
        Assert.Equal(12, queue.Cursor);
    }

    [Fact]
    public void A_sample_met_twice_in_a_round_goes_to_the_end_of_the_line()
    {
        // Every round is a whole epoch: what comes back is met again by the cursor.
        var queue = new SampleQueue(SamplePart.Main(8), 5);
        queue.Open(8);
        var lost = queue.Issued(0, 2);
        queue.Close(lost);
        queue.Open(8);
        Assert.Equal(8, queue.Issued(0, 8).Distinct().Count());
        Assert.All(queue.Waiting.ToArray(), id => Assert.Contains(id, lost));
        queue.Close([]);
    }

    [Fact]
    public void Undo_leaves_no_trace()
    {
        var queue = new SampleQueue(SamplePart.Main(10), 5);
        queue.Open(7);
        queue.Close(queue.Issued(1, 4));
        var (cursor, waiting) = (queue.Cursor, queue.Waiting.ToArray());
        queue.Open(9);
        var issued = queue.Issued(0, 9);
        queue.Undo();
        Assert.Equal((cursor, true), (queue.Cursor, waiting.AsSpan().SequenceEqual(queue.Waiting)));
        queue.Open(9);
        Assert.Equal(issued, queue.Issued(0, 9));
    }

    private static void End(SampleQueue queue, long[] issued, long[] trained, ref SeededRandom random)
    {
        if (random.NextBelow(5) == 0)
        {
            queue.Undo();
            return;
        }

        var returned = new List<long>();
        foreach (var id in issued)
        {
            if (random.NextBelow(3) == 0)
            {
                returned.Add(id);
            }
            else
            {
                trained[id]++;
            }
        }

        queue.Close(returned);
    }

    private static void CheckAccounts(SampleQueue queue, long[] trained)
    {
        var accounted = (long[])trained.Clone();
        foreach (var id in queue.Waiting)
        {
            accounted[id]++;
        }

        var (epochs, places) = (queue.Cursor / queue.SampleCount, queue.Cursor % queue.SampleCount);
        Assert.Equal(queue.Cursor, accounted.Sum());
        Assert.Equal(places, accounted.Count(times => times == epochs + 1));
        Assert.All(accounted, times => Assert.InRange(times, epochs, epochs + 1));
    }
}
