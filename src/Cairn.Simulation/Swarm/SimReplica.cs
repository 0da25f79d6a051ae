using Cairn.Base;
using Cairn.Gauntlet;

namespace Cairn.Simulation;

/// <summary>Parameters with the digest that their holder believes in; a wrong replica believes in another than the point's.</summary>
internal sealed record Replicated(ModelPoint Point, Digest Digest);

/// <summary>An update with what is left of what it was made from.</summary>
/// <param name="Move">What is sent.</param>
/// <param name="Rest">Error feedback plus pseudo-gradient less the update: the next error feedback. Null for one that was not trained.</param>
internal sealed record Crafted(SparseMove Move, double[]? Rest);

/// <summary>A node's own copy of the model, with error feedback and, of a validator, its book. Durable in two slots in turn, like the real one; everything else
/// is lost with a life.</summary>
internal sealed class SimReplica
{
    private readonly World _world;
    private readonly MemberPlan _plan;
    private readonly Dictionary<int, State> _slots = [];
    private State _now;
    private Crafted? _pending;
    private int _computations;

    public SimReplica(World world, MemberPlan plan, Round next, Replicated held)
    {
        (_world, _plan) = (world, plan);
        // Who begins from a checkpoint has not got the base before it, from which the first round is trained.
        _now = new State(next, held, null, PeerBook.Empty, next.Number == 0 ? held : null);
        Save();
    }

    public Round Next => _now.Next;

    public Replicated Held => _now.Held;

    public Digest Base => _now.Held.Digest;

    /// <summary>The error feedback; null while it is zero.</summary>
    public double[]? Feedback => _now.Feedback;

    /// <summary>A validator's memory of the peers, after the last round applied.</summary>
    public PeerBook Book => _now.Book;

    /// <summary>True once this replica has computed a wrong base.</summary>
    public bool WasWrong { get; private set; }

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
        if (_world.Mutation == Mutation.StateTornByDeath && _slots.Count > 1)
        {
            _now = _now with { Held = _slots.Values.MinBy(state => state.Next.Number)!.Held };
        }

        _pending = null;
    }

    /// <summary>The base that the next round is trained from: with an apply delay the one before the last, null if it is not known here.</summary>
    public Replicated? BaseOfNext => _world.Scenario.ApplyDelay == 0 ? Held : _now.Behind;

    /// <summary>The base that the round is trained from.</summary>
    public Replicated TrainsFrom => _world.Scenario.ApplyDelay > 0
        ? _world.Mutation == Mutation.TrainsBeforeApplying ? Held : _now.Behind ?? Held
        : _world.Mutation == Mutation.TrainsBeforeApplying && _slots.TryGetValue((Next.Number - 1) & 1, out var before) && before.Next < Next
            ? before.Held : Held;

    public void Remember(Crafted crafted) => _pending = crafted;

    public Crafted? Pending => _pending;

    /// <summary>Rule 1: with the own update in it the error feedback settles; without it everything is as it was.</summary>
    public void Apply(Replicated right, bool included, bool empty, PeerBook book)
    {
        if (included)
        {
            // Who copies cannot always repeat it after a death; an honest peer can.
            Invariant.Check(_pending is not null || !_plan.IsHonest);
            _now = _now with { Feedback = _pending?.Rest };
        }
        else if (_world.Mutation == Mutation.KeepsTrainingOfExcluded && _pending is not null)
        {
            _now = _now with { Feedback = _pending.Rest };
        }

        _now = _now with { Held = empty ? right : Compute(right, Next, again: false), Next = Next.Next, Book = book, Behind = _now.Held };
        _pending = null;
        Save();
    }

    /// <summary>Computes a round again, from the durable state before it; its own base if that is gone.</summary>
    /// <param name="round">Which.</param>
    /// <param name="right">The right base after a base.</param>
    public Digest Recompute(Round round, Func<Replicated, Replicated> right) =>
        _slots.TryGetValue(round.Number & 1, out var before) && before.Next == round ? Compute(right(before.Held), round, again: true).Digest : Base;

    public void GoBack(Round round)
    {
        Invariant.Check(_slots[round.Number & 1].Next == round);
        _now = _world.Mutation == Mutation.GoesOnInsteadOfBack ? _now with { Next = round } : _slots[round.Number & 1];
        _pending = null;
    }

    private Replicated Compute(Replicated right, Round round, bool again)
    {
        var wrong = round.Number >= _plan.WrongRound && _plan.Wrong switch
        {
            Wrong.Once => !again && !WasWrong,
            Wrong.Always or Wrong.Differently => true,
            _ => false,
        };
        if (!wrong)
        {
            return right;
        }

        WasWrong = true;
        var noise = _plan.Wrong == Wrong.Differently ? ++_computations : 0;
        return right with { Digest = Digest.Of("simulation/wrong", [.. right.Digest.ToArray(), (byte)noise]) };
    }

    private void Save() => _slots[Next.Number & 1] = _now;

    private sealed record State(Round Next, Replicated Held, double[]? Feedback, PeerBook Book, Replicated? Behind);
}
