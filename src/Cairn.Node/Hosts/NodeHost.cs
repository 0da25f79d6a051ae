using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Cairn.Base;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>Does what a machine asks for. Reads of the ledger's state happen before the returned task first waits, since the state moves on.</summary>
internal interface IEffectRunner : IAsyncDisposable
{
    /// <summary>Begins an effect.</summary>
    /// <param name="effect">What to do.</param>
    /// <param name="ledger">The ledger as the machine saw it.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>What happened, or null if the ledger shows it.</returns>
    Task<NodeEvent?> BeginAsync(Effect effect, LedgerState ledger, CancellationToken cancellation);

    /// <summary>Sees the ledger after every single block, before the machine does.</summary>
    /// <param name="ledger">The state.</param>
    void Notice(LedgerState ledger);

    /// <summary>Sees the ledger once everything new was read, before the machine does.</summary>
    /// <param name="ledger">The state.</param>
    void CaughtUp(LedgerState ledger);

    /// <summary>Waits for what was begun by effects that have been answered already, since no machine waits for it; throws what went wrong in it.</summary>
    Task FinishAsync();
}

/// <summary>Runs one node: feeds its machine with what happens, has the effects done, one loop for both roles.</summary>
internal sealed class NodeHost
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);
    private readonly string _name;
    private readonly Func<NodeEvent, LedgerState, IReadOnlyList<Effect>> _step;
    private readonly IEffectRunner _effects;
    private readonly LedgerFollower _ledger;
    private readonly LedgerBell _bell;
    private readonly EventLog _log;
    private readonly Channel<NodeEvent?> _inbox = Channel.CreateUnbounded<NodeEvent?>(new UnboundedChannelOptions { SingleReader = true });
    private readonly List<Task> _running = [];
    private CancellationTokenSource? _deadline;
    private volatile Exception? _failure;
    private bool _done;

    public NodeHost(
        string name, Func<NodeEvent, LedgerState, IReadOnlyList<Effect>> step, IEffectRunner effects,
        LedgerFollower ledger, LedgerBell bell, EventLog log)
    {
        (_name, _step, _effects, _ledger, _bell, _log) = (name, step, effects, ledger, bell, log);
    }

    /// <summary>How long a stage of a round may last by the rules of the run.</summary>
    public required Func<Round, TimeSpan> StageMax { get; init; }

    /// <summary>Compares the durable state with the ledger once it is replayed; throws if they do not belong together.</summary>
    public Action<LedgerState> CheckState { get; init; } = _ => { };

    /// <summary>Told to the machine before anything else: what the durable outbox holds.</summary>
    public IReadOnlyList<NodeEvent> Remembered { get; init; } = [];

    /// <summary>What the machine says it waits for.</summary>
    public required Func<string> WaitsFor { get; init; }

    /// <summary>Kept up to date, if there is one.</summary>
    public StatusBoard? Board { get; init; }

    /// <summary>Set when the node halted with a wrong replica.</summary>
    public Halt? Halted { get; private set; }

    /// <summary>Set when the run is over and this node has applied its last round.</summary>
    public bool Finished { get; private set; }

    /// <summary>Runs until the run is over, the node halts, or it is told to stop.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        void Wake() => _inbox.Writer.TryWrite(null);
        _bell.Rang += Wake;
        try
        {
            _effects.Notice(_ledger.State);
            ReadLedger();
            CheckState(_ledger.State);
            foreach (var remembered in Remembered)
            {
                Take(remembered, stop.Token);
            }

            Take(new LedgerMoved(_ledger.State), stop.Token);
            ShowStatus();
            while (!_done)
            {
                await WaitAsync(stop.Token);
                while (!_done && _inbox.Reader.TryRead(out var happened))
                {
                    if (happened is not null)
                    {
                        Take(happened, stop.Token);
                    }
                }

                if (!_done && ReadLedger())
                {
                    Take(new LedgerMoved(_ledger.State), stop.Token);
                }

                ShowStatus();
            }

            // Done, not told to stop: what is still measured or put is brought to its end.
            await Task.WhenAll(_running);
            await _effects.FinishAsync();
        }
        finally
        {
            _bell.Rang -= Wake;
            await stop.CancelAsync();
            _deadline?.Dispose();
            // Nothing may compute or write behind the back of whoever disposes the replica after this.
            await Task.WhenAll(_running);
            await _effects.DisposeAsync();
        }

        if (_failure is not null)
        {
            ExceptionDispatchInfo.Throw(_failure);
        }
    }

    private void ShowStatus() => Board?.Update(_ledger.State, WaitsFor(), Finished, Halted is not null);

    private async Task WaitAsync(CancellationToken cancellation)
    {
        using var poll = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        poll.CancelAfter(PollInterval);
        try
        {
            await _inbox.Reader.WaitToReadAsync(poll.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // Nothing came in time: look at the ledger, another process may have written.
        }
    }

    private bool ReadLedger()
    {
        var moved = _ledger.CatchUp(_effects.Notice);
        _effects.CaughtUp(_ledger.State);
        return moved;
    }

    private void Take(NodeEvent happened, CancellationToken cancellation)
    {
        foreach (var effect in _step(happened, _ledger.State))
        {
            switch (effect)
            {
                case Finish:
                    _done = Finished = true;
                    break;
                case Halt halt:
                    Halted = halt;
                    _done = true;
                    _log.Tell(new ReplicaHalted(_name, halt.Round.Number, halt.Own.ToString(), halt.Quorum.ToString()));
                    break;
                case ArmDeadline arm:
                    Arm(arm, cancellation);
                    break;
                default:
                    _running.RemoveAll(task => task.IsCompleted);
                    _running.Add(RunEffectAsync(effect, _effects.BeginAsync(effect, _ledger.State, cancellation)));
                    break;
            }
        }
    }

    private void Arm(ArmDeadline arm, CancellationToken cancellation)
    {
        _deadline?.Cancel();
        _deadline?.Dispose();
        _deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var token = _deadline.Token;
        _ = Task.Delay(arm.Again ? StageMax(arm.Round) / ArmDeadline.AgainPart : StageMax(arm.Round), token).ContinueWith(
            _ => _inbox.Writer.TryWrite(new DeadlinePassed(arm.Round, arm.Stage)), token,
            TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
    }

    private async Task RunEffectAsync(Effect asked, Task<NodeEvent?> effect)
    {
        using var span = OpenTelemetryExport.Source.StartActivity(asked.GetType().Name);
        span?.SetTag("cairn.round", _ledger.State.CurrentRound.Number);
        try
        {
            var answer = await effect;
            _inbox.Writer.TryWrite(answer);
        }
        catch (OperationCanceledException)
        {
            // Stopping: the machine is not stepped any more.
        }
        catch (Exception e)
        {
            // Our own bug or the disk: the host fails as a whole, nothing is half done.
            _failure ??= e;
            _inbox.Writer.TryComplete(e);
        }
    }
}
