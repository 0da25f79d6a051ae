using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Simulation;

/// <summary>Trains on half of its samples and declares all of them.</summary>
internal sealed class Lazy : Idler
{
    public override string Name => "lazy";

    protected override double PayMax => 0.55;

    public override Crafted? Make(Craft craft) => craft.From(craft.Node.Replica.TrainsFrom.Point, craft.Samples[..(craft.Samples.Length / 2)]);
}

/// <summary>Trains from the base of round 0 for ever and says that it was the base of the round.</summary>
internal sealed class StaleBase : Conduct
{
    public override string Name => "stale-base";

    public override string Claim => "it earns no more than an honest peer (1.25 at most, for who was never disturbed)";

    public override Crafted? Make(Craft craft) => craft.From(craft.Objective.Start, craft.Samples);

    public override Opening Declare(Opening honest, SimNode me, World world) =>
        me.Replica.Next.Number % 2 == 0 ? honest with { BaseDigest = world.Objective.Start.Digest } : honest;

    public override string? Breach(Ending ending, SimNode me) => ending.PaidMoreThan(me, 1.25);
}

/// <summary>Sends noise of the usual size.</summary>
internal sealed class Noise : Idler
{
    public override string Name => "noise";

    public override Crafted? Make(Craft craft) => craft.Noise();
}

/// <summary>Sends the opposite of what it trained.</summary>
internal sealed class SignFlip : Idler
{
    public override string Name => "sign-flip";

    public override Crafted? Make(Craft craft) => Craft.Scaled(craft.Honest().Move, -1);
}

/// <summary>Sends what it trained a thousand times as large.</summary>
internal sealed class NormBomb : Idler
{
    public override string Name => "norm-bomb";

    public override Crafted? Make(Craft craft) => Craft.Scaled(craft.Honest().Move, 1000);
}

/// <summary>Sends numbers that are none.</summary>
internal sealed class NotANumber : Idler
{
    public override string Name => "nan";

    protected override double PayMax => 0;

    public override Crafted? Make(Craft craft) => Craft.Scaled(craft.Honest().Move, double.NaN);
}

/// <summary>Trains on samples of its own choice.</summary>
internal sealed class WrongData : Idler
{
    public override string Name => "wrong-data";

    public override Crafted? Make(Craft craft)
    {
        var random = craft.Random;
        var samples = new long[craft.Samples.Length];
        for (var i = 0; i < samples.Length; i++)
        {
            samples[i] = random.NextBelow((int)craft.World.Scenario.SampleCount);
        }

        return craft.From(craft.Node.Replica.TrainsFrom.Point, samples);
    }
}

/// <summary>Trains on the first few of its samples again and again.</summary>
internal sealed class DuplicatedData : Idler
{
    public override string Name => "duplicated-data";

    protected override double PayMax => 0.30;

    public override Crafted? Make(Craft craft)
    {
        var samples = craft.Samples.ToArray();
        var kept = Math.Max(1, samples.Length / 8);
        for (var i = kept; i < samples.Length; i++)
        {
            samples[i] = samples[i % kept];
        }

        return craft.From(craft.Node.Replica.TrainsFrom.Point, samples);
    }
}

/// <summary>Sends an update that changes nothing.</summary>
internal sealed class FreeRider : Idler
{
    public override string Name => "free-rider";

    public override Crafted? Make(Craft craft) => Craft.Scaled(craft.Noise().Move, 1e-9);
}

/// <summary>Works, and says everything twice, the second time otherwise.</summary>
internal sealed class Equivocator : Conduct
{
    public override string Name => "equivocator";

    public override string Claim => "it earns no more than an honest peer (1.25 at most)";

    public override Operation? SaysToo(Operation operation) => Otherwise(operation);

    public override string? Breach(Ending ending, SimNode me) => ending.PaidMoreThan(me, 1.25);

    /// <summary>Another statement for the same slot, or null where only one is possible.</summary>
    public static Operation? Otherwise(Operation operation) => operation switch
    {
        Commit o => o with { Root = Digest.Of("simulation/other", []) },
        PostBase o => o with { BaseDigest = Digest.Of("simulation/other", []) },
        Verdict o => o with { Entries = [.. o.Entries.Select(e => new VerdictEntry(e.Uid, Rejection.Malformed, 0))] },
        PostShares o => o with { CheckpointDigest = Digest.Of("simulation/other", []) },
        _ => null,
    };
}

/// <summary>Puts an object larger than the rules allow.</summary>
internal sealed class Oversize : Idler
{
    public override string Name => "oversize";

    protected override double PayMax => 0;

    public override byte[] Pack(byte[] bytes, World world) => [.. bytes, .. new byte[world.Objective.BytesMax]];
}

/// <summary>Works honestly until it has a name, then sends noise.</summary>
internal sealed class Farmer : Conduct
{
    public override string Name => "farmer";

    public override string Claim => "in the settlements after its turn it earns at most 0.05 of an honest peer's pay";

    public override Crafted? Make(Craft craft) => craft.Round.Number < craft.Node.Plan.TurnsAt ? craft.Honest() : craft.Noise();

    public override string? Breach(Ending ending, SimNode me) => ending.PaidMoreThan(me, 0.05, new Round(me.Plan.TurnsAt));
}
