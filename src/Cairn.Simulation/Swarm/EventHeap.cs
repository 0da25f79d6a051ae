using Cairn.Base;

namespace Cairn.Simulation;

/// <summary>Virtual time: what happens next, ordered by time and, at one time, by when it was planned. Nothing here knows a real clock.</summary>
internal sealed class EventHeap
{
    private readonly PriorityQueue<Action, (long Time, long Sequence)> _events = new();
    private long _sequence;

    /// <summary>Virtual milliseconds since the run began.</summary>
    public long Now { get; private set; }

    /// <summary>How many events have happened.</summary>
    public long Happened { get; private set; }

    /// <summary>Plans something.</summary>
    public void After(long delay, Action action)
    {
        Invariant.Check(delay >= 0);
        _events.Enqueue(action, (Now + delay, _sequence++));
    }

    /// <summary>Lets the next event happen.</summary>
    /// <returns>False if nothing will ever happen again.</returns>
    public bool Next()
    {
        if (!_events.TryDequeue(out var action, out var when))
        {
            return false;
        }

        Now = when.Time;
        Happened++;
        action();
        return true;
    }
}
