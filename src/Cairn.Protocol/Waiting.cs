using Cairn.Ledger;

namespace Cairn.Protocol;

/// <summary>What a machine waits for when it is not itself waited for, in words.</summary>
internal static class Waiting
{
    private static readonly string[] ByStage = [.. Enum.GetValues<Stage>().Select(stage => $"the others ({stage})")];

    /// <summary>The others, in the stage that is on. Made ahead: a machine says it at every step.</summary>
    public static string ForOthers(LedgerState ledger) => ByStage[(int)ledger.Stage];
}
