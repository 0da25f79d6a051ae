using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Simulation;

/// <summary>One run of real training with cheats in it, and what they got out of it.</summary>
public static class AttackRun
{
    /// <summary>Runs a case to its end. Same case, same bits.</summary>
    /// <param name="attack">Which.</param>
    /// <param name="setting">What all runs share.</param>
    /// <param name="objective">The model of this case's seed.</param>
    /// <exception cref="OracleException">Safety or liveness broke: a bug, not an attack that worked.</exception>
    public static AttackResult Run(AttackCase attack, AttackSetting setting, ModelObjective objective)
    {
        using var world = new World(attack.ScenarioOf(setting), objective: objective);
        try
        {
            world.Run();
        }
        catch (OracleException e) when (e.Oracle.StartsWith("claim of ", StringComparison.Ordinal))
        {
            // The run is over; what the cheat got is measured below.
        }

        var cheats = world.Nodes.Where(node => node.Role == Role.Peer && node.Plan.Conduct == attack.Adversary).ToList();
        var honest = world.Nodes.Where(node => node.Role == Role.Peer && !cheats.Contains(node)).ToList();
        var manifests = Enumerable.Range(0, setting.Rounds).Select(round => world.Ledger.Head.ManifestOf(new Round(round))!).ToList();
        var last = manifests.FindLastIndex(manifest => cheats.Exists(node => Admitted(manifest, node)));
        var point = world.Oracle.BaseBefore(new Round(setting.Rounds)).Point;
        return new AttackResult(
            attack.KeyOf(setting), attack, objective.HeldOutLoss(point),
            Ratio(Pay(world, cheats, 0), cheats.Count, Pay(world, honest, 0), honest.Count),
            Ratio(Pay(world, cheats, 0), 1, Pay(world, cheats, 0) + Pay(world, honest, 0), 1),
            Ratio(Pay(world, cheats, setting.Rounds / 2), cheats.Count, Pay(world, honest, setting.Rounds / 2), honest.Count),
            cheats.Count == 0 ? 0 : (double)cheats.Sum(node => manifests.Count(manifest => Admitted(manifest, node))) / cheats.Count,
            last == setting.Rounds - 1 ? -1 : last + 1,
            honest.Sum(node => manifests.Count(manifest => !Admitted(manifest, node))),
            attack.Adversary is null or Conducts.Poisoner ? objective.TriggerSuccess(point) : null,
            point.Digest.ToString());
    }

    private static bool Admitted(Manifest manifest, SimNode node) => node.Uid is { } uid && manifest.Contains(uid);

    // Billionths of settlements that began at a round or later.
    private static double Pay(World world, List<SimNode> nodes, int from)
    {
        var (sum, begun) = (0.0, 0);
        foreach (var settlement in world.Oracle.Settlements)
        {
            sum += begun < from ? 0 : settlement.Paid.Where(share => nodes.Exists(node => node.Uid == share.Uid)).Sum(share => (double)share.Share);
            begun = settlement.Round.Number + 1;
        }

        return sum;
    }

    private static double Ratio(double part, int parts, double whole, int wholes) => parts == 0 || whole == 0 ? 0 : part / parts / (whole / wholes);
}
