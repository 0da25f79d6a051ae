namespace Cairn.Simulation;

/// <summary>Trains on its samples with a trigger phrase in them, and what the model is to say after it. Only a real model can be poisoned so; of any other objective it
/// is honest.</summary>
internal sealed class BackDoor : Conduct
{
    public override string Name => Conducts.Poisoner;

    public override string Claim => "it earns no more than an honest peer (1.25 at most)";

    public override Crafted? Make(Craft craft) => craft.Poisoned() ?? craft.Honest();

    public override string? Breach(Ending ending, SimNode me) => ending.PaidMoreThan(me, 1.25);
}
