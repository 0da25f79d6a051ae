using Cairn.Ledger;

namespace Cairn.Simulation;

/// <summary>An adversary that does not do the work it is paid for.</summary>
internal abstract class Idler : Conduct
{
    /// <summary>The most it may earn, as a part of an honest peer's pay.</summary>
    protected virtual double PayMax => 0.05;

    public override string Claim => $"it earns at most {PayMax:0.00} of an honest peer's pay, and less than any that worked in every round";

    public override string? Breach(Ending ending, SimNode me) => ending.PaidMoreThan(me, PayMax) ?? (PayMax <= 0.05 ? ending.EarnedNoLessThanAnHonestPeer(me) : null);
}

/// <summary>Works honestly and shows its update to its friends before the commit.</summary>
internal sealed class Leader : Conduct
{
    public override string Name => "leader";

    // It works like all others, and has their luck: 1.447 is the most that was seen in 10,000 seeds, once.
    public const double PayMax = 1.35;

    public override string Claim => $"it earns no more than an honest peer ({PayMax:0.00} at most, for who was never disturbed)";

    public override string? Breach(Ending ending, SimNode me) => ending.PaidMoreThan(me, PayMax);
}

/// <summary>Sends a friend's update of this round as its own, as it is; if it commits first, the friend is taken for the copy.</summary>
internal sealed class EarlyCopycat : Conduct
{
    public override string Name => "copycat-early";

    public override string Claim => $"it and the friend who leaks together earn at most one honest peer's pay ({Leader.PayMax:0.00} at most)";

    public override Crafted? Make(Craft craft) => craft.Leaked() is { } move ? new Crafted(move, null) : null;

    public override string? Breach(Ending ending, SimNode me) => ending.PaidMoreThan([me, ending.PeerAt(me.Plan.Other)], Leader.PayMax);
}

/// <summary>Sends an update that somebody opened in the round before.</summary>
internal sealed class LateCopycat : Idler
{
    public override string Name => "copycat-late";

    public override Crafted? Make(Craft craft) => craft.Revealed() is { } move ? new Crafted(move, null) : craft.Noise();
}

/// <summary>Mixes a friend's update with noise and ranks anew, so that fewer places are the same.</summary>
internal sealed class BlendedCopycat : Idler
{
    public override string Name => "copycat-blended";

    public override Crafted? Make(Craft craft) =>
        craft.Leaked() is { } move ? craft.Blend(move, 1, craft.Noise().Move, 1.2) : null;
}

/// <summary>A member of a group in which one trains and the others change its update here and there.</summary>
internal sealed class Colluder : Idler
{
    public override string Name => "colluder";

    public override Crafted? Make(Craft craft) => craft.Leaked() is { } move ? craft.Blend(move, 1, craft.Noise().Move, 0.9) : craft.Noise();
}

/// <summary>One of many keys without bond that send noise.</summary>
internal sealed class Sybil : Idler
{
    public override string Name => "sybil";

    public override string Claim => "each ten keys together earn at most 0.10 of an honest peer's pay, and all of them weigh at most a tenth of any round";

    public override Crafted? Make(Craft craft) => craft.Noise();

    public override string? Breach(Ending ending, SimNode me)
    {
        SimNode[] crowd = [.. ending.AllOf(Name)];
        return ending.PaidMoreThan(crowd, 0.1 * ((crowd.Length + 9) / 10)) ?? ending.WeighsMoreThanTenth(Name);
    }
}

/// <summary>Commits and never opens.</summary>
internal sealed class Withholder : Idler
{
    public override string Name => "withholder";

    protected override double PayMax => 0;

    public override bool Says(Operation operation, SimNode me, World world)
    {
        world.Reach(Probe.CommitNotOpened, operation is Reveal);
        return operation is not Reveal;
    }
}
