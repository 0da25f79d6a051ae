using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>What the ledger itself must know of a run's rules: integers only. Fixed before round 0, part of the <see cref="Genesis"/>.</summary>
public sealed record LedgerRules
{
    /// <summary>Length of the canonical bytes.</summary>
    public const int Size = (13 * sizeof(long)) + (9 * sizeof(int));

    /// <summary>The most peers that any run can have in a round: bounds every list on the wire.</summary>
    public const int PeersLimit = 4096;

    /// <summary>The most members that ever register.</summary>
    public const int MembersLimit = 65_536;

    /// <summary>The most validators with a voice in a round, those with the largest bonds: bounds the work of every vote and settlement.</summary>
    public const int VotersLimit = 256;

    /// <summary>The most samples that one round can issue: <see cref="PeersMax"/> × <see cref="SamplesPerPeer"/>.</summary>
    public const int SamplesLimit = 1 << 24;

    /// <summary>The largest bond or reward: sums over all members and rounds stay far inside 64 bits.</summary>
    public const long MoneyLimit = 1_000_000_000_000;

    private const int RoundsLimit = 1_000_000;

    /// <summary>Seed of the order in which samples are trained on.</summary>
    public required ulong Seed { get; init; }

    /// <summary>How many rounds the run has, empty ones counted; 1 to a million.</summary>
    public required int Rounds { get; init; }

    /// <summary>The most peers in one round; 1 to <see cref="PeersLimit"/>. If more are there, the beacon draws.</summary>
    public required int PeersMax { get; init; }

    /// <summary>Training samples in the data set; at least <see cref="PeersMax"/> × <see cref="SamplesPerPeer"/>, so that no two peers
    /// share one in a round.</summary>
    public required long SampleCount { get; init; }

    /// <summary>Samples that one peer trains on in one round, if it has not declared fewer (<see cref="Declare"/>): inner steps × batch.</summary>
    public required int SamplesPerPeer { get; init; }

    /// <summary>The fewest that a slow peer may declare: a multiple of <see cref="SamplesPerStep"/>, at most <see cref="SamplesPerPeer"/>; 0 where none may declare
    /// fewer.</summary>
    public int SamplesMin { get; init; }

    /// <summary>Samples of one inner step: what is declared is a multiple of it; at least 1.</summary>
    public int SamplesPerStep { get; init; } = 1;

    /// <summary>Rounds from one settlement to the next; at least 1. The last round always settles.</summary>
    public required int SettleEvery { get; init; }

    /// <summary>0: a round is trained from the base after the round before it. 1: from the base before that one, so that it can be trained while that one is closed; then
    /// roster and samples are fixed one round ahead. Stands at the end of the <see cref="Genesis"/>, and only where it is 1.</summary>
    public int ApplyDelay { get; init; }

    /// <summary>How many of the last samples of the data set form the annealing part, on which the last rounds train; 0 for none. Both parts hold at least
    /// <see cref="PeersMax"/> × <see cref="SamplesPerPeer"/>. Stands at the end of the <see cref="Genesis"/>, and only where there is one.</summary>
    public long AnnealSamples { get; init; }

    /// <summary>From how many steps on (rounds closed with an update, what schedules count) a round trains on the annealing part: 1 to
    /// <see cref="Rounds"/> − 1; 0 where there is none.</summary>
    public int AnnealFrom { get; init; }

    /// <summary>Rounds in a row that a member may be absent before it is no longer waited for; at least 1.</summary>
    public int AbsentRoundsMax { get; init; } = 3;

    /// <summary>What one settlement pays out in all: to peers, validators and the audit fund; 0 to <see cref="MoneyLimit"/>.</summary>
    public long RewardPerSettlement { get; init; } = 1_000_000_000;

    /// <summary>A peer with less bond is a newcomer; its pay is locked as bond until it has this much. 1 to <see cref="MoneyLimit"/>.</summary>
    public long PeerBondMin { get; init; } = 1;

    /// <summary>A validator with less bond has no voice. 1 to <see cref="MoneyLimit"/>.</summary>
    public long ValidatorBondMin { get; init; } = 1;

    /// <summary>The largest part of a manifest's weight, and of a settlement's pay, that all newcomers together have, in billionths, as long as anybody else is in it;
    /// 1 to <see cref="Shares.One"/> (no limit).</summary>
    public long NewcomerShareMax { get; init; } = Shares.One / 10;

    /// <summary>Rounds for which the bond of a member that leaves can still be cut; at least <see cref="AccusationRounds"/>.</summary>
    public int ExitDelayRounds { get; init; } = 16;

    /// <summary>Rounds after which two contradicting statements are no longer held against their author; 0 to a million.</summary>
    public int AccusationRounds { get; init; } = 8;

    /// <summary>The part of its bond that a member loses for contradicting itself, in billionths; 0 to <see cref="Shares.One"/>.</summary>
    public long EquivocationSlash { get; init; } = Shares.One / 10;

    /// <summary>The part of its bond that a member loses for a fault that two thirds of the validators' bond vote on, in billionths; 0 to
    /// <see cref="Shares.One"/>.</summary>
    public long FaultSlash { get; init; } = Shares.One / 2;

    /// <summary>The part of each settlement that validators earn as dividends, in billionths; with <see cref="AuditShare"/> less than
    /// <see cref="Shares.One"/>.</summary>
    public long DividendShare { get; init; } = Shares.One / 10;

    /// <summary>The part of each settlement that is kept to pay audits, in billionths.</summary>
    public long AuditShare { get; init; } = Shares.One / 50;

    /// <summary>κ of the consensus (docs/consensus.md): a share counts as far as validators with this part of the bond support it, in billionths; 1 to
    /// <see cref="Shares.One"/>. Just more than half by default.</summary>
    public long Kappa { get; init; } = (Shares.One / 2) + 1;

    /// <summary>How much a settlement keeps of what validators backed before, in billionths; 0 to <see cref="Shares.One"/>.</summary>
    public long BackingMovingAverage { get; init; } = Shares.One / 10 * 9;

    /// <summary>How far a share above the consensus is cut before it backs a peer, in billionths: from not at all (0) to down to the consensus
    /// (<see cref="Shares.One"/>).</summary>
    public long BackingPenalty { get; init; } = Shares.One;

    /// <summary>True if a round ends with a settlement.</summary>
    /// <param name="round">Any round of the run.</param>
    public bool Settles(Round round) => (round.Number + 1) % SettleEvery == 0 || round.Number == Rounds - 1;

    /// <summary>The parts of the samples, each walked through by itself: the main one, and the annealing one if there is any.</summary>
    public IReadOnlyList<SamplePart> SampleParts() =>
        AnnealSamples == 0 ? [SamplePart.Main(SampleCount)]
        : [SamplePart.Main(SampleCount - AnnealSamples), SamplePart.Annealing(SampleCount - AnnealSamples, AnnealSamples)];

    /// <summary>On which of <see cref="SampleParts"/> a round trains: all its samples are of that one.</summary>
    /// <param name="stepsBefore">Where the round stands on the schedules (<see cref="LedgerState.StepsBefore"/>).</param>
    public int PartAt(long stepsBefore) => AnnealSamples > 0 && stepsBefore >= AnnealFrom ? 1 : 0;

    internal EpochRules ForConsensus() => new() { Kappa = Kappa, BackingMovingAverage = BackingMovingAverage, BackingPenalty = BackingPenalty };

    /// <summary>Everything that is wrong with these rules, as sentences; none if they can be used.</summary>
    public IReadOnlyList<string> Faults()
    {
        var faults = new List<string>();
        Range("rounds", Rounds, 1, RoundsLimit);
        Range("peersMax", PeersMax, 1, PeersLimit);
        Range("samplesPerPeer", SamplesPerPeer, 1, int.MaxValue);
        Range("samplesMin", SamplesMin, 0, SamplesPerPeer);
        Range("samplesPerStep", SamplesPerStep, 1, SamplesPerPeer);
        Range("sampleCount", SampleCount, 1, (1L << 62) - 1);
        Range("settleEvery", SettleEvery, 1, RoundsLimit);
        Range("applyDelay", ApplyDelay, 0, 1);
        Range("annealFrom", AnnealFrom, 0, RoundsLimit);
        Range("annealSamples", AnnealSamples, 0, (1L << 62) - 1);
        Range("absentRoundsMax", AbsentRoundsMax, 1, RoundsLimit);
        Range("rewardPerSettlement", RewardPerSettlement, 0, MoneyLimit);
        Range("peerBondMin", PeerBondMin, 1, MoneyLimit);
        Range("validatorBondMin", ValidatorBondMin, 1, MoneyLimit);
        Range("newcomerShareMax", NewcomerShareMax, 1, Shares.One);
        Range("accusationRounds", AccusationRounds, 0, RoundsLimit);
        Range("exitDelayRounds", ExitDelayRounds, 0, RoundsLimit);
        Range("equivocationSlash", EquivocationSlash, 0, Shares.One);
        Range("faultSlash", FaultSlash, 0, Shares.One);
        Range("dividendShare", DividendShare, 0, Shares.One);
        Range("auditShare", AuditShare, 0, Shares.One);
        Range("kappa", Kappa, 1, Shares.One);
        Range("backingMovingAverage", BackingMovingAverage, 0, Shares.One);
        Range("backingPenalty", BackingPenalty, 0, Shares.One);
        Relate(
            ExitDelayRounds >= AccusationRounds,
            $"exitDelayRounds {ExitDelayRounds} is below accusationRounds {AccusationRounds}: who leaves could not be held to what it said");
        Relate(SamplesMin % Math.Max(1, SamplesPerStep) == 0, $"samplesMin {SamplesMin} is no multiple of samplesPerStep {SamplesPerStep}");
        Relate(DividendShare + AuditShare < Shares.One, $"dividendShare {DividendShare} and auditShare {AuditShare} leave nothing to the peers");
        var needed = (long)PeersMax * SamplesPerPeer;
        Relate(needed <= SamplesLimit, $"{PeersMax} peers with {SamplesPerPeer} samples each take {needed} in a round, must be at most {SamplesLimit}");
        Relate(
            SampleCount >= needed,
            $"sampleCount {SampleCount} is too small: {PeersMax} peers with {SamplesPerPeer} samples each need {needed} different ones in a round");
        Relate(
            AnnealSamples > 0 == AnnealFrom > 0 && AnnealFrom < Rounds,
            $"annealFrom is {AnnealFrom} with {AnnealSamples} samples to anneal on, must be 1 to {Rounds - 1}, or both 0");
        Relate(
            AnnealSamples == 0 || (AnnealSamples >= needed && SampleCount - AnnealSamples >= needed),
            $"{AnnealSamples} of {SampleCount} samples are to anneal on: those and the others must be {needed} at least, which a round takes");

        return faults;

        // A relation is only worth a sentence if its parts are in range.
        void Relate(bool holds, string fault)
        {
            if (!holds && faults.Count == 0)
            {
                faults.Add(fault);
            }
        }

        void Range(string name, long value, long min, long max)
        {
            if (value < min || value > max)
            {
                faults.Add($"{name} is {value}, outside {min} to {max}");
            }
        }
    }

    /// <summary>Writes the canonical bytes (docs/wire.md): <see cref="Size"/> of them.</summary>
    /// <param name="writer">Receives them.</param>
    public void Write(WireWriter writer)
    {
        writer.Int64((long)Seed);
        writer.Int32(Rounds);
        writer.Int32(PeersMax);
        writer.Int64(SampleCount);
        writer.Int32(SamplesPerPeer);
        writer.Int32(SamplesMin);
        writer.Int32(SamplesPerStep);
        writer.Int32(SettleEvery);
        writer.Int32(AbsentRoundsMax);
        writer.Int64(RewardPerSettlement);
        writer.Int64(PeerBondMin);
        writer.Int64(ValidatorBondMin);
        writer.Int64(NewcomerShareMax);
        writer.Int32(ExitDelayRounds);
        writer.Int32(AccusationRounds);
        writer.Int64(EquivocationSlash);
        writer.Int64(FaultSlash);
        writer.Int64(DividendShare);
        writer.Int64(AuditShare);
        writer.Int64(Kappa);
        writer.Int64(BackingMovingAverage);
        writer.Int64(BackingPenalty);
    }

    /// <summary>Reads what <see cref="Write"/> wrote. Rules with faults fail the reader.</summary>
    /// <param name="reader">Stands at the first byte; hostile bytes are fine.</param>
    public static LedgerRules Read(ref WireReader reader)
    {
        var rules = new LedgerRules
        {
            Seed = (ulong)reader.Int64(),
            Rounds = reader.Int32(),
            PeersMax = reader.Int32(),
            SampleCount = reader.Int64(),
            SamplesPerPeer = reader.Int32(),
            SamplesMin = reader.Int32(),
            SamplesPerStep = reader.Int32(),
            SettleEvery = reader.Int32(),
            AbsentRoundsMax = reader.Int32(),
            RewardPerSettlement = reader.Int64(),
            PeerBondMin = reader.Int64(),
            ValidatorBondMin = reader.Int64(),
            NewcomerShareMax = reader.Int64(),
            ExitDelayRounds = reader.Int32(),
            AccusationRounds = reader.Int32(),
            EquivocationSlash = reader.Int64(),
            FaultSlash = reader.Int64(),
            DividendShare = reader.Int64(),
            AuditShare = reader.Int64(),
            Kappa = reader.Int64(),
            BackingMovingAverage = reader.Int64(),
            BackingPenalty = reader.Int64(),
        };
        if (rules.Faults().Count > 0)
        {
            reader.Fail();
        }

        return rules;
    }
}
