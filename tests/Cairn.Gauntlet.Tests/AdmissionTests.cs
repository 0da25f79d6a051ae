using Cairn.Base;

namespace Cairn.Gauntlet.Tests;

public class AdmissionTests
{
    [Fact]
    public void Fast_checks_decide_for_those_who_are_known()
    {
        Assert.Equal(Rejection.None, Admission.Decide(Rejection.None, needsProbe: false, isIdle: false, null));
        Assert.Equal(Rejection.NotFinite, Admission.Decide(Rejection.NotFinite, needsProbe: false, isIdle: false, null));
        Assert.Equal(Rejection.None, Admission.Decide(Rejection.None, needsProbe: false, isIdle: false, TestData.Score(-0.001, -0.001)));
    }

    [Fact]
    public void A_known_peer_whose_update_is_clearly_harmful_is_refused_like_anybody()
    {
        Assert.Equal(Rejection.Harmful, Admission.Decide(Rejection.None, needsProbe: false, isIdle: false, TestData.Score(-1, -1)));
        Assert.Equal(Rejection.Harmful, Admission.Decide(Rejection.None, needsProbe: false, isIdle: false, TestData.Score(0.1, -1)));
        Assert.Equal(Rejection.Harmful, Admission.Decide(Rejection.None, needsProbe: false, isIdle: false, TestData.Score(double.NaN, 0.1)));
    }

    [Fact]
    public void A_newcomer_needs_a_probe_that_is_not_harmful()
    {
        Assert.Equal(Rejection.NotEntitled, Admission.Decide(Rejection.None, needsProbe: true, isIdle: false, null));
        Assert.Equal(Rejection.Harmful, Admission.Decide(Rejection.None, needsProbe: true, isIdle: false, TestData.Score(-0.1, 0.1)));
        Assert.Equal(Rejection.None, Admission.Decide(Rejection.None, needsProbe: true, isIdle: false, TestData.Score(0.1, 0.05)));
        Assert.Equal(Rejection.Copied, Admission.Decide(Rejection.Copied, needsProbe: true, isIdle: false, TestData.Score(0.1, 0.05)));
    }

    [Fact]
    public void A_newcomer_is_on_trial_whatever_it_has_done_and_a_bonded_stranger_is_not()
    {
        Assert.True(Admission.NeedsProbe(newcomer: true, null));
        Assert.True(Admission.NeedsProbe(newcomer: true, TestData.After([TestData.Accepted(0)], [TestData.Accepted(0)], [TestData.Accepted(0)]).Records[0]));
        Assert.False(Admission.NeedsProbe(newcomer: false, null));
    }

    [Fact]
    public void Three_negatives_in_a_row_put_a_peer_on_trial_and_one_positive_ends_it()
    {
        IReadOnlyList<Observation> bad = [TestData.Accepted(0, probe: TestData.Score(0.1, -0.1))];
        IReadOnlyList<Observation> good = [TestData.Accepted(0, probe: TestData.Score(0.2, 0.1))];
        Assert.False(Admission.NeedsProbe(newcomer: false, TestData.After(good, good, bad, bad).Records[0]));
        Assert.True(Admission.NeedsProbe(newcomer: false, TestData.After(good, bad, bad, bad).Records[0]));
        Assert.False(Admission.NeedsProbe(newcomer: false, TestData.After(good, bad, bad, bad, good).Records[0]));
    }

    [Fact]
    public void Who_was_found_idle_beyond_doubt_is_admitted_again_only_by_a_probe_that_shows_work()
    {
        // Two work, one sends nothing: its probes find no difference between its samples and others.
        IReadOnlyList<Observation> round =
        [
            TestData.Accepted(0, probe: TestData.Score(0.2, 0.1)), TestData.Accepted(1, probe: TestData.Score(0.2, 0.1)),
            TestData.Accepted(2, probe: TestData.Score(0.0005, 0.0005)),
        ];
        var early = TestData.After(round, round, round, round);
        var later = TestData.After([.. Enumerable.Repeat(round, 7)]);
        Assert.False(Admission.IsIdle(early.Records[2]));
        Assert.True(Admission.IsIdle(later.Records[2]));
        Assert.True(Admission.NeedsProbe(newcomer: false, later.Records[2]));
        Assert.False(Admission.IsIdle(later.Records[0]));
        Assert.False(Admission.IsIdle(null));

        Assert.Equal(Rejection.NotEntitled, Admission.Decide(Rejection.None, needsProbe: true, isIdle: true, null));
        Assert.Equal(Rejection.NotEntitled, Admission.Decide(Rejection.None, needsProbe: true, isIdle: true, TestData.Score(0.0005, 0.0005)));
        Assert.Equal(Rejection.None, Admission.Decide(Rejection.None, needsProbe: true, isIdle: true, TestData.Score(0.2, 0.1)));
    }

    [Fact]
    public void Who_was_idle_and_works_again_is_seen_to_even_while_its_updates_are_refused()
    {
        IReadOnlyList<Observation> Round(Observation third) =>
        [
            TestData.Accepted(0, probe: TestData.Score(0.2, 0.1)), TestData.Accepted(1, probe: TestData.Score(0.2, 0.1)), third,
        ];
        var idle = Round(TestData.Accepted(2, probe: TestData.Score(0.0005, 0.0005)));
        var working = Round(TestData.Refused(2, Rejection.NotEntitled, TestData.Score(0.2, 0.1)));
        var book = TestData.After([.. Enumerable.Repeat(idle, 8), .. Enumerable.Repeat(working, 2)]);
        Assert.False(Admission.IsIdle(book.Records[2]));
    }
}
