using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Protocol.Tests.Simulation;

/// <summary>One update of a round as a replica sees it.</summary>
internal readonly record struct Contribution(Uid Uid, Digest Update, long Weight);

/// <summary>A replica whose base, error feedback and updates are digests: whoever did the same in the same order has the same. Durable in two slots in
/// turn, like the real one; everything else is lost with a life.</summary>
internal sealed class FakeReplica
{
    private readonly Trait _trait;
    private readonly Dictionary<int, State> _slots = [];
    private State _now;
    private Digest? _pending;
    private bool _touched;
    private bool _wasWrong;
    private int _computations;

    public FakeReplica(Trait trait, Digest initialBase)
    {
        _trait = trait;
        _now = new State(new Round(0), initialBase, Digest.Zero);
        Save();
    }

    public Round Next => _now.Next;

    public Digest Base => _now.Base;

    /// <summary>Error feedback and optimizer in one.</summary>
    public Digest Error => _now.Error;

    /// <summary>True once this replica has computed a wrong base.</summary>
    public bool WasWrong => _wasWrong;

    /// <summary>A new life: only what is durable is there.</summary>
    /// <param name="fallBack">The newest state is lost, if there is an older one.</param>
    public void Restart(bool fallBack)
    {
        var newest = _slots.Values.Max(state => state.Next.Number);
        if (fallBack && _slots.Count > 1)
        {
            _slots.Remove(newest & 1);
        }

        _now = _slots.Values.MaxBy(state => state.Next.Number)!;
        (_pending, _touched) = (null, false);
    }

    public Digest Train(Uid uid, IReadOnlyList<long> samples)
    {
        if (_touched)
        {
            _now = _slots[Next.Number & 1];
        }

        _touched = true;
        _pending = UpdateOf(Base, uid, Next, samples);
        // Training leaves its mark in the error feedback until the round decides about it.
        _now = _now with { Error = Mix("trained", _now.Error, _pending.Value) };
        return _pending.Value;
    }

    /// <summary>Rule 1: with the own update in it the training must be at hand; without it the training is undone.</summary>
    public Digest Apply(IReadOnlyList<Contribution> contributions, bool included)
    {
        if (!included && _touched)
        {
            _now = _slots[Next.Number & 1];
        }

        if (included)
        {
            Invariant.Check(_pending is not null);
            _now = _now with { Error = Mix("settled", _now.Error, _pending.Value) };
        }

        var right = BaseAfter(Base, contributions);
        _now = _now with { Base = contributions.Count > 0 ? Compute(right, Next, again: false) : right, Next = Next.Next };
        (_pending, _touched) = (null, false);
        Save();
        return Base;
    }

    /// <summary>From the durable state before the round; null if that is gone.</summary>
    public Digest? Recompute(Round round, IReadOnlyList<Contribution> contributions) =>
        _slots.TryGetValue(round.Number & 1, out var before) && before.Next == round
            ? Compute(BaseAfter(before.Base, contributions), round, again: true) : null;

    public void GoBack(Round round)
    {
        Invariant.Check(_slots[round.Number & 1].Next == round);
        _now = _slots[round.Number & 1];
        (_pending, _touched) = (null, false);
    }

    /// <summary>The update of an honest peer.</summary>
    public static Digest UpdateOf(Digest from, Uid uid, Round round, IReadOnlyList<long> samples)
    {
        using var hasher = new Hasher("simulation/update");
        hasher.Append(from);
        hasher.Append(uid.Value);
        hasher.Append(round.Number);
        foreach (var sample in samples)
        {
            hasher.Append(sample);
        }

        return hasher.Finish();
    }

    /// <summary>The right base after a round.</summary>
    public static Digest BaseAfter(Digest before, IReadOnlyList<Contribution> contributions)
    {
        if (contributions.Count == 0)
        {
            return before;
        }

        using var hasher = new Hasher("simulation/base");
        hasher.Append(before);
        foreach (var contribution in contributions)
        {
            hasher.Append(contribution.Uid.Value);
            hasher.Append(contribution.Update);
            hasher.Append(contribution.Weight);
        }

        return hasher.Finish();
    }

    /// <summary>The error feedback of an honest peer after a round that took its update.</summary>
    public static Digest ErrorAfter(Digest error, Digest update) => Mix("settled", Mix("trained", error, update), update);

    private static Digest Mix(string what, Digest left, Digest right) => Digest.Of("simulation/" + what, [.. left.ToArray(), .. right.ToArray()]);

    private Digest Compute(Digest right, Round round, bool again)
    {
        var wrong = round.Number >= _trait.WrongRound && _trait.Wrong switch
        {
            Wrong.Once => !again && !_wasWrong,
            Wrong.Always or Wrong.Differently => true,
            _ => false,
        };
        if (!wrong)
        {
            return right;
        }

        _wasWrong = true;
        var noise = _trait.Wrong == Wrong.Differently ? ++_computations : 0;
        return Digest.Of("simulation/wrong", [.. right.ToArray(), (byte)noise]);
    }

    private void Save() => _slots[Next.Number & 1] = _now;

    private sealed record State(Round Next, Digest Base, Digest Error);
}
