namespace Cairn.Compute.Tests;

public sealed unsafe class WorkPoolTests
{
    private readonly struct Count(int[] visits, int[] workers) : IWork
    {
        public void Run(int item, int worker)
        {
            Interlocked.Increment(ref visits[item]);
            Interlocked.Increment(ref workers[worker]);
        }
    }

    private readonly struct Nested(WorkPool inner, int[][] visits) : IWork
    {
        public void Run(int item, int worker)
        {
            lock (inner)
            {
                var work = new Count(visits[item], new int[inner.Threads]);
                inner.Run(ref work, visits[item].Length);
            }
        }
    }

    private readonly struct FailAt(int bad, int[] inside) : IWork
    {
        public void Run(int item, int worker)
        {
            Interlocked.Increment(ref inside[0]);
            try
            {
                Thread.SpinWait(50);
                if (item == bad)
                {
                    throw new InvalidDataException($"item {item}");
                }
            }
            finally
            {
                Interlocked.Decrement(ref inside[0]);
            }
        }
    }

    private readonly struct Slow : IWork
    {
        public void Run(int item, int worker) => Thread.Sleep(item == 0 ? 1 : 20);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(8)]
    public void Every_item_runs_exactly_once_in_every_call(int threads)
    {
        using var pool = new WorkPool(threads);
        var visits = new int[37];
        var workers = new int[threads];
        for (var call = 1; call <= 2000; call++)
        {
            var items = call % (visits.Length + 1);
            Array.Clear(visits);
            var work = new Count(visits, workers);
            pool.Run(ref work, items);
            for (var item = 0; item < visits.Length; item++)
            {
                Assert.Equal(item < items ? 1 : 0, visits[item]);
            }
        }
    }

    [Fact]
    public void Parked_workers_wake_for_the_next_call()
    {
        using var pool = new WorkPool(3);
        for (var call = 0; call < 20; call++)
        {
            Thread.Sleep(2);
            var visits = new int[11];
            var work = new Count(visits, new int[3]);
            pool.Run(ref work, visits.Length);
            Assert.All(visits, count => Assert.Equal(1, count));
        }
    }

    [Fact]
    public void The_caller_waits_for_items_that_take_long()
    {
        using var pool = new WorkPool(2);
        for (var call = 0; call < 5; call++)
        {
            var work = default(Slow);
            pool.Run(ref work, 2);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void An_exception_reaches_the_caller_when_no_item_runs_any_more(int threads)
    {
        using var pool = new WorkPool(threads);
        for (var call = 0; call < 50; call++)
        {
            var inside = new int[1];
            var work = new FailAt(call, inside);
            var failure = Assert.Throws<InvalidDataException>(() => pool.Run(ref work, 64));
            Assert.Equal($"item {call}", failure.Message);
            Assert.Equal(0, Volatile.Read(ref inside[0]));
        }

        var visits = new int[9];
        var sound = new Count(visits, new int[threads]);
        pool.Run(ref sound, visits.Length);
        Assert.All(visits, count => Assert.Equal(1, count));
    }

    [Fact]
    public void An_item_may_use_another_pool_but_not_its_own()
    {
        using var outer = new WorkPool(2);
        using var inner = new WorkPool(3);
        var visits = new int[][] { new int[5], new int[6], new int[7], new int[8] };
        var work = new Nested(inner, visits);
        outer.Run(ref work, visits.Length);
        Assert.All(visits.SelectMany(counts => counts), count => Assert.Equal(1, count));

        var reentrant = new Nested(outer, visits);
        Assert.Throws<Cairn.Base.InvariantViolation>(() => outer.Run(ref reentrant, visits.Length));
    }

    [Fact]
    public void Several_pools_work_at_once()
    {
        var failures = 0;
        var threads = Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            using var pool = new WorkPool(2);
            for (var call = 0; call < 300; call++)
            {
                var visits = new int[16];
                var work = new Count(visits, new int[2]);
                pool.Run(ref work, visits.Length);
                if (visits.Any(count => count != 1))
                {
                    Interlocked.Increment(ref failures);
                }
            }
        })).ToArray();
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Assert.Equal(0, failures);
    }

    [Fact]
    public void A_call_allocates_nothing()
    {
        using var pool = new WorkPool(2);
        var work = new Count(new int[100], new int[2]);
        pool.Run(ref work, 100);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var call = 0; call < 100; call++)
        {
            pool.Run(ref work, 100);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Disposing_twice_is_harmless_and_a_disposed_pool_refuses_work()
    {
        var pool = new WorkPool(3);
        pool.Dispose();
        pool.Dispose();
        var work = new Count(new int[4], new int[3]);
        Assert.Throws<Cairn.Base.InvariantViolation>(() => pool.Run(ref work, 4));
    }
}
