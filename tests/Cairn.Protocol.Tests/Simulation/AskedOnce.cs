using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Protocol.Tests.Simulation;

/// <summary>In one life a machine asks for each thing once; only a replica that went back has the round before it again.</summary>
internal sealed class AskedOnce
{
    private readonly HashSet<string> _asked = [];

    public void Check(Effect effect) => Assert.True(_asked.Add(Name(effect)), $"asked twice in one life: {Words.Of(effect)}");

    public void Note(NodeEvent happened)
    {
        if (happened is WentBack back)
        {
            _asked.RemoveWhere(name => name.StartsWith($"{back.Round} replica ", StringComparison.Ordinal));
        }
    }

    private static string Name(Effect effect) => effect switch
    {
        RunInnerSteps e => Replica(e.Round, effect),
        PublishUpdate e => $"{e.Round} publish",
        ApplyManifest e => Replica(e.Round, effect),
        Recompute e => Replica(e.Round, effect),
        CatchUp e => Replica(e.Round, effect),
        Evaluate e => Replica(e.Round, effect),
        SubmitBeacon e => $"{e.Round} beacon",
        JudgeUpdates e => $"{e.Round} judge",
        PrepareSettlement e => $"{e.Round} settle",
        ArmDeadline e => $"{e.Round} {e.Stage}",
        Submit e => "submit " + Words.Slot(e.Operation),
        _ => effect.GetType().Name,
    };

    private static string Replica(Round round, Effect effect) => $"{round} replica {effect.GetType().Name}";
}
