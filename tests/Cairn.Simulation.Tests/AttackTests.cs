using Cairn.Data;
using Cairn.Model;

namespace Cairn.Simulation.Tests;

/// <summary>Real training with cheats in it, small: three of them, judged and unjudged.</summary>
public sealed class AttackTests : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), "cairn-attacks-" + Guid.NewGuid().ToString("N"));
    private readonly DataSet _data;
    private readonly ModelShape _shape;
    private readonly AttackSetting _setting;

    public AttackTests()
    {
        Directory.CreateDirectory(_folder);
        var text = Path.Combine(_folder, "text.txt");
        File.WriteAllText(text, string.Join("\n\n", Enumerable.Range(0, 4000).Select(i => $"Line {i} of a small text says that {i % 7} and {i % 11} are numbers, as lines do.")));
        var preset = Presets.Get("pico");
        _data = DataSet.Prepare(new DataSetOptions { Corpus = new CorpusOptions { Paths = [text] }, VocabularySize = 300 }, Path.Combine(_folder, "data"));
        _shape = preset with { Vocabulary = _data.Tokenizer.VocabularySize };
        _setting = new AttackSetting("pico", 6, 1, 5, 4, 4, _data.SampleCount(_shape.Context), 6, 32);
    }

    [Fact]
    public void A_sign_flipper_is_paid_nothing_where_it_is_judged_and_like_the_others_where_it_is_not()
    {
        var (judged, unjudged) = (Run("sign-flip", true), Run("sign-flip", false));
        Assert.Equal((0.0, 0.0), (judged.PayOfCheat, judged.RoundsAdmitted));
        Assert.Equal(1, unjudged.PayOfCheat, 6);
        Assert.Equal(5.0, unjudged.RoundsAdmitted);
        Assert.True(judged.Loss < unjudged.Loss, $"{judged.Loss} against {unjudged.Loss}");
    }

    [Fact]
    public void Who_commits_and_never_opens_and_who_sends_no_numbers_is_paid_nothing()
    {
        var (withheld, none) = (Run("withholder", true), Run("nan", true));
        Assert.Equal((0.0, 0.0), (withheld.PayOfCheat, withheld.RoundsAdmitted));
        Assert.Equal((0.0, 0.0), (none.PayOfCheat, none.RoundsAdmitted));
    }

    [Fact]
    public void The_same_case_gives_the_same_bits_and_honest_peers_are_all_admitted()
    {
        var (first, second) = (Run(null, true), Run(null, true));
        Assert.Equal(first, second);
        Assert.Equal(0, first.HonestRefused);
        Assert.NotEqual(first.Base, Run(null, true, seed: 2).Base);
    }

    [Fact]
    public void The_table_compares_with_a_clean_run_of_as_many_honest_peers_and_marks_what_is_not_held()
    {
        var clean = Run(null, true);
        var bad = clean with { Case = new AttackCase("noise", 2, true, 1), Loss = clean.Loss * 1.5, PayOfCheat = 0.5, RoundsUntilOut = -1 };
        var row = Assert.Single(AttackTable.RowsOf([clean, bad]));
        Assert.Equal(0.5, row.Excess, 9);
        Assert.False(row.LossHeld || row.PayHeld);
        var page = AttackTable.Page(_setting, [row]);
        Assert.Contains("**+50.00 %**", page, StringComparison.Ordinal);
        Assert.Contains("**50.0 %**", page, StringComparison.Ordinal);
        Assert.Contains("never", page, StringComparison.Ordinal);
    }

    [Fact]
    public void A_models_update_reads_back_as_it_was_written_and_applies_like_one_that_was_never_written()
    {
        using var model = new ModelObjective(_data, _shape, new ModelTraining(1, 4, 6e-3, 20));
        var move = model.Compress(model.Train(model.Start, [1, 2, 3, 4, 5, 6, 7, 8]));
        Assert.True(model.TryRead(model.Write(move), out var read, out _));
        Assert.Equal(move.Places, read!.Places);
        Assert.Equal(move.Values, read.Values);
        Assert.Equal(model.Apply(model.Start, [new MovePart(move, 3)]).Digest, model.Apply(model.Start, [new MovePart(read, 3)]).Digest);
        Assert.True(move.Places.Zip(move.Places.Skip(1)).All(pair => pair.First < pair.Second));
        Assert.False(model.TryRead(model.Write(model.Compress([.. Enumerable.Repeat(double.NaN, model.Length)])), out _, out _));
    }

    public void Dispose()
    {
        _data.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private AttackResult Run(string? adversary, bool judged, ulong seed = 1)
    {
        using var model = new ModelObjective(_data, _shape, new ModelTraining(seed, _setting.Batch, 6e-3, _setting.InnerSteps * _setting.Rounds));
        return AttackRun.Run(new AttackCase(adversary, 2, judged, seed), _setting, model);
    }
}
