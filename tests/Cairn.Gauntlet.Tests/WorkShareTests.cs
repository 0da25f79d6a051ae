using Cairn.Base;

namespace Cairn.Gauntlet.Tests;

/// <summary>The part of the work that probes show.</summary>
public sealed class WorkShareTests
{
    [Fact]
    public void Where_probes_are_large_one_round_tells_who_worked()
    {
        var parts = Of([[9], [8.5, 0, 0], [9.5, 9, 9], [0.4, 9, 9], [-1]]);
        Assert.Equal([1, 0, 0], [parts[0], parts[3], parts[4]]);
        Assert.InRange(parts[1], 0.85, 0.95);
    }

    [Fact]
    public void Half_of_the_work_is_half_a_part()
    {
        var parts = Of([[20], [20], [20], [20 / Math.Sqrt(2)]]);
        Assert.Equal(0.5, parts[3], 0.01);
    }

    // 64 held-back samples and 64 assigned ones, or the 16 that a slow peer declared: the same work is seen at 0.63 of the clearness.
    [Fact]
    public void Fewer_samples_show_the_same_work_less_clearly_and_count_no_less_for_it()
    {
        var slow = Seen() with { Clearness = [new Clearness(20 * Math.Sqrt(12.8 / 32), 12.8)] };
        var full = Seen() with { Clearness = [new Clearness(20, 32)] };
        Assert.Equal(1, WorkShare.Of([full, full, full, slow])[3], 0.01);
        Assert.Equal(0.4, WorkShare.Of([full, full, full, slow with { Clearness = [slow.Clearness[0] with { Size = 32 }] }])[3], 0.01);
    }

    [Fact]
    public void Where_probes_are_small_two_lucky_ones_do_not_make_the_others_idle() =>
        Assert.All(Of([[3.9], [3.1], [1.1], [0.6]]), part => Assert.True(double.IsNaN(part)));

    [Fact]
    public void Where_probes_are_small_the_mean_of_many_tells()
    {
        // True clearness 1.5, nearly: after eight probes 4.2 standard errors; who idles has as much as noise.
        double[] worker = [1.2, 1.9, 1.4, 1.6, 0.9, 2.2, 1.5, 1.5];
        double[] idler = [1.2, -0.9, 0.3, -0.6, 0.7, -1.1, 0.2, 0.1];
        var parts = Of([worker, [.. worker.Reverse()], worker, idler]);
        Assert.Equal([1, 1, 1, 0], parts);
        Assert.All(Of([worker[..4], worker[..4], worker[..4], idler[..4]]), part => Assert.True(double.IsNaN(part)));
    }

    [Fact]
    public void The_shortest_memory_that_tells_is_used_so_that_who_turns_is_seen_at_once()
    {
        double[] worker = [5, 5, 5, 5, 5, 5, 5, 5];
        Assert.Equal(0, Of([worker, worker, worker, [0, 9, 9, 9, 9, 9, 9, 9]])[3]);
    }

    [Fact]
    public void Who_was_not_probed_and_a_round_of_idlers_say_nothing()
    {
        Assert.True(double.IsNaN(WorkShare.Of([Seen(9), Seen(9), Seen(9) with { Probed = false }, Seen(9)])[2]));
        Assert.All(Of([[9], [9], [0], [0], [0]]), part => Assert.True(double.IsNaN(part)));
        Assert.Empty(Of([]));
    }

    [Fact]
    public void A_crowd_on_trial_is_measured_and_is_no_measure()
    {
        WorkEvidence Trial(double clearness) => Seen(clearness) with { OnTrial = true };
        var parts = WorkShare.Of([Seen(9), Seen(9), Trial(0), Trial(9), Trial(0), Trial(0), Trial(0)]);
        Assert.Equal([1, 1, 0, 1, 0, 0, 0], parts);
        Assert.Equal([1, 1], WorkShare.Of([Trial(9), Trial(9)]));
    }

    [Fact]
    public void One_probe_in_a_round_is_measured_by_what_is_remembered_of_the_others()
    {
        WorkEvidence before = Seen(9) with { Probed = false };
        Assert.Equal(0, WorkShare.Of([before, before, before, Seen(0.3)])[3]);
        Assert.Equal(1, WorkShare.Of([before, before, before, Seen(9)])[3]);
    }

    [Fact]
    public void One_great_probe_does_not_speak_for_seven_idle_ones()
    {
        double[] worker = [1.2, 1.9, 1.4, 1.6, 0.9, 2.2, 1.5, 1.5];
        var part = Of([worker, worker, worker, [0, 0, 12, 0, 0, 0, 0, 0]])[3];
        Assert.InRange(part, 0, 0.12);
    }

    [Theory]
    [InlineData(16, 4)]
    [InlineData(8, 2)]
    [InlineData(8, 1)]
    public void Who_rests_whenever_it_was_probed_lately_is_paid_for_what_it_worked(int peers, int probes)
    {
        var (book, random) = (PeerBook.Empty, new SeededRandom(3, "noise"));
        var (worked, last) = (0, -1);
        const int Rounds = 2000;
        for (var round = 0; round < Rounds; round++)
        {
            var rests = last >= 0 && round - last <= 4;
            worked += rests ? 0 : 1;
            Uid[] all = [.. Enumerable.Range(0, peers).Select(i => new Uid(i))];
            var chosen = ProbePlan.Choose(Digest.Of(BitConverter.GetBytes(round)), all, probes);
            last = chosen.Contains(new Uid(0)) ? round : last;
            book = book.Observe(
                new Round(round),
                [.. all.Select(uid => TestData.Accepted(uid.Value, probe: chosen.Contains(uid) ? TestData.Clear((uid.Value == 0 && rests ? 0 : 7) + Noise(ref random)) : null))],
                RatingRules.Bounded);
        }

        var honest = book.Records.Skip(1).Average(record => (double)record.CreditSinceSettle);
        var (paid, part) = (book.Records[0].CreditSinceSettle / honest, (double)worked / Rounds);
        Assert.True(paid < part + 0.05, $"paid {paid:0.000} for {part:0.000} of the work");
    }

    private static double[] Of(IReadOnlyList<IReadOnlyList<double>> probes) => WorkShare.Of([.. probes.Select(clearness => Seen([.. clearness]))]);

    private static WorkEvidence Seen(params double[] errors) => new([.. errors.Select(one => new Clearness(one, 16))], Probed: true, OnTrial: false);

    // About normal with deviation 1.
    private static double Noise(ref SeededRandom random)
    {
        var sum = -6.0;
        for (var i = 0; i < 12; i++)
        {
            sum += random.NextDouble();
        }

        return sum;
    }
}
