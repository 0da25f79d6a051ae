using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Cairn.Base;

namespace Cairn.Compute;

/// <summary>A fixed set of threads that share the items of one call after another, without allocating.</summary>
/// <remarks>Items are handed out by a counter, never split in advance, and the caller works too: a worker that another process pushed off its core
/// delays the call by at most the item it holds, and a worker that has not even woken delays nothing (it finds the gate closed and goes back to sleep).
/// Idle workers spin for some tens of microseconds, which bridges the gaps between the calls of a training step, then park.
/// One call at a time; pools are independent of one another.</remarks>
public sealed unsafe class WorkPool : IDisposable
{
    // The gate, one word so that joining and closing cannot cross: workers inside (16 bits), the open flag, the number of the call.
    private const long JoinedMask = 0xFFFF;
    private const long OpenFlag = 0x10000;
    private const long CallStep = 0x20000;

    // Thread.SpinWait is normalised to about 37 ns a turn: 128 × 8 turns are some 40 µs.
    private const int SpinRounds = 128;
    private const int SpinTurns = 8;

    private readonly object _park = new();
    private readonly Thread[] _workers;
    private long _gate;
    private int _next;
    private int _items;
    private void* _work;
    private delegate*<WorkPool, void*, int, void> _drain;
    private ExceptionDispatchInfo? _failure;
    private int _parked;
    private int _callerParked;
    private int _busy;
    private volatile bool _stopped;

    /// <summary>Starts the threads.</summary>
    /// <param name="threads">1 to 1024, the caller included: 1 starts none and runs every call inline.</param>
    public WorkPool(int threads)
    {
        Invariant.Check(threads is >= 1 and <= 1024);
        Threads = threads;
        _workers = new Thread[threads - 1];
        for (var i = 0; i < _workers.Length; i++)
        {
            var worker = i + 1;
            _workers[i] = new Thread(() => Live(worker)) { IsBackground = true, Name = $"cairn-work-{worker}" };
            _workers[i].Start();
        }
    }

    /// <summary>How many threads share a call, the caller included.</summary>
    public int Threads { get; }

    /// <summary>Runs items 0 … <paramref name="items"/> − 1, each exactly once, on any worker in any order; returns when all are done.</summary>
    /// <param name="work">The pieces. Every worker sees this very struct, by reference.</param>
    /// <param name="items">How many; zero is allowed.</param>
    /// <remarks>An exception of an item stops the handing out of further items and reaches the caller once no worker is inside any more; of several,
    /// one. Not reentrant: an item must not run on its own pool. Allocates nothing.</remarks>
    public void Run<TWork>(ref TWork work, int items)
        where TWork : struct, IWork
    {
        Invariant.Check(items >= 0);
        Invariant.Check(!_stopped);
        if (_workers.Length == 0 || items <= 1)
        {
            for (var item = 0; item < items; item++)
            {
                work.Run(item, 0);
            }

            return;
        }

        Invariant.Check(Interlocked.Exchange(ref _busy, 1) == 0);
        fixed (byte* pinned = &Unsafe.As<TWork, byte>(ref work))
        {
            _work = pinned;
            _drain = &Drain<TWork>;
            _items = items;
            _next = 0;
            OpenGate();
            DrainGuarded(0);
            CloseGate();
        }

        var failure = _failure;
        _failure = null;
        Volatile.Write(ref _busy, 0);
        failure?.Throw();
    }

    /// <summary>Stops and joins the threads. No call may be running.</summary>
    public void Dispose()
    {
        if (_stopped)
        {
            return;
        }

        Invariant.Check(Volatile.Read(ref _busy) == 0);
        _stopped = true;
        WakeAll();
        foreach (var worker in _workers)
        {
            worker.Join();
        }
    }

    private static void Drain<TWork>(WorkPool pool, void* pinned, int worker)
        where TWork : struct, IWork
    {
        ref var work = ref Unsafe.AsRef<TWork>(pinned);
        var items = pool._items;
        while (true)
        {
            var item = Interlocked.Increment(ref pool._next) - 1;
            if ((uint)item >= (uint)items)
            {
                return;
            }

            work.Run(item, worker);
        }
    }

    private void DrainGuarded(int worker)
    {
        try
        {
            _drain(this, _work, worker);
        }
        catch (Exception failure)
        {
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(failure), null);
            Interlocked.Exchange(ref _next, int.MaxValue / 2);
        }
    }

    private void OpenGate()
    {
        // Closed and empty since the last call: no worker changes the word now.
        Interlocked.Exchange(ref _gate, ((_gate & ~OpenFlag) + CallStep) | OpenFlag);
        if (Volatile.Read(ref _parked) > 0)
        {
            WakeAll();
        }
    }

    private void CloseGate()
    {
        Interlocked.And(ref _gate, ~OpenFlag);
        for (var round = 0; round < SpinRounds; round++)
        {
            if ((Volatile.Read(ref _gate) & JoinedMask) == 0)
            {
                return;
            }

            Thread.SpinWait(SpinTurns);
        }

        lock (_park)
        {
            Interlocked.Exchange(ref _callerParked, 1);
            while ((Volatile.Read(ref _gate) & JoinedMask) != 0)
            {
                Monitor.Wait(_park);
            }

            _callerParked = 0;
        }
    }

    private void WakeAll()
    {
        lock (_park)
        {
            Monitor.PulseAll(_park);
        }
    }

    private void Live(int worker)
    {
        var lastCall = 0L;
        while (AwaitCall(ref lastCall))
        {
            DrainGuarded(worker);
            var left = Interlocked.Decrement(ref _gate);
            if ((left & (JoinedMask | OpenFlag)) == 0 && Volatile.Read(ref _callerParked) != 0)
            {
                WakeAll();
            }
        }
    }

    private bool AwaitCall(ref long lastCall)
    {
        for (var round = 0; round < SpinRounds; round++)
        {
            if (_stopped)
            {
                return false;
            }

            if (TryJoin(ref lastCall))
            {
                return true;
            }

            Thread.SpinWait(SpinTurns);
        }

        lock (_park)
        {
            // Counted before the last look at the gate: the caller opens first and counts the sleepers after.
            Interlocked.Increment(ref _parked);
            while (true)
            {
                var joined = !_stopped && TryJoin(ref lastCall);
                if (joined || _stopped)
                {
                    Interlocked.Decrement(ref _parked);
                    return joined;
                }

                Monitor.Wait(_park);
            }
        }
    }

    private bool TryJoin(ref long lastCall)
    {
        while (true)
        {
            var gate = Volatile.Read(ref _gate);
            var call = gate / CallStep;
            if ((gate & OpenFlag) == 0 || call == lastCall)
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref _gate, gate + 1, gate) == gate)
            {
                lastCall = call;
                return true;
            }
        }
    }
}
