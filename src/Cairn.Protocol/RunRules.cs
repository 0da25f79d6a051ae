using System.Globalization;
using System.Text.Json.Serialization;
using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Protocol;

/// <summary>The shape of the model, as the members agree on it (Llama family; the model room gives the numbers their meaning).</summary>
/// <param name="Preset">The name the shape was chosen by, for people.</param>
/// <param name="Vocabulary">Token ids.</param>
/// <param name="Dim">Width of the residual stream.</param>
/// <param name="Layers">Transformer layers.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KvHeads">Key/value heads.</param>
/// <param name="FeedForward">Width of the feed-forward part.</param>
/// <param name="Context">Tokens per sample.</param>
/// <param name="RopeTheta">Base of the rotary angles.</param>
/// <param name="NormEpsilon">ε of the norms.</param>
/// <param name="TiedHead">True if the head is the embedding.</param>
/// <param name="ParameterCount">How many numbers a replica holds: a check on all of the above.</param>
/// <param name="InitialBase">Merkle root over the parameters that the run begins with: a machine that has others cannot take part.</param>
/// <param name="HeadWidth">Width of a head where it is not the stream's over the heads; else null.</param>
/// <param name="RopeScaling">How rotary angles are stretched; null for not at all.</param>
/// <param name="FromModel">True if the run begins with parameters that somebody brought; false if with those that the seed gives.</param>
public sealed record ModelRules(
    string Preset, int Vocabulary, int Dim, int Layers, int Heads, int KvHeads, int FeedForward, int Context,
    double RopeTheta, double NormEpsilon, bool TiedHead, long ParameterCount, Digest InitialBase,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? HeadWidth = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] RopeRules? RopeScaling = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool FromModel = false);

/// <summary>How rotary angles are stretched.</summary>
/// <param name="Factor">By how much.</param>
/// <param name="LowFrequency">Bounds of the blend of Llama 3.1; all three 0 where all pairs are stretched alike.</param>
/// <param name="HighFrequency">The upper bound.</param>
/// <param name="OriginalContext">The context they are counted in.</param>
public sealed record RopeRules(double Factor, double LowFrequency, double HighFrequency, double OriginalContext);

/// <summary>The data, as the members agree on it.</summary>
/// <param name="Manifest">Digest of the data set's manifest: names every shard by content.</param>
/// <param name="Tokenizer">Digest of the tokenizer.</param>
/// <param name="TrainSamples">Samples that are issued for training.</param>
/// <param name="HeldOutSamples">Samples of the evaluation split, which decides no verdict.</param>
public sealed record DataRules(Digest Manifest, Digest Tokenizer, long TrainSamples, long HeldOutSamples);

/// <summary>The inner loop.</summary>
/// <param name="InnerSteps">Steps of a peer in a round (H).</param>
/// <param name="Batch">Sequences per inner step.</param>
/// <param name="PeakRate">Learning rate after warm-up.</param>
/// <param name="WarmUpSteps">Inner steps of linear warm-up.</param>
/// <param name="FloorFraction">Where the cosine ends, as a fraction of the peak.</param>
/// <param name="Beta1">AdamW.</param>
/// <param name="Beta2">AdamW.</param>
/// <param name="Epsilon">AdamW.</param>
/// <param name="WeightDecay">AdamW.</param>
/// <param name="ClipNorm">Largest norm of the whole gradient.</param>
public sealed record TrainingRules(
    int InnerSteps, int Batch, double PeakRate, int WarmUpSteps, double FloorFraction,
    double Beta1, double Beta2, double Epsilon, double WeightDecay, double ClipNorm);

/// <summary>How updates are combined.</summary>
public enum Combination
{
    /// <summary>Sum over the manifest, each by its weight, divided by the sum of weights.</summary>
    Mean = 0,

    /// <summary>Each coordinate averaged over those members that sent it (the published rule).</summary>
    MeanOfSelectors = 1,

    /// <summary>The mean where more than the tolerated number of liars sent a coordinate, nothing elsewhere.</summary>
    Support = 2,

    /// <summary>Each coordinate without the tolerated number of its largest and smallest values, those who did not send it being zeros.</summary>
    TrimmedMean = 3,

    /// <summary>The mean of values held within the median size of the chunk, and nothing against the majority of signs.</summary>
    SignVote = 4,
}

/// <summary>How values become codes of 1 or 2 bits.</summary>
public enum Quantization
{
    /// <summary>Four levels for a whole tensor, 2 bits (the published rule).</summary>
    Published = 0,

    /// <summary>Sign and one bit of magnitude, a scale for each chunk.</summary>
    SignMagnitude = 1,

    /// <summary>The sign alone, a scale for each chunk.</summary>
    Sign = 2,
}

/// <summary>How updates are written.</summary>
public enum Coding
{
    /// <summary>Every size fixed, each chunk readable by itself.</summary>
    Fast = 0,

    /// <summary>Range coded, about a tenth smaller.</summary>
    Small = 1,
}

/// <summary>SparseLoCo.</summary>
/// <param name="ErrorDecay">β: how much of the error is kept from round to round.</param>
/// <param name="OuterRate">α: step along the combined update.</param>
/// <param name="Combination">How updates are combined.</param>
/// <param name="Tolerated">How many liars a robust combination is to bear; 0 with the others.</param>
/// <param name="ClipToMedianNorm">True to scale an update down to the median norm of the round, tensor by tensor.</param>
/// <param name="Keep">Values sent of each 4096 parameters (k).</param>
/// <param name="Quantization">How values become codes.</param>
/// <param name="Coding">How updates are written.</param>
public sealed record SparseRules(
    double ErrorDecay, double OuterRate, Combination Combination, int Tolerated, bool ClipToMedianNorm, int Keep, Quantization Quantization, Coding Coding);

/// <summary>The round.</summary>
/// <param name="Rounds">Outer steps of the run, fixed before round 0.</param>
/// <param name="SettleEvery">Rounds between settlements.</param>
/// <param name="ApplyDelay">0: apply a round before training the next. 1: train the next while a round is exchanged and closed, and apply it then.</param>
/// <param name="ProbedPeers">Peers whose loss a validator probes in a round.</param>
/// <param name="ProbeSequences">Sequences per probe, half assigned and half held back.</param>
/// <param name="ProbeStep">The part of the outer rate by which a probe applies one update alone (the published run: 0.2).</param>
/// <param name="OverlapPerMille">Two updates that share this much of their indices are not both honest.</param>
/// <param name="RetainedRounds">Rounds for which accepted updates are kept and served.</param>
/// <param name="StageSecondsMax">After how long a validator may call a stage over.</param>
public sealed record RoundRules(
    int Rounds, int SettleEvery, int ApplyDelay, int ProbedPeers, int ProbeSequences, double ProbeStep, int OverlapPerMille, int RetainedRounds, int StageSecondsMax);

/// <summary>The end of a run on data of its own.</summary>
/// <param name="Samples">How many of the last training samples are kept for it: the annealing part of the data.</param>
/// <param name="FromStep">Outer steps (rounds with an update) before it: from then on rounds train on those samples alone, up to then on none of them.</param>
/// <param name="PeakFraction">The learning rate's own anneal: what it rises to anew, as a fraction of the peak, to fall to zero with the last step; 0 where the
/// rate goes on as if nothing were.</param>
/// <param name="WarmUpSteps">Inner steps of that rise.</param>
public sealed record AnnealRules(long Samples, int FromStep, double PeakFraction, int WarmUpSteps)
{
    /// <summary>In a few words, for people.</summary>
    public override string ToString()
    {
        var rate = PeakFraction == 0 ? "the learning rate goes on" : string.Create(
            CultureInfo.InvariantCulture, $"the learning rate rises to {PeakFraction} of its peak in {WarmUpSteps} inner steps and falls to zero");
        return string.Create(CultureInfo.InvariantCulture, $"after {FromStep:N0} rounds with an update, on {Samples:N0} samples of their own; {rate}");
    }
}

/// <summary>Everything the members of a run agree on before it begins. The digest stands in every envelope and in the genesis, which every signature
/// covers, so that a member with other rules is refused at the header, not discovered in the loss curve.</summary>
/// <param name="Version">Of this format: 2.</param>
/// <param name="Name">What people call the run.</param>
/// <param name="Seed">From which the initial parameters and every assignment follow.</param>
/// <param name="PeersMax">Most peers in a round.</param>
/// <param name="Model">The model.</param>
/// <param name="Data">The data.</param>
/// <param name="Training">The inner loop.</param>
/// <param name="Sparse">Compression and combination.</param>
/// <param name="Round">The round.</param>
/// <param name="Money">Bonds, pay and discipline.</param>
/// <param name="Anneal">How the run ends, or null where it trains on all of its data from beginning to end.</param>
public sealed record RunRules(
    int Version, string Name, ulong Seed, int PeersMax, ModelRules Model, DataRules Data, TrainingRules Training, SparseRules Sparse, RoundRules Round, MoneyRules Money,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] AnnealRules? Anneal = null)
{
    /// <summary>The version this code speaks.</summary>
    public const int CurrentVersion = 2;

    /// <summary>For how many times as many rounds as their updates their means are kept.</summary>
    public const int RetainedMeansPerUpdate = 8;

    /// <summary>Samples that one peer trains on in one round.</summary>
    [JsonIgnore]
    public int SamplesPerPeer => Training.InnerSteps * Training.Batch;

    /// <summary>The fewest inner steps that a slow peer may declare: a quarter. Fewer would hardly move the base, and cost as much to check as all.</summary>
    [JsonIgnore]
    public int InnerStepsMin => (Training.InnerSteps + 3) / 4;

    /// <summary>Inner steps of the whole run: the length of the learning-rate schedule.</summary>
    [JsonIgnore]
    public int InnerStepsTotal => Training.InnerSteps * Round.Rounds;

    /// <summary>SHA-256 over every value in the order of declaration (docs/wire.md): the JSON's spacing and order do not matter.</summary>
    public Digest ComputeDigest()
    {
        var w = new WireWriter();
        w.Int32(Version);
        w.Text(Name);
        w.Int64((long)Seed);
        w.Int32(PeersMax);
        w.Text(Model.Preset);
        foreach (var value in (ReadOnlySpan<int>)[Model.Vocabulary, Model.Dim, Model.Layers, Model.Heads, Model.KvHeads, Model.FeedForward, Model.Context])
        {
            w.Int32(value);
        }

        w.Double(Model.RopeTheta);
        w.Double(Model.NormEpsilon);
        w.Byte(Model.TiedHead ? (byte)1 : (byte)0);
        w.Int64(Model.ParameterCount);
        w.Digest(Model.InitialBase);
        if (Model.HeadWidth is not null || Model.RopeScaling is not null || Model.FromModel)
        {
            w.Text("model");
            w.Int32(Model.HeadWidth ?? 0);
            w.Byte(Model.FromModel ? (byte)1 : (byte)0);
            foreach (var value in Model.RopeScaling is { } rope ? (double[])[rope.Factor, rope.LowFrequency, rope.HighFrequency, rope.OriginalContext] : [])
            {
                w.Double(value);
            }
        }

        w.Digest(Data.Manifest);
        w.Digest(Data.Tokenizer);
        w.Int64(Data.TrainSamples);
        w.Int64(Data.HeldOutSamples);
        w.Int32(Training.InnerSteps);
        w.Int32(Training.Batch);
        w.Double(Training.PeakRate);
        w.Int32(Training.WarmUpSteps);
        foreach (var value in (ReadOnlySpan<double>)[
            Training.FloorFraction, Training.Beta1, Training.Beta2, Training.Epsilon, Training.WeightDecay, Training.ClipNorm,
            Sparse.ErrorDecay, Sparse.OuterRate])
        {
            w.Double(value);
        }

        w.Int32((int)Sparse.Combination);
        w.Int32(Sparse.Tolerated);
        w.Byte(Sparse.ClipToMedianNorm ? (byte)1 : (byte)0);
        w.Int32(Sparse.Keep);
        w.Int32((int)Sparse.Quantization);
        w.Int32((int)Sparse.Coding);
        foreach (var value in (ReadOnlySpan<int>)[
            Round.Rounds, Round.SettleEvery, Round.ApplyDelay, Round.ProbedPeers, Round.ProbeSequences,
            Round.OverlapPerMille, Round.RetainedRounds, Round.StageSecondsMax])
        {
            w.Int32(value);
        }

        w.Double(Round.ProbeStep);
        Money.Write(w);
        if (Anneal is not null)
        {
            w.Text("anneal");
            w.Int64(Anneal.Samples);
            w.Int32(Anneal.FromStep);
            w.Double(Anneal.PeakFraction);
            w.Int32(Anneal.WarmUpSteps);
        }

        return Digest.Of("cairn/rules", w.Written);
    }

    /// <summary>Every broken relation among the values, in words; empty when the rules can be run.</summary>
    public IReadOnlyList<string> Faults()
    {
        var faults = new List<string>();
        void Need(bool holds, string text)
        {
            if (!holds)
            {
                faults.Add(text);
            }
        }

        Need(Version == CurrentVersion, $"version is {Version}, this program speaks {CurrentVersion}");
        Need(Name.Length <= 255, $"name has {Name.Length} characters, must have at most 255");
        Need(PeersMax is >= 1 and <= 256, $"peersMax is {PeersMax}, must be 1 to 256");
        Need(Training.InnerSteps is >= 1 and <= 10_000, $"innerSteps is {Training.InnerSteps}, must be 1 to 10,000");
        Need(Training.Batch is >= 1 and <= 65_536, $"batch is {Training.Batch}, must be 1 to 65,536");
        Need(Training.PeakRate is > 0 and <= 1, $"peakRate is {Training.PeakRate}, must lie in (0, 1]");
        Need(Training.FloorFraction is >= 0 and <= 1, $"floorFraction is {Training.FloorFraction}, must lie in [0, 1]");
        Need(Training.WarmUpSteps >= 0, $"warmUpSteps is {Training.WarmUpSteps}, must not be negative");
        Need(Training.Beta1 is >= 0 and < 1 && Training.Beta2 is >= 0 and < 1, "beta1 and beta2 must lie in [0, 1)");
        Need(Training.Epsilon is > 0 and <= 1, $"epsilon is {Training.Epsilon}, must lie in (0, 1]");
        Need(Training.WeightDecay is >= 0 and <= 1, $"weightDecay is {Training.WeightDecay}, must lie in [0, 1]");
        Need(Training.ClipNorm is > 0 and < double.PositiveInfinity, $"clipNorm is {Training.ClipNorm}, must be positive and finite");
        Need(Sparse.ErrorDecay is >= 0 and < 1, $"errorDecay is {Sparse.ErrorDecay}, must lie in [0, 1)");
        Need(Sparse.OuterRate is > 0 and <= 4, $"outerRate is {Sparse.OuterRate}, must lie in (0, 4]");
        Need(Enum.IsDefined(Sparse.Combination), "combination is unknown");
        Need(Enum.IsDefined(Sparse.Quantization), "quantization is unknown");
        Need(Enum.IsDefined(Sparse.Coding), "coding is unknown");
        Need(Sparse.Keep is >= 1 and <= 64, $"keep is {Sparse.Keep}, must be 1 to 64");
        var tolerant = Sparse.Combination is Combination.Support or Combination.TrimmedMean;
        Need(
            tolerant ? Sparse.Tolerated >= 1 && 2 * Sparse.Tolerated < PeersMax : Sparse.Tolerated == 0,
            tolerant
                ? $"tolerated is {Sparse.Tolerated}, must be at least 1 and below half of peersMax ({PeersMax})"
                : $"tolerated is {Sparse.Tolerated}, must be 0 with {Sparse.Combination}");
        Need(Round.Rounds is >= 1 and <= 1_000_000, $"rounds is {Round.Rounds}, must be 1 to 1,000,000");
        var stepsTotal = (long)Training.InnerSteps * Round.Rounds;
        Need(stepsTotal <= int.MaxValue, $"innerSteps times rounds gives {stepsTotal} inner steps of the whole run, must be at most {int.MaxValue}");
        Need(Round.SettleEvery is >= 1 and <= 1_000_000, $"settleEvery is {Round.SettleEvery}, must be 1 to 1,000,000");
        Need(Round.ApplyDelay is 0 or 1, $"applyDelay is {Round.ApplyDelay}, must be 0 or 1");
        Need(Round.ProbedPeers >= 0, "probedPeers must not be negative");
        Need(Round.ProbeSequences >= 2, "probeSequences must be at least 2: half assigned, half held back");
        Need(Round.ProbeStep is > 0 and <= 1, $"probeStep is {Round.ProbeStep}, must lie in (0, 1]");
        Need(Round.OverlapPerMille is > 0 and <= 500, $"overlapPerMille is {Round.OverlapPerMille}, must be 1 to 500");
        Need(Round.RetainedRounds >= 2, "retainedRounds must be at least 2");
        Need(
            Round.RetainedRounds < 2 || Round.SettleEvery <= RetainedMeansPerUpdate * (long)Round.RetainedRounds,
            $"settleEvery is {Round.SettleEvery}, must be at most {RetainedMeansPerUpdate} times retainedRounds: who begins from a checkpoint needs the rounds after it");
        Need(Round.StageSecondsMax >= 1, "stageSecondsMax must be at least 1");

        // A round must find distinct samples for everybody, with some over for the probes' held-back half.
        var needed = ((long)PeersMax * SamplesPerPeer) + Round.ProbeSequences;
        Need(
            needed - Round.ProbeSequences <= LedgerRules.SamplesLimit,
            $"one round takes {needed - Round.ProbeSequences} samples, must be at most {LedgerRules.SamplesLimit}: fewer peers, inner steps, or sequences in a batch");
        Need(
            Data.TrainSamples >= needed,
            $"the data gives {Data.TrainSamples} samples, one round takes {needed}: give more data (--data), or fewer --peers");
        if (Anneal is not null)
        {
            NeedAnnealing(Anneal, needed, Need);
        }

        Need(Data.HeldOutSamples >= 1, "the data gives no held-out sample: give more data (--data)");

        faults.AddRange(Money.Faults());
        return faults;
    }

    private void NeedAnnealing(AnnealRules anneal, long needed, Action<bool, string> need)
    {
        need(
            anneal.FromStep >= 1 && anneal.FromStep < Round.Rounds,
            $"annealing begins after {anneal.FromStep} of {Round.Rounds} rounds, must be after 1 to {Round.Rounds - 1L}: give more --rounds, or other --anneal-rounds");
        need(
            anneal.Samples >= needed,
            $"the annealing part of the data has {anneal.Samples} samples, one round takes {needed}: " +
            "prepare more of it (cairn data prepare --anneal-mix), or give fewer --peers");
        var others = Math.Max(0, Data.TrainSamples) - Math.Max(0, anneal.Samples);
        need(
            others >= needed, $"{others} samples of the data are not for annealing, one round takes {needed}: prepare more (--mix), or give fewer --peers");
        need(anneal.PeakFraction is >= 0 and <= 1, $"the annealing rate is {anneal.PeakFraction} of the peak, must lie in [0, 1]");
        var steps = (long)Training.InnerSteps * (Round.Rounds - (long)anneal.FromStep);
        need(
            anneal.PeakFraction > 0 ? anneal.WarmUpSteps >= 0 && anneal.WarmUpSteps < steps : anneal.WarmUpSteps == 0,
            $"the annealing rate rises for {anneal.WarmUpSteps} inner steps, must be 0 to {steps - 1}, and 0 where it has no peak of its own");
    }

    /// <summary>These rules with what validators have voted to change.</summary>
    /// <param name="changes">Well-formed ones, which the ledger has let pass.</param>
    public RunRules With(IReadOnlyList<RuleChange> changes)
    {
        var rules = this with { Money = MoneyRules.Of(ChangeableRule.In(ToLedgerRules(), changes)) };
        foreach (var (rule, value) in changes)
        {
            // Nearest double of so many billionths: the same on every machine.
            var part = (double)value / Shares.One;
            rules = rule switch
            {
                Rule.StageSecondsMax => rules with { Round = rules.Round with { StageSecondsMax = (int)value } },
                Rule.ProbedPeers => rules with { Round = rules.Round with { ProbedPeers = (int)value } },
                Rule.OverlapPerMille => rules with { Round = rules.Round with { OverlapPerMille = (int)value } },
                Rule.ProbeStep => rules with { Round = rules.Round with { ProbeStep = part } },
                Rule.OuterRate => rules with { Sparse = rules.Sparse with { OuterRate = part } },
                Rule.PeakRate => rules with { Training = rules.Training with { PeakRate = part } },
                _ => rules,
            };
        }

        Invariant.Check(rules.Faults().Count == 0);
        return rules;
    }

    /// <summary>The value of a rule that a vote may change, in the unit that <see cref="ChangeableRule"/> names.</summary>
    /// <param name="rule">Which.</param>
    public long ValueOf(Rule rule) => rule switch
    {
        Rule.RewardPerSettlement => Money.RewardPerSettlement,
        Rule.DividendShare => Money.DividendShare,
        Rule.AuditShare => Money.AuditShare,
        Rule.PeerBondMin => Money.PeerBondMin,
        Rule.ValidatorBondMin => Money.ValidatorBondMin,
        Rule.NewcomerShareMax => Money.NewcomerShareMax,
        Rule.AbsentRoundsMax => Money.AbsentRoundsMax,
        Rule.ExitDelayRounds => Money.ExitDelayRounds,
        Rule.AccusationRounds => Money.AccusationRounds,
        Rule.EquivocationSlash => Money.EquivocationSlash,
        Rule.FaultSlash => Money.FaultSlash,
        Rule.Kappa => Money.Kappa,
        Rule.BackingMovingAverage => Money.BackingMovingAverage,
        Rule.BackingPenalty => Money.BackingPenalty,
        Rule.StageSecondsMax => Round.StageSecondsMax,
        Rule.ProbedPeers => Round.ProbedPeers,
        Rule.OverlapPerMille => Round.OverlapPerMille,
        Rule.ProbeStep => Billionths(Round.ProbeStep),
        Rule.OuterRate => Billionths(Sparse.OuterRate),
        Rule.PeakRate => Billionths(Training.PeakRate),
        _ => throw new ArgumentOutOfRangeException(nameof(rule)),
    };

    private static long Billionths(double part) => (long)Math.Round(part * Shares.One);

    /// <summary>The part that the ledger's state machine needs, in integers.</summary>
    public LedgerRules ToLedgerRules() => Money.In(new LedgerRules
    {
        Seed = Seed,
        Rounds = Round.Rounds,
        PeersMax = PeersMax,
        SampleCount = Data.TrainSamples,
        SamplesPerPeer = SamplesPerPeer,
        SamplesMin = InnerStepsMin * Training.Batch,
        SamplesPerStep = Training.Batch,
        SettleEvery = Round.SettleEvery,
        ApplyDelay = Round.ApplyDelay,
        AnnealSamples = Anneal?.Samples ?? 0,
        AnnealFrom = Anneal?.FromStep ?? 0,
    });
}
