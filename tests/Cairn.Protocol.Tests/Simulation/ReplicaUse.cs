using Cairn.Base;

namespace Cairn.Protocol.Tests.Simulation;

/// <summary>A replica is one thing: while something changes it, nothing else may read or change it. The machine is what guarantees that.</summary>
internal sealed class ReplicaUse
{
    private readonly List<Effect> _running = [];

    public void Begin(Effect effect)
    {
        var other = _running.Find(running => Changes(running) || Changes(effect));
        Assert.True(other is null, $"{Words.Of(effect)} was asked for while the replica is used: {(other is null ? "" : Words.Of(other))}");
        if (effect is not PublishUpdate)
        {
            _running.Add(effect);
        }
    }

    public void End(Effect effect) => _running.Remove(effect);

    public void Clear() => _running.Clear();

    private static bool Changes(Effect effect) => effect is RunInnerSteps or ApplyManifest or CatchUp;
}
