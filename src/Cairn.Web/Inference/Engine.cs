using System.Collections.Concurrent;
using Cairn.Inference;

namespace Cairn.Web;

/// <summary>One model with the thread that computes with it, and who uses it.</summary>
internal sealed class Engine : IDisposable
{
    private readonly ConcurrentQueue<Continuation> _coming = [];
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly CancellationTokenSource _broken = new();
    private readonly Scheduler _scheduler;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Action<Exception> _failed;
    private volatile bool _stops;

    /// <summary>Starts the thread.</summary>
    /// <param name="served">The model; disposed when the thread ends.</param>
    /// <param name="parallel">The most texts at once.</param>
    /// <param name="failed">Told by the thread if it fails, before anybody who waits for it is.</param>
    public Engine(ServedModel served, int parallel, Action<Exception> failed)
    {
        (Served, _failed) = (served, failed);
        _scheduler = new Scheduler(served.Model, served.Tokenizer, parallel);
        new Thread(Run) { IsBackground = true, Name = $"model {served.Version}" }.Start();
    }

    /// <summary>The model.</summary>
    public ServedModel Served { get; }

    /// <summary>Requests that use it; kept by <see cref="ModelRoom"/>.</summary>
    public int Users { get; set; }

    /// <summary>True once another took its place.</summary>
    public bool IsRetired { get; set; }

    /// <summary>What it does.</summary>
    public SchedulerState State => _scheduler.State;

    /// <summary>Cancelled if the thread failed: then nothing that waits for it will come.</summary>
    public CancellationToken Broken => _broken.Token;

    /// <summary>Ends when the thread has; with its failure, if it failed.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Hands over continuations that belong together. They are checked here, in the thread of the request: what is wrong with one fails that request and
    /// not the thread that computes for all.</summary>
    public void Add(IReadOnlyList<Continuation> continuations)
    {
        foreach (var continuation in continuations)
        {
            _scheduler.Check(continuation.Request);
        }

        foreach (var continuation in continuations)
        {
            _coming.Enqueue(continuation);
        }

        _wake.Set();
    }

    /// <summary>Ends what runs, the thread, and the model; does not wait for it.</summary>
    public void Dispose()
    {
        _stops = true;
        _wake.Set();
    }

    private void Run()
    {
        try
        {
            while (!_stops)
            {
                TakeIn();
                if (!_scheduler.Step())
                {
                    _wake.WaitOne();
                }
            }

            TakeIn();
            _scheduler.CancelAll();
            Served.Dispose();
            _ended.SetResult();
        }
        catch (Exception e)
        {
            // A bug of ours: whoever started the server ends the process with it. That it is so is known before those who wait are woken.
            _failed(e);
            _ended.SetException(e);
            _broken.Cancel();
        }
    }

    private void TakeIn()
    {
        while (_coming.TryDequeue(out var continuation))
        {
            _scheduler.Add(continuation);
        }
    }
}
