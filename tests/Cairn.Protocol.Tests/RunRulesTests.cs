using System.Text;
using Cairn.Base;

namespace Cairn.Protocol.Tests;

public sealed class RunRulesTests
{
    private static readonly RunRules Rules = SomeRules.Valid;

    [Fact]
    public void Rules_that_can_be_run_have_no_fault_and_a_digest_for_all_time()
    {
        Assert.Empty(Rules.Faults());
        var digest = Rules.ComputeDigest().ToString();
        Assert.True(digest == "b468e67aec32892a3a06afab5cdae7faf285785e582ccc2ae4e6c5d6ce269042", $"the digest of these rules is {digest} now: rules of older runs would be refused");
    }

    [Fact]
    public void Every_single_value_changes_the_digest_each_in_another_way()
    {
        var changed = SomeRules.EveryChange(Rules).ToList();
        Assert.Equal(62, changed.Count);
        var digests = changed.Select(change => change.Rules.ComputeDigest()).Append(Rules.ComputeDigest());
        Assert.Equal(changed.Count + 1, digests.Distinct().Count());
    }

    [Fact]
    public void Rules_read_back_from_JSON_as_they_were_written()
    {
        foreach (var (_, rules) in SomeRules.EveryChange(Rules).Where(change => change.Rules.Faults().Count == 0).Append(("none", Rules)))
        {
            Assert.Equal(rules, RunRulesFile.Read(RunRulesFile.Write(rules), "rules.json"));
        }
    }

    [Fact]
    public void Every_edited_value_is_refused_by_the_digest()
    {
        var digest = Rules.ComputeDigest().ToString();
        foreach (var (name, rules) in SomeRules.EveryChange(Rules))
        {
            // As if somebody had changed this one value in the file and left the digest as it was.
            var edited = Encoding.UTF8.GetString(RunRulesFile.Write(rules)).Replace(rules.ComputeDigest().ToString(), digest, StringComparison.Ordinal);
            var refusal = Assert.Throws<InputException>(() => RunRulesFile.Read(Encoding.UTF8.GetBytes(edited), "rules.json"));
            Assert.True(refusal.Message.Contains("rules.json was changed", StringComparison.Ordinal), $"{name}: {refusal.Message}");
        }
    }

    [Fact]
    public void No_cut_and_no_flipped_bit_does_anything_but_refuse_or_mean_the_same()
    {
        var json = RunRulesFile.Write(Rules);
        for (var at = 0; at < json.Length; at++)
        {
            Assert.Throws<InputException>(() => RunRulesFile.Read(json.AsSpan(0, at), "rules.json"));
            var damaged = json.ToArray();
            damaged[at] ^= (byte)(1 << (at % 8));
            AssertRefusedOrSame(damaged);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("{}")]
    [InlineData("{\"digest\":null,\"rules\":null}")]
    [InlineData("{\"digest\":\"00\",\"rules\":{}}")]
    public void What_is_no_rules_file_is_refused_in_one_sentence(string text)
    {
        var refusal = Assert.Throws<InputException>(() => RunRulesFile.Read(Encoding.UTF8.GetBytes(text), "rules.json"));
        Assert.Contains("rules.json is not a rules file", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal.Message);
    }

    [Fact]
    public void All_faults_are_named_at_once()
    {
        var faulty = Rules with
        {
            Version = 99,
            PeersMax = 0,
            Training = Rules.Training with { InnerSteps = 0, PeakRate = double.NaN },
            Round = Rules.Round with { ApplyDelay = 2, ProbeSequences = 1 },
        };
        Assert.Equal(6, faulty.Faults().Count);
        var refusal = Assert.Throws<InputException>(() => RunRulesFile.Read(RunRulesFile.Write(faulty with { Training = faulty.Training with { PeakRate = 2 } }), "rules.json"));
        foreach (var word in new[] { "version is 99", "peersMax is 0", "innerSteps is 0", "peakRate is 2", "applyDelay is 2", "probeSequences" })
        {
            Assert.Contains(word, refusal.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(OutOfRange))]
    public void Each_value_out_of_its_range_is_exactly_one_fault(string word, RunRules rules)
    {
        Assert.Contains(word, Assert.Single(rules.Faults()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_round_must_find_samples_for_all_peers_and_for_the_probes()
    {
        var needed = (Rules.PeersMax * Rules.SamplesPerPeer) + Rules.Round.ProbeSequences;
        Assert.Empty((Rules with { Data = Rules.Data with { TrainSamples = needed } }).Faults());
        Assert.Contains($"one round takes {needed}", Assert.Single((Rules with { Data = Rules.Data with { TrainSamples = needed - 1 } }).Faults()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_anneals_says_so_in_every_form_of_its_rules()
    {
        var annealing = Rules with { Anneal = new AnnealRules(3_000, 90, 0.25, 100) };
        Assert.Empty(annealing.Faults());
        var ledger = annealing.ToLedgerRules();
        Assert.Empty(ledger.Faults());
        Assert.Equal((3_000, 90), (ledger.AnnealSamples, ledger.AnnealFrom));
        Assert.Equal(annealing, RunRulesFile.Read(RunRulesFile.Write(annealing), "rules.json"));
        Assert.DoesNotContain("anneal", Encoding.UTF8.GetString(RunRulesFile.Write(Rules)), StringComparison.Ordinal);
        AnnealRules[] all =
            [annealing.Anneal!, new(3_001, 90, 0.25, 100), new(3_000, 91, 0.25, 100), new(3_000, 90, 0.5, 100), new(3_000, 90, 0.25, 101), new(3_000, 90, 0, 0)];
        var digests = all.Select(anneal => (Rules with { Anneal = anneal }).ComputeDigest()).Append(Rules.ComputeDigest());
        Assert.Equal(all.Length + 1, digests.Distinct().Count());
        Assert.Contains("after 90 rounds", annealing.Anneal!.ToString(), StringComparison.Ordinal);

        // What validators vote for leaves it as it is.
        Assert.Equal(annealing.Anneal, annealing.With([new Ledger.RuleChange(Ledger.Rule.PeakRate, 1_000_000)]).Anneal);
    }

    [Theory]
    [InlineData("annealing begins after 0 of 100", 3_000, 0, 0.0, 0)]
    [InlineData("annealing begins after 100 of 100", 3_000, 100, 0.0, 0)]
    [InlineData("the annealing part of the data has 487", 487, 90, 0.0, 0)]
    [InlineData("the annealing part of the data has -1", -1, 90, 0.0, 0)]
    [InlineData("487 samples of the data are not for annealing", 9_513, 90, 0.0, 0)]
    [InlineData("samples of the data are not for annealing", long.MaxValue, 90, 0.0, 0)]
    [InlineData("the annealing rate is 1.5", 3_000, 90, 1.5, 0)]
    [InlineData("the annealing rate is -0.5", 3_000, 90, -0.5, 0)]
    [InlineData("rises for 150", 3_000, 90, 0.5, 150)]
    [InlineData("rises for -1", 3_000, 90, 0.5, -1)]
    [InlineData("rises for 1", 3_000, 90, 0.0, 1)]
    public void An_annealing_that_cannot_be_is_exactly_one_fault(string word, long samples, int fromStep, double peak, int warmUp) => Assert.Contains(
        word, Assert.Single((Rules with { Anneal = new AnnealRules(samples, fromStep, peak, warmUp) }).Faults()), StringComparison.Ordinal);

    [Fact]
    public void What_these_rules_allow_the_ledger_allows_too()
    {
        var large = Rules with
        {
            PeersMax = 256,
            Training = Rules.Training with { InnerSteps = 2_000, Batch = 32 },
            Round = Rules.Round with { Rounds = 1_000_000, SettleEvery = 1_000_000, RetainedRounds = 125_000 },
            Data = Rules.Data with { TrainSamples = 1L << 40 },
        };
        Assert.Empty(large.Faults());
        Assert.Empty(large.ToLedgerRules().Faults());
        Assert.Equal(2_000_000_000, large.InnerStepsTotal);
    }

    public static TheoryData<string, RunRules> OutOfRange() => new()
    {
        { "peersMax", Rules with { PeersMax = 0 } },
        { "name", Rules with { Name = new string('x', 1000) } },
        { "innerSteps", Rules with { Training = Rules.Training with { InnerSteps = 10_001 }, Data = Rules.Data with { TrainSamples = 1L << 40 } } },
        { "batch", Rules with { Training = Rules.Training with { Batch = 0 } } },
        { "samples", Rules with { PeersMax = 256, Training = Rules.Training with { InnerSteps = 2_000, Batch = 33 }, Data = Rules.Data with { TrainSamples = 1L << 40 } } },
        { "peakRate", Rules with { Training = Rules.Training with { PeakRate = 0 } } },
        { "floorFraction", Rules with { Training = Rules.Training with { FloorFraction = 1.1 } } },
        { "warmUpSteps", Rules with { Training = Rules.Training with { WarmUpSteps = -1 } } },
        { "beta1", Rules with { Training = Rules.Training with { Beta1 = 1 } } },
        { "beta2", Rules with { Training = Rules.Training with { Beta2 = double.NaN } } },
        { "epsilon", Rules with { Training = Rules.Training with { Epsilon = double.PositiveInfinity } } },
        { "weightDecay", Rules with { Training = Rules.Training with { WeightDecay = -0.1 } } },
        { "clipNorm", Rules with { Training = Rules.Training with { ClipNorm = double.PositiveInfinity } } },
        { "errorDecay", Rules with { Sparse = Rules.Sparse with { ErrorDecay = 1 } } },
        { "outerRate", Rules with { Sparse = Rules.Sparse with { OuterRate = 5 } } },
        { "combination", Rules with { Sparse = Rules.Sparse with { Combination = (Combination)9 } } },
        { "quantization", Rules with { Sparse = Rules.Sparse with { Quantization = (Quantization)9 } } },
        { "coding", Rules with { Sparse = Rules.Sparse with { Coding = (Coding)9 } } },
        { "keep", Rules with { Sparse = Rules.Sparse with { Keep = 65 } } },
        { "tolerated is 1, must be 0", Rules with { Sparse = Rules.Sparse with { Tolerated = 1 } } },
        { "tolerated is 0, must be at least 1", Rules with { Sparse = Rules.Sparse with { Combination = Combination.Support } } },
        { "tolerated is 2", Rules with { Sparse = Rules.Sparse with { Combination = Combination.TrimmedMean, Tolerated = 2 } } },
        { "rounds", Rules with { Round = Rules.Round with { Rounds = 1_000_001 } } },
        { "inner steps of the whole run", Rules with { Training = Rules.Training with { InnerSteps = 10_000 }, Round = Rules.Round with { Rounds = 1_000_000 }, Data = Rules.Data with { TrainSamples = 1L << 40 } } },
        { "settleEvery", Rules with { Round = Rules.Round with { SettleEvery = 0 } } },
        { "applyDelay", Rules with { Round = Rules.Round with { ApplyDelay = 2 } } },
        { "probedPeers", Rules with { Round = Rules.Round with { ProbedPeers = -1 } } },
        { "probeSequences", Rules with { Round = Rules.Round with { ProbeSequences = 1 } } },
        { "probeStep", Rules with { Round = Rules.Round with { ProbeStep = 0 } } },
        { "overlapPerMille", Rules with { Round = Rules.Round with { OverlapPerMille = 501 } } },
        { "retainedRounds", Rules with { Round = Rules.Round with { RetainedRounds = 1 } } },
        { "stageSecondsMax", Rules with { Round = Rules.Round with { StageSecondsMax = 0 } } },
        { "rewardPerSettlement", Rules with { Money = Rules.Money with { RewardPerSettlement = -1 } } },
        { "dividendShare", Rules with { Money = Rules.Money with { DividendShare = -1 } } },
        { "auditShare", Rules with { Money = Rules.Money with { AuditShare = -1 } } },
        { "peerBondMin", Rules with { Money = Rules.Money with { PeerBondMin = 0 } } },
        { "validatorBondMin", Rules with { Money = Rules.Money with { ValidatorBondMin = 0 } } },
        { "newcomerShareMax", Rules with { Money = Rules.Money with { NewcomerShareMax = 0 } } },
        { "absentRoundsMax", Rules with { Money = Rules.Money with { AbsentRoundsMax = 0 } } },
        { "accusationRounds", Rules with { Money = Rules.Money with { AccusationRounds = -1 } } },
        { "equivocationSlash", Rules with { Money = Rules.Money with { EquivocationSlash = 1_000_000_001 } } },
        { "faultSlash", Rules with { Money = Rules.Money with { FaultSlash = -1 } } },
        { "kappa", Rules with { Money = Rules.Money with { Kappa = 0 } } },
        { "backingMovingAverage", Rules with { Money = Rules.Money with { BackingMovingAverage = 1_000_000_001 } } },
        { "backingPenalty", Rules with { Money = Rules.Money with { BackingPenalty = -1 } } },
        { "below accusationRounds", Rules with { Money = Rules.Money with { ExitDelayRounds = 1 } } },
        { "leave nothing to the peers", Rules with { Money = Rules.Money with { DividendShare = 999_999_999 } } },
        { "held-out", Rules with { Data = Rules.Data with { HeldOutSamples = 0 } } },
    };

    private static void AssertRefusedOrSame(byte[] damaged)
    {
        RunRules read;
        try
        {
            read = RunRulesFile.Read(damaged, "rules.json");
        }
        catch (InputException)
        {
            return;
        }

        Assert.Equal(Rules, read);
    }
}
