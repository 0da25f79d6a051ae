using Cairn.Base;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Simulation;

/// <summary>A place on the ledger that one member fills once.</summary>
/// <param name="Kind">Kind of statement.</param>
/// <param name="Round">Of which round.</param>
/// <param name="Stage">Of which stage, for timeouts.</param>
internal readonly record struct Slot(Type Kind, int Round, Stage Stage)
{
    public static Slot Of(Operation operation) => operation switch
    {
        Commit o => new Slot(typeof(Commit), o.Round.Number, default),
        Reveal o => new Slot(typeof(Reveal), o.Round.Number, default),
        Beacon o => new Slot(typeof(Beacon), o.Round.Number, default),
        Verdict o => new Slot(typeof(Verdict), o.Round.Number, default),
        PostBase o => new Slot(typeof(PostBase), o.Round.Number, default),
        PostShares o => new Slot(typeof(PostShares), o.Round.Number, default),
        Ledger.Timeout o => new Slot(typeof(Ledger.Timeout), o.Round.Number, o.Stage),
        Return o => new Slot(typeof(Return), o.Round.Number, default),
        Announce o => new Slot(typeof(Announce), o.Round.Number, default),
        VoteRules o => new Slot(typeof(VoteRules), o.Round.Number, default),
        Declare o => new Slot(typeof(Declare), o.Round.Number, default),
        _ => new Slot(operation.GetType(), -1, default),
    };
}

/// <summary>In one life a machine asks for each thing once; only a replica that went back has the round before it again.</summary>
internal sealed class AskedOnce
{
    private readonly HashSet<Slot> _asked = [];

    public void Check(Effect effect, SimNode node) =>
        Must.Hold(_asked.Add(Of(effect)), "asked once", $"{node.Name} asked twice in one life: {Words.Of(effect)}");

    public void Note(NodeEvent happened)
    {
        if (happened is WentBack back)
        {
            Forget(back.Round);
        }
    }

    // With it went what was made for the round after it.
    private void Forget(Round round) => _asked.RemoveWhere(asked => asked.Stage == OfReplica
        && (asked.Round == round.Number || (asked.Round == round.Number + 1 && (asked.Kind == typeof(RunInnerSteps) || asked.Kind == typeof(EncodeUpdate)))));

    // Marks what is done with the replica, as no stage of the ledger does.
    private const Stage OfReplica = (Stage)100;

    private static Slot Of(Effect effect) => effect switch
    {
        Submit e => Slot.Of(e.Operation),
        RunInnerSteps e => Replica(e, e.Round),
        EncodeUpdate e => Replica(e, e.Round),
        ApplyManifest e => Replica(e, e.Round),
        Recompute e => Replica(e, e.Round),
        CatchUp e => Replica(e, e.Round),
        Evaluate e => Replica(e, e.Round),
        PublishUpdate e => new Slot(e.GetType(), e.Round.Number, default),
        SubmitBeacon e => new Slot(typeof(Beacon), e.Round.Number, default),
        JudgeUpdates e => new Slot(e.GetType(), e.Round.Number, default),
        PrepareSettlement e => new Slot(e.GetType(), e.Round.Number, default),
        ArmDeadline e => new Slot(e.Again ? typeof(DeadlinePassed) : e.GetType(), e.Round.Number, e.Stage),
        _ => new Slot(effect.GetType(), -1, default),
    };

    private static Slot Replica(Effect effect, Round round) => new(effect.GetType(), round.Number, OfReplica);
}

/// <summary>A replica is one thing: while something changes it, nothing else may read or change it. The machine is what guarantees that.</summary>
internal sealed class ReplicaUse
{
    private readonly List<Effect> _running = [];

    public void Begin(Effect effect, SimNode node)
    {
        var other = _running.Find(running => (Changes(running) || Changes(effect)) && !Side(running, effect) && !Side(effect, running));
        Must.Hold(
            other is null, "replica in use",
            $"{node.Name}: {Words.Of(effect)} was asked for while the replica is used: {(other is null ? "" : Words.Of(other))}");
        if (effect is not PublishUpdate)
        {
            _running.Add(effect);
        }
    }

    public void End(Effect effect) => _running.Remove(effect);

    public void Clear() => _running.Clear();

    // With an apply delay a round is applied while the next is trained.
    private static bool Side(Effect one, Effect other) => one is RunInnerSteps train && other is ApplyManifest apply && train.Round == apply.Round.Next;

    private static bool Changes(Effect effect) => effect is RunInnerSteps or EncodeUpdate or ApplyManifest or CatchUp;
}
