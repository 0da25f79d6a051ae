namespace Cairn.Ledger;

/// <summary>The numbers of a consensus as fractions of one.</summary>
/// <param name="Kappa">How much of the stake must support a score for it to count.</param>
/// <param name="BondsPenalty">0: bonds follow what was said; 1: what the consensus left of it.</param>
/// <param name="Rate">Of the new in the moving average of bonds: 1 − bonds moving average.</param>
/// <param name="Liquid">A rate for each pair instead, in version 3 and where anything is agreed; null for none.</param>
/// <param name="Version3">Bonds as in Yuma 3, not as in Yuma 2.</param>
/// <param name="PermitsMax">How many may validate in the next epoch.</param>
internal sealed record YumaSettings(Fixed32 Kappa, Fixed32 BondsPenalty, Fixed32 Rate, LiquidAlpha? Liquid, bool Version3, int PermitsMax);

/// <summary>What an epoch begins with, for n uids that are validators, peers or both.</summary>
/// <param name="Stake">Sum 1, or 0 where nobody has any.</param>
/// <param name="Permits">Who may validate in this epoch.</param>
/// <param name="Active">Who has spoken lately.</param>
/// <param name="OwnerUid">The one whose opinion of itself counts; −1 for nobody.</param>
/// <param name="Opinions">n rows, in any unit, without what is out of date.</param>
/// <param name="Bonds">n rows: in version 3 proportions, in version 2 in any unit; without those to newcomers.</param>
internal sealed record CoreEpoch(Fixed32[] Stake, bool[] Permits, bool[] Active, int OwnerUid, Cell[][] Opinions, Cell[][] Bonds);

/// <summary>What an epoch ends with; all of n uids.</summary>
/// <param name="ActiveStake">Of those who may validate and are active; sum 1 or 0.</param>
/// <param name="Consensus">The score that the stake agrees on.</param>
/// <param name="Incentive">Sum 1 or 0.</param>
/// <param name="Trust">What the consensus left of a peer's rank.</param>
/// <param name="ValidatorTrust">What the consensus left of a validator's opinions.</param>
/// <param name="Dividends">Sum 1 or 0.</param>
/// <param name="Bonds">n rows of proportions, of all validators.</param>
/// <param name="Permits">Who may validate in the next epoch.</param>
internal sealed record CoreOutcome(
    Fixed32[] ActiveStake, Fixed32[] Consensus, Fixed32[] Incentive, Fixed32[] Trust, Fixed32[] ValidatorTrust, Fixed32[] Dividends, Cell[][] Bonds, bool[] Permits);
