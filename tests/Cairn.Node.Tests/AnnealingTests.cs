using Cairn.Base;
using Cairn.Data;
using Cairn.Ledger;

namespace Cairn.Node.Tests;

/// <summary>Runs whose last rounds train on an annealing part of the data.</summary>
public sealed class AnnealingTests : IDisposable
{
    private const int Rounds = 6;
    private const int AnnealRounds = 3;
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_swarm_anneals_from_the_announced_round_on_and_a_run_that_was_stopped_at_the_switch_ends_the_same(int applyDelay)
    {
        var options = Options("whole") with { ApplyDelay = applyDelay, AnnealRate = 0.5 };
        var whole = await SmallRun.RunAsync(options);
        Assert.True(whole.Finished && whole.Report.DigestAgreement && whole.Halted.Count == 0);
        var run = new RunDirectory(_folder["whole"]);
        var audit = SampleAudit.Of(run);
        Assert.True(audit.Holds, audit.ToJsonLine());
        Assert.Equal((audit.Planned, 0L), (audit.Trained, audit.Misplaced));
        Assert.Equal(AnnealRounds * 2 * 20, audit.Annealed);
        Assert.Equal(Rounds * 2 * 20, audit.Trained);

        // The baseline sees the same samples in the same order, up to who of the round trains on which.
        var (rules, issued) = (RunSetup.ReadRules(run), IssuedIn(run));
        var order = new EpochOrder(rules);
        for (var round = 0; round < Rounds; round++)
        {
            var first = round * 40L;
            Assert.Equal(Enumerable.Range(0, 40).Select(at => order.At(first + at)).Order(), issued[round].Order());
        }

        // The rules say how it ends, and no vote changes that.
        var now = RunRulesNow.Read(run);
        Assert.Equal((rules.Anneal, Rounds - AnnealRounds), (now.Anneal, now.Anneal!.FromStep));
        Assert.Equal(rules.Anneal, RunSummary.Read(run).Anneal);

        var stopped = await SmallRun.RunAsync(options with { Directory = _folder["stopped"] }, stopAfter: Rounds - AnnealRounds - 1);
        Assert.False(stopped.Finished);
        var resumed = await SmallRun.RunAsync(options with { Directory = _folder["stopped"], Resume = true });
        Assert.Equal(whole.Report.BaseDigest, resumed.Report.BaseDigest);
        Assert.True(SampleAudit.Of(new RunDirectory(_folder["stopped"])).Holds);
    }

    [Fact]
    public void The_learning_rate_goes_on_or_has_an_anneal_of_its_own_that_ends_at_zero()
    {
        var plain = Rules(Options("plain"));
        Assert.Equal(RunContext.ScheduleOf(plain with { Anneal = null }), RunContext.ScheduleOf(plain));

        var own = Rules(Options("own") with { AnnealRate = 0.5 });
        var (schedule, start, end) = (RunContext.ScheduleOf(own), (Rounds - AnnealRounds) * 5L, Rounds * 5L);
        Assert.Empty(schedule.Faults());
        Assert.Equal((0.5, 1), (own.Anneal!.PeakFraction, own.Anneal.WarmUpSteps));
        Assert.InRange(schedule.At(start - 1), 0.1 * own.Training.PeakRate, 0.2 * own.Training.PeakRate);
        Assert.Equal(own.Training.PeakRate * 1e-6, schedule.At(start), 12);
        Assert.Equal(0.5 * own.Training.PeakRate, schedule.At(start + 1), 12);
        Assert.InRange(schedule.At(end - 1), 1e-9, 0.05 * own.Training.PeakRate);
        Assert.Equal(0, schedule.At(end));
    }

    [Fact]
    public void Without_a_word_a_tenth_of_the_rounds_anneals_and_with_none_all_data_are_alike()
    {
        Assert.Equal(5, Rules(Options("tenth") with { AnnealRounds = null }).Anneal!.FromStep);
        Assert.Equal(18, Rules(Options("twenty") with { AnnealRounds = null, Rounds = 20 }).Anneal!.FromStep);
        var alike = Rules(Options("alike") with { AnnealRounds = 0 });
        Assert.Null(alike.Anneal);
        Assert.Equal([SamplePart.Main(alike.Data.TrainSamples)], alike.ToLedgerRules().SampleParts());
    }

    [Theory]
    [InlineData("have no annealing part for --anneal-rounds 2", 6, 2, null, false)]
    [InlineData("have no annealing part for --anneal-rate 0.5", 6, null, 0.5, false)]
    [InlineData("6 of 6 rounds cannot be", 6, 6, null, true)]
    [InlineData("1 of 1 rounds cannot be", 1, null, null, true)]
    public void An_annealing_that_the_run_cannot_hold_is_refused_with_a_remedy(string word, int rounds, int? annealRounds, double? rate, bool prepared)
    {
        var options = Options("refused") with { Rounds = rounds, AnnealRounds = annealRounds, AnnealRate = rate };
        options = prepared ? options : options with { Data = [TestCorpus.Write(_folder["plain.txt"])] };
        Assert.Contains(word, Refusal(options), StringComparison.Ordinal);
        Assert.False(new RunDirectory(_folder["refused"]).HoldsRun);
    }

    [Fact]
    public void Too_little_to_anneal_on_is_refused_and_says_how_much_a_round_takes()
    {
        var refusal = Refusal(Options("small") with { Batch = 40 });
        Assert.Contains("the annealing part of the data has", refusal, StringComparison.Ordinal);
        Assert.Contains("--anneal-mix", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_out_of_range_are_refused_at_once()
    {
        var refusal = Assert.Throws<InputException>(() => (Options("range") with { AnnealRounds = -1, AnnealRate = 2 }).Validate()).Message;
        Assert.Contains("--anneal-rounds is -1", refusal, StringComparison.Ordinal);
        Assert.Contains("--anneal-rate is 2", refusal, StringComparison.Ordinal);
        Assert.Contains("leave out --anneal-rounds 0", Assert.Throws<InputException>(() => (Options("range") with { AnnealRounds = 0, AnnealRate = 1 }).Validate()).Message, StringComparison.Ordinal);
    }

    private Protocol.RunRules Rules(SwarmOptions options) => Swarm.Found(options, null, new StoreAccess(), _ => { }, TestContext.Current.CancellationToken);

    private string Refusal(SwarmOptions options) => Assert.Throws<InputException>(() => Rules(options)).Message;

    private SwarmOptions Options(string name) => new()
    {
        Directory = _folder[name],
        Peers = 2,
        Preset = "pico",
        Rounds = Rounds,
        InnerSteps = 5,
        Batch = 4,
        Data = [PrepareOnce()],
        Seed = 5,
        Threads = 2,
        AnnealRounds = AnnealRounds,
    };

    // The same small language twice: the parts differ in what is said, and not in how.
    private string PrepareOnce()
    {
        if (!DataSet.IsIn(_folder["set"]))
        {
            var text = File.ReadAllText(TestCorpus.Write(_folder["corpus.txt"])).Split("\n\n");
            File.WriteAllText(_folder["main.txt"], string.Join("\n\n", text[..(text.Length / 2)]));
            File.WriteAllText(_folder["last.txt"], string.Join("\n\n", text[(text.Length / 2)..]));
            DataPreparation.Run(
                new PreparationOptions { Sources = [Source("main")], AnnealSources = [Source("last")], VocabularySize = 400, HeldOutPart = 0.1 },
                _folder["set"]).Dispose();
        }

        return _folder["set"];

        WeightedSource Source(string name)
        {
            var lines = File.ReadAllLines(_folder[$"{name}.txt"]).Where(line => line.Length > 0).Chunk(10);
            File.WriteAllLines(_folder[$"{name}.jsonl"], lines.Select(lines => System.Text.Json.JsonSerializer.Serialize(new { text = string.Join("\n", lines) })));
            return new WeightedSource(_folder[$"{name}.jsonl"], 1);
        }
    }

    private static List<List<long>> IssuedIn(RunDirectory run)
    {
        using var ledger = EmbeddedLedger.Open(run.Ledger, readOnly: true);
        var (state, rounds) = (LedgerState.FromGenesis(ledger.Genesis), new List<List<long>>());
        Note();
        foreach (var block in ledger.ReadNew())
        {
            state.Apply(block);
            Note();
        }

        return rounds;

        void Note()
        {
            if (rounds.Count == state.CurrentRound.Number)
            {
                rounds.Add([.. state.Roster.SelectMany(entry => state.SamplesOf(entry.Uid))]);
            }
        }
    }
}
