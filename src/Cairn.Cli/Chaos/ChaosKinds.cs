namespace Cairn.Cli.Chaos;

/// <summary>Kinds of strikes, as they are named in options and reports.</summary>
internal static class ChaosKinds
{
    public const string Kill = "kill";
    public const string Freeze = "freeze";
    public const string Outage = "outage";
    public const string SlowLine = "slow-line";
    public const string Corrupt = "corrupt-object";
    public const string FullDisk = "full-disk";
    public const string OutageOfAll = "outage-of-all";
    public const string ChainKill = "chain-kill";
    public const string ChainStall = "chain-stall";
    public const string ChainReorg = "chain-reorg";
    public const string ChainRevert = "chain-revert";

    /// <summary>All, those twice that come twice as often.</summary>
    public static IReadOnlyList<string> All { get; } =
        [Kill, Kill, Freeze, Outage, SlowLine, Corrupt, FullDisk, OutageOfAll, ChainKill, ChainStall, ChainReorg, ChainRevert];

    /// <summary>Those against the node of the chain.</summary>
    public static IReadOnlyList<string> OfChain { get; } = [ChainKill, ChainStall, ChainReorg, ChainRevert];
}
