using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>Which samples of one part a round trains on. A cursor walks through one epoch after another, each in its own seeded order; what was issued but
/// not trained is issued again before the cursor moves on. So after any history, what was trained plus what waits here is exactly what the
/// cursor passed.</summary>
/// <remarks>Within one round no sample occurs twice: one that would (waiting, and met again in the next epoch) goes to the end of the line
/// instead.</remarks>
public sealed class SampleQueue
{
    private readonly ulong _seed;
    private SeededPermutation _order;
    private long _epoch = -1;
    private long[] _waiting = [];
    private long[] _waitingBefore = [];
    private long _cursorBefore;
    private long[]? _issued;
    private bool _open;

    /// <summary>Stands before the first sample of epoch 0.</summary>
    /// <param name="part">The samples it walks through.</param>
    /// <param name="seed">The run's seed.</param>
    public SampleQueue(SamplePart part, ulong seed)
    {
        Invariant.Check(part.First >= 0 && part.Count > 0);
        Part = part;
        _seed = seed;
    }

    /// <summary>The samples it walks through.</summary>
    public SamplePart Part { get; }

    /// <summary>Samples in an epoch.</summary>
    public long SampleCount => Part.Count;

    /// <summary>How many places of all epochs the cursor has passed.</summary>
    public long Cursor { get; private set; }

    /// <summary>Passed but not trained, next to be issued first.</summary>
    public ReadOnlySpan<long> Waiting => _waiting;

    /// <summary>How many samples the last <see cref="Open"/> issued.</summary>
    public int IssuedCount { get; private set; }

    /// <summary>Issues samples for a round: waiting ones first, then from the cursor.</summary>
    /// <param name="count">At most <see cref="SampleCount"/>, so that all can differ.</param>
    public void Open(int count)
    {
        Invariant.Check(!_open);
        Invariant.Check(count > 0 && count <= SampleCount);
        (_cursorBefore, _waitingBefore, _open, IssuedCount) = (Cursor, _waiting, true, count);
        if (_waiting.Length == 0 && (Cursor % SampleCount) + count <= SampleCount)
        {
            // The usual round lies inside one epoch: no two can be the same, and nobody need compute them all.
            _issued = null;
            Cursor += count;
            return;
        }

        Cut(count);
    }

    /// <summary>Some of the samples of the round.</summary>
    /// <param name="start">First place, from 0.</param>
    /// <param name="count">How many.</param>
    /// <returns>Their ids in issued order; still valid after the round was closed, until the next opens.</returns>
    public long[] Issued(int start, int count)
    {
        Invariant.Check(start >= 0 && count >= 0 && start <= IssuedCount - count);
        if (_issued is not null)
        {
            return _issued.AsSpan(start, count).ToArray();
        }

        var ids = new long[count];
        for (var i = 0; i < count; i++)
        {
            ids[i] = At(_cursorBefore + start + i);
        }

        return ids;
    }

    /// <summary>Ends the round: what was not trained goes to the head of the line.</summary>
    /// <param name="returned">Ids of this round, in the order in which to issue them again.</param>
    public void Close(IReadOnlyList<long> returned)
    {
        Invariant.Check(_open);
        _open = false;
        if (returned.Count > 0)
        {
            _waiting = [.. returned, .. _waiting];
        }
    }

    /// <summary>Ends a round in which nothing was trained: everything is as before it opened.</summary>
    public void Undo()
    {
        Invariant.Check(_open);
        (_open, Cursor, _waiting) = (false, _cursorBefore, _waitingBefore);
    }

    /// <summary>Issues samples for a round that is planned while another is open: its samples come back by <see cref="GiveBack"/> alone.</summary>
    /// <param name="count">As in <see cref="Open"/>.</param>
    /// <returns>Their ids in issued order.</returns>
    public long[] Take(int count)
    {
        Open(count);
        _open = false;
        return Issued(0, count);
    }

    /// <summary>Puts samples of a <see cref="Take"/> that were not trained at the head of the line.</summary>
    /// <param name="returned">In the order in which to issue them again.</param>
    public void GiveBack(IReadOnlyList<long> returned)
    {
        Invariant.Check(!_open);
        if (returned.Count > 0)
        {
            _waiting = [.. returned, .. _waiting];
        }
    }

    private void Cut(int count)
    {
        var ids = new long[count];
        var taken = 0;
        var seen = new HashSet<long>(count);
        var left = new List<long>();
        var again = new List<long>();
        foreach (var id in _waiting)
        {
            Take(id);
        }

        // Ends: one whole epoch offers every id, and count ≤ SampleCount.
        while (taken < count)
        {
            Take(At(Cursor++));
        }

        (_issued, _waiting) = (ids, [.. left, .. again]);

        void Take(long id)
        {
            if (taken == count)
            {
                left.Add(id);
            }
            else if (seen.Add(id))
            {
                ids[taken++] = id;
            }
            else
            {
                again.Add(id);
            }
        }
    }

    private long At(long position)
    {
        var epoch = position / SampleCount;
        if (epoch != _epoch)
        {
            (_order, _epoch) = (Part.OrderOf(_seed, epoch), epoch);
        }

        return Part.First + _order.At(position % SampleCount);
    }
}
