using Cairn.Base;

namespace Cairn.Gauntlet.Tests;

public class PeerBookTests
{
    [Fact]
    public void A_book_counts_what_it_saw()
    {
        var book = TestData.After(
            [TestData.Accepted(1, 30), TestData.Refused(4, Rejection.BadCode)],
            [TestData.Accepted(1, 12), TestData.Refused(4, Rejection.Missing), TestData.Accepted(9, 5)]);
        Assert.Equal([1, 4, 9], book.Records.Select(r => r.Uid.Value));
        var first = book.Find(new Uid(1))!;
        Assert.Equal((2, 2, 42L), (first.RoundsPresent, first.Accepted, first.SamplesSinceSettle));
        var second = book.Find(new Uid(4))!;
        Assert.Equal((2, 0, 0L), (second.RoundsPresent, second.Accepted, second.SamplesSinceSettle));
        Assert.Equal((1, 1), (second.Reasons[(int)Rejection.BadCode], second.Reasons[(int)Rejection.Missing]));
        Assert.Equal(1, book.Find(new Uid(9))!.FirstRound.Number);
        Assert.Null(book.Find(new Uid(5)));
    }

    [Fact]
    public void A_round_leaves_the_old_book_as_it_was()
    {
        var book = TestData.After([TestData.Accepted(1)]);
        var later = book.Observe(new Round(1), [TestData.Accepted(1, probe: TestData.Score(1, 0.5))], RatingRules.Bounded);
        Assert.Equal((1, 2), (book.Find(new Uid(1))!.Accepted, later.Find(new Uid(1))!.Accepted));
        Assert.Equal((0, 1), (book.Find(new Uid(1))!.ProbeCount, later.Find(new Uid(1))!.ProbeCount));
    }

    [Fact]
    public void Better_probes_raise_a_rating_and_a_refused_update_takes_the_last_place()
    {
        var book = TestData.After([
            TestData.Accepted(0, probe: TestData.Score(0.2, 0.1)), TestData.Accepted(1, probe: TestData.Score(0.2, 0.05)),
            TestData.Refused(2, Rejection.Copied), TestData.Refused(3, Rejection.Missing), TestData.Accepted(4),
            TestData.Refused(5, Rejection.NotEntitled)]);
        double Mu(int uid) => book.Find(new Uid(uid))!.Rating.Mu;
        Assert.True(Mu(0) > Mu(1) && Mu(1) > Mu(2));
        Assert.Equal(25, Mu(3));
        Assert.Equal(25, Mu(4));
        Assert.Equal(25, Mu(5));
    }

    [Fact]
    public void A_single_score_waits_for_no_later_round()
    {
        var alone = TestData.After([TestData.Accepted(0, probe: TestData.Score(0.2, 0.1))], [TestData.Accepted(1, probe: TestData.Score(0.2, 0.1))]);
        Assert.All(alone.Records, r => Assert.Equal(Rating.Newcomer, r.Rating));
    }

    [Fact]
    public void The_last_eight_probes_are_remembered()
    {
        var bad = TestData.Score(0.1, -0.1);
        var good = TestData.Score(0.2, 0.1);
        IReadOnlyList<Observation> Round(LossScore score) => [TestData.Accepted(0, probe: score)];
        var book = TestData.After([.. Enumerable.Repeat(Round(bad), 5), .. Enumerable.Repeat(Round(good), 3)]);
        Assert.Equal((8, 5, 0), (book.Records[0].ProbeCount, book.Records[0].NegativeCount, book.Records[0].NegativesInRow));
        book = book.Observe(new Round(8), Round(good), RatingRules.Bounded);
        Assert.Equal(4, book.Records[0].NegativeCount);
        book = TestData.After([.. Enumerable.Repeat(Round(good), 2), .. Enumerable.Repeat(Round(bad), 3)]);
        Assert.Equal(3, book.Records[0].NegativesInRow);
        Assert.Equal(8, TestData.After([.. Enumerable.Repeat(Round(bad), 30)]).Records[0].NegativesInRow);
    }

    [Fact]
    public void A_round_that_was_bad_for_most_is_held_against_nobody()
    {
        var bad = TestData.Score(0.1, -0.1);
        var good = TestData.Score(0.2, 0.1);
        var most = TestData.After([TestData.Accepted(0, probe: bad), TestData.Accepted(1, probe: bad), TestData.Accepted(2, probe: good)]);
        Assert.All(most.Records, r => Assert.Equal(0, r.NegativeCount));
        var few = TestData.After([TestData.Accepted(0, probe: bad), TestData.Accepted(1, probe: good), TestData.Accepted(2, probe: good)]);
        Assert.Equal([1, 0, 0], few.Records.Select(r => r.NegativeCount));
        Assert.Equal(1, TestData.After([TestData.Accepted(0, probe: bad)]).Records[0].NegativeCount);
    }

    [Fact]
    public void Free_newcomers_with_bad_updates_excuse_nobody()
    {
        var (bad, good) = (TestData.Score(0.1, -0.1), TestData.Score(0.2, 0.1));
        Observation Newcomer(int uid) => TestData.Accepted(uid, probe: bad) with { OnTrial = true };
        var book = TestData.After([
            TestData.Accepted(0, probe: bad), TestData.Accepted(1, probe: good), TestData.Accepted(2, probe: good), Newcomer(3), Newcomer(4)]);
        Assert.Equal([1, 0, 0, 1, 1], book.Records.Select(r => r.NegativeCount));
    }

    [Fact]
    public void A_book_comes_back_from_its_bytes_to_the_bit()
    {
        var book = Sample();
        var bytes = Bytes(book);
        var reader = new WireReader(bytes);
        var back = BookState.Read(ref reader);
        Assert.True(reader.Complete);
        Assert.Equal(bytes, Bytes(back!));
        var next = new Round(9);
        var more = new[] { TestData.Accepted(0, probe: TestData.Score(0.1, 0.2)), TestData.Accepted(2, probe: TestData.Score(0.2, 0.1)) };
        Assert.Equal(Bytes(book.Observe(next, more, RatingRules.Bounded)), Bytes(back!.Observe(next, more, RatingRules.Bounded)));
    }

    [Fact]
    public void Damaged_bytes_of_a_book_give_none_and_never_throw()
    {
        var bytes = Bytes(Sample());
        for (var length = 0; length < bytes.Length; length++)
        {
            var cut = new WireReader(bytes.AsSpan(0, length));
            Assert.Null(BookState.Read(ref cut));
        }

        var random = new SeededRandom(5, "book");
        for (var trial = 0; trial < 5_000; trial++)
        {
            var changed = (byte[])bytes.Clone();
            changed[random.NextBelow(bytes.Length)] = (byte)random.NextBelow(256);
            var reader = new WireReader(changed);
            var book = BookState.Read(ref reader);
            Assert.Equal(book is not null, reader.Ok);
            Assert.True(book is null || Bytes(book).AsSpan().SequenceEqual(changed));
        }
    }

    [Fact]
    public void What_cannot_be_told_yet_waits_over_settlements_and_is_credited_by_all_that_is_remembered()
    {
        // Two peers whose every probe is clear, and one that does nothing: four of them together are clear by eight standard errors.
        var worker = TestData.Clear(4.1);
        Observation[] round = [TestData.Accepted(0, probe: worker), TestData.Accepted(1, probe: worker), TestData.Accepted(2, probe: TestData.Clear(0))];
        var book = TestData.After(round, round, round).Settle();
        Assert.All(book.Records, record => Assert.Equal((30L, 0L, false), (record.Waiting, record.CreditSinceSettle, record.IsTold)));
        Assert.Empty(PayShares.Claims(book, isLast: false));
        Assert.Equal([0, 1, 2], PayShares.Claims(book, isLast: true).Select(claim => claim.Uid.Value));

        book = book.Observe(new Round(3), round, RatingRules.Bounded);
        Assert.Equal([40L * 16, 40L * 16, 0L], book.Records.Select(record => record.CreditSinceSettle));
        Assert.All(book.Records, record => Assert.Equal(0, record.Waiting));
        Assert.Equal([0, 1], PayShares.Claims(book, isLast: false).Select(claim => claim.Uid.Value));
        Assert.All(PayShares.Claims(book.Settle(), isLast: true), claim => Assert.Fail($"{claim} is paid twice"));
    }

    [Fact]
    public void In_the_last_round_what_waits_is_told_as_well_as_it_can_be()
    {
        var worker = TestData.Clear(2);
        Observation[] round = [TestData.Accepted(0, probe: worker), TestData.Accepted(1, probe: worker), TestData.Accepted(2, probe: TestData.Clear(0))];
        var book = TestData.After(round, round, round, round);
        Assert.All(book.Records, record => Assert.Equal(40, record.Waiting));
        book = book.Observe(new Round(4), round, RatingRules.Bounded, isLast: true);
        Assert.Equal([50L * 16, 50L * 16, 0L], book.Records.Select(record => record.CreditSinceSettle));
    }

    [Fact]
    public void One_unlucky_finding_does_not_decide_what_a_worker_is_paid_for_what_waited()
    {
        // As measured in a swarm of four honest peers: after nine rounds the fourth was found to do a quarter of the work, by sixteen probes all of it.
        double[][] clearness =
        [
            [-0.8, 0.5, 0.9, 1.4, 0.8, 0.2, 0.3, 1.7, 2.0, 3.7, 2.6, 4.1, 2.7, 3.4, 4.6, 3.6],
            [0.4, -0.3, 1.5, 1.6, 1.1, 1.3, 1.3, 1.3, 5.0, 4.5, 2.9, 3.3, 2.7, 4.0, 4.2, 4.8],
            [0.2, 0.1, 0.6, 0.9, 1.7, 1.7, 2.0, 2.2, 4.0, 1.8, 4.0, 4.5, 3.4, 4.9, 5.6, 2.9],
            [0.0, -0.2, 0.5, 0.8, 0.4, 3.0, 2.0, 1.1, 2.1, 3.3, 2.9, 1.6, 3.9, 3.2, 3.2, 5.2],
        ];
        var book = PeerBook.Empty;
        for (var round = 0; round < 16; round++)
        {
            book = book.Observe(
                new Round(round), [.. clearness.Select((ofPeer, uid) => TestData.Accepted(uid, probe: TestData.Clear(ofPeer[round])))], RatingRules.Bounded);
        }

        Assert.All(book.Records, record => Assert.True(record.IsTold));
        Assert.All(book.Records, record => Assert.InRange(record.CreditSinceSettle, 160 * 14, 160 * 16));
    }

    [Fact]
    public void The_first_round_that_tells_tells_of_all_of_whom_something_is_known()
    {
        var worker = TestData.Clear(9);
        Observation[] first = [TestData.Accepted(0), TestData.Accepted(1), TestData.Accepted(2, probe: TestData.Clear(0)), TestData.Accepted(3)];
        Observation[] second = [TestData.Accepted(0, probe: worker), TestData.Accepted(1, probe: worker), TestData.Accepted(2), TestData.Accepted(3)];
        var book = TestData.After(first, second);
        Assert.Equal([20L * 16, 20L * 16, 0L, 0L], book.Records.Select(record => record.CreditSinceSettle));
        Assert.Equal([0L, 0L, 0L, 20L], book.Records.Select(record => record.Waiting));

        // Then nobody waits any longer: who was never probed claims what the unknown get, once.
        Assert.Equal([(0, 320L), (1, 320L), (3, 80L)], PayShares.Claims(book, isLast: false).Select(claim => (claim.Uid.Value, claim.Samples)));
        Assert.All(book.Settle().Records, record => Assert.Equal(0, record.Waiting));
    }

    [Theory]
    [InlineData(Rejection.Harmful, 0)]
    [InlineData(Rejection.Copied, 0)]
    [InlineData(Rejection.Missing, 10)]
    [InlineData(Rejection.NotAsCommitted, 10)] // somebody else may have damaged it
    public void Who_is_caught_forfeits_what_waits(Rejection reason, long left)
    {
        var book = TestData.After([TestData.Accepted(0)], [TestData.Refused(0, reason)]);
        Assert.Equal(left, book.Records[0].Waiting);
    }

    [Fact]
    public void Who_is_caught_in_the_round_that_tells_is_not_paid_for_what_waited()
    {
        var worker = TestData.Clear(4.1);
        Observation[] round = [TestData.Accepted(0, probe: worker), TestData.Accepted(1, probe: worker), TestData.Accepted(2, probe: worker)];
        var book = TestData.After(round, round, round, [round[0], round[1], TestData.Refused(2, Rejection.Copied)]);
        Assert.Equal([40L * 16, 40L * 16, 0L], book.Records.Select(record => record.CreditSinceSettle));
    }

    [Fact]
    public void Where_nobody_is_probed_nothing_waits()
    {
        var book = PeerBook.Empty.Observe(new Round(0), [TestData.Accepted(0), TestData.Accepted(1)], RatingRules.Bounded, probes: false);
        Assert.Equal([0L, 0L], book.Records.Select(record => record.Waiting));
        Assert.Equal([0, 1], PayShares.Claims(book, isLast: false).Select(claim => claim.Uid.Value));
    }

    [Fact]
    public void What_waited_is_credited_when_a_vote_ends_the_probing()
    {
        var unclear = TestData.Clear(0.5);
        Observation[] probed = [TestData.Accepted(0, probe: unclear), TestData.Accepted(1, probe: unclear), TestData.Accepted(2)];
        var book = TestData.After(probed, probed);
        Assert.Equal([20L, 20L, 20L], book.Records.Select(record => record.Waiting));
        book = book.Observe(new Round(2), [TestData.Accepted(0), TestData.Accepted(1), TestData.Refused(2, Rejection.Copied)], RatingRules.Bounded, probes: false);
        Assert.Equal([30L * WorkShare.Unknown, 30L * WorkShare.Unknown, 0L], book.Records.Select(record => record.CreditSinceSettle));
        Assert.All(book.Records, record => Assert.Equal(0, record.Waiting));

        // Once.
        book = book.Observe(new Round(3), [TestData.Accepted(0), TestData.Accepted(1)], RatingRules.Bounded, probes: false);
        Assert.Equal([40L * WorkShare.Unknown, 40L * WorkShare.Unknown, 0L], book.Records.Select(record => record.CreditSinceSettle));
    }

    [Fact]
    public void Settling_starts_the_count_of_samples_anew_and_forgets_nothing_else()
    {
        var book = Sample();
        var settled = book.Settle();
        Assert.All(settled.Records, r => Assert.Equal(0, r.SamplesSinceSettle));
        Assert.Equal(book.Records[0].Rating, settled.Records[0].Rating);
        Assert.Empty(PayShares.Divide(PayShares.Claims(settled, isLast: false)));
    }

    private static PeerBook Sample() => TestData.After(
        [TestData.Accepted(0, probe: TestData.Score(0.2, 0.1)), TestData.Accepted(2, probe: TestData.Score(0.1, -0.1)), TestData.Refused(3, Rejection.Copied)],
        [TestData.Accepted(0), TestData.Refused(2, Rejection.Harmful, LossScore.Of([4], [double.NaN], [4], [double.NaN]))]);

    private static byte[] Bytes(PeerBook book)
    {
        var writer = new WireWriter();
        BookState.Write(book, writer);
        return writer.ToArray();
    }
}
