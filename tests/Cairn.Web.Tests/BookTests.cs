using Cairn.Base;
using Cairn.Ledger;
using Cairn.Node;
using Cairn.Node.Tests;

namespace Cairn.Web.Tests;

/// <summary>What the book of a run says is what the run did.</summary>
public sealed class BookTests(FinishedRun run) : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_book_of_a_run_says_what_its_report_says()
    {
        using var reader = ReadAll(run.Sources);
        var (now, report) = (RunPage.Now(reader.Book), run.Outcome.Report);
        Assert.True(now.Finished);
        Assert.Equal((report.Tokens, report.DigestAgreement, report.BaseDigest), (now.Tokens, now.Agreement, now.Base));
        Assert.Equal(report.BytesPerUpdate, now.BytesPerUpdate!.Value, 6);
        Assert.Equal(FinishedRun.Rounds + 1, now.CurvePoints);
        Assert.InRange(now.TokensPerSecond!.Value, 1, 1e9);
        Assert.InRange(now.Utilisation!.Value, 0.0001, 1);

        var members = PeersPage.All(reader.Book).Members;
        foreach (var peer in report.PerPeer)
        {
            var member = Assert.Single(members, member => member.Name == peer.Peer);
            Assert.Equal((peer.Accepted, peer.Rejected), ((int)member.Accepted, (int)member.Refused));
            Assert.NotNull(member.Rating);
        }
    }

    [Fact]
    public void Every_round_has_its_loss_its_time_and_the_base_that_all_posted()
    {
        using var reader = ReadAll(run.Sources);
        var summary = RunSummary.Read(run.Directory);
        var rounds = RoundsPage.All(reader.Book, int.MaxValue).Rounds;
        Assert.Equal(FinishedRun.Rounds, rounds.Count);
        foreach (var (line, known) in rounds.Reverse().Zip(summary.History))
        {
            Assert.Equal((known.Round, known.Members, known.Samples, known.Manifest, known.BaseDigest), (line.Round, line.Members, line.Samples, line.Manifest, line.Base));
            Assert.NotNull(line.Loss);
            Assert.InRange(line.Seconds!.Value, 0.0001, 1000);
        }
    }

    [Fact]
    public void A_round_in_full_shows_everything_that_was_said_in_it()
    {
        using var reader = ReadAll(run.Sources);
        for (var round = 0; round < FinishedRun.Rounds; round++)
        {
            var detail = RoundsPage.One(reader, round)!;
            Assert.Equal(FinishedRun.Peers, detail.Operations.Count(operation => operation.Kind == "Commit"));
            Assert.Equal(FinishedRun.Peers, detail.Operations.Count(operation => operation.Kind == "Reveal"));
            Assert.Equal(1, detail.Operations.Count(operation => operation.Kind == "Verdict"));
            Assert.Equal(FinishedRun.Peers + 1, detail.Bases.Count);
            Assert.All(detail.Bases, posted => Assert.True(posted.Agrees));
            Assert.Equal(FinishedRun.Peers, detail.Manifest.Count);
            Assert.Equal(1, detail.Manifest.Sum(entry => entry.Part), 9);
            Assert.Equal(FinishedRun.Peers, detail.Evidence.Count);
            Assert.All(detail.Stages, stage => Assert.NotNull(stage.Seconds));
        }
    }

    [Fact]
    public void The_texts_before_training_and_at_each_settlement_are_shown()
    {
        using var reader = ReadAll(run.Sources);
        var texts = RunPage.Texts(reader.Book);
        Assert.Equal(-1, texts[0].Round);
        Assert.Equal(run.Outcome.SampleBefore, texts[0].Text);
        Assert.Equal((FinishedRun.Rounds - 1, run.Outcome.SampleAfter), (texts[^1].Round, texts[^1].Text));
    }

    [Fact]
    public void A_search_finds_members_blocks_rounds_and_digests_by_their_first_digits()
    {
        using var reader = ReadAll(run.Sources);
        Assert.Contains(LedgerPage.Search(reader, "peer-2").Hits, hit => hit is { Kind: "member", Where: "peers/1" });
        Assert.Contains(LedgerPage.Search(reader, "peer-2").Hits, hit => hit.Kind == "Commit" && hit.Title.EndsWith("peer-2 commits to its update", StringComparison.Ordinal));
        Assert.Contains(LedgerPage.Search(reader, "3").Hits, hit => hit is { Kind: "block", Where: "ledger/3" });
        Assert.Contains(LedgerPage.Search(reader, "3").Hits, hit => hit is { Kind: "round", Where: "rounds/3" });
        var round = RoundsPage.One(reader, 2)!;
        Assert.Contains(LedgerPage.Search(reader, round.Round.Manifest![..8]).Hits, hit => hit is { Kind: "manifest", Where: "rounds/3" });
        foreach (var said in round.Operations.Where(operation => operation.Digest is not null && operation.Kind is "Commit" or "Reveal" or "PostBase"))
        {
            Assert.Contains(LedgerPage.Search(reader, said.Digest![..12]).Hits, hit => hit.Where == $"ledger/{said.Height}");
        }

        var block = LedgerPage.One(reader, 5)!;
        Assert.Contains(LedgerPage.Search(reader, block.Hash.ToUpperInvariant()).Hits, hit => hit is { Kind: "block", Where: "ledger/5" });
        Assert.Empty(LedgerPage.Search(reader, "ffffffffffffffff").Hits);
        Assert.Empty(LedgerPage.Search(reader, "").Hits);
    }

    [Fact]
    public void Blocks_form_the_chain_that_the_ledger_is()
    {
        using var reader = ReadAll(run.Sources);
        var blocks = LedgerPage.All(reader, int.MaxValue);
        Assert.True(blocks.Verified);
        Assert.Equal(blocks.Tip, blocks.Blocks[0].Hash);
        Assert.Equal(50, blocks.Blocks.Count);
        Assert.All(blocks.Blocks.Zip(blocks.Blocks.Skip(1)), pair => Assert.Equal(pair.First.Previous, pair.Second.Hash));
        Assert.Equal(Enumerable.Range(1, 4).Reverse().Select(height => (long)height), LedgerPage.All(reader, 5).Blocks.Select(block => block.Height));
    }

    [Fact]
    public void A_size_that_no_update_has_is_counted_as_the_largest_there_could_be()
    {
        using var reader = ReadAll(run.Sources);
        var (book, state, sent) = (reader.Book, reader.Book.State, Sent());
        using var key = run.Directory.OpenKey("peer-2");
        var opening = new Opening(Digest.Zero, long.MaxValue, Digest.Zero, Digest.Zero, Digest.Zero, Digest.Zero);
        var signed = SignedOperation.Sign(key, state.Run, new Reveal(state.CurrentRound, opening));
        for (var i = 0; i < 3; i++)
        {
            book.Observe(Block.Create(state.Height + 1, state.Tip, [signed]), signed);
        }

        var most = 20L * book.Rules.Model.ParameterCount * 3;
        Assert.InRange(RunPage.Now(book).BytesPerUpdate!.Value, 0, most);
        Assert.InRange(Sent(), sent + 3, sent + most);

        long Sent() => Assert.Single(PeersPage.All(reader.Book).Members, member => member.Name == "peer-2").BytesSent;
    }

    [Fact]
    public void A_damaged_ledger_ends_the_reading_with_the_height_and_leaves_what_was_good()
    {
        var copy = run.Copy(_folder);
        TestFolder.FlipBit(copy.Ledger, -100);
        using var reader = RunReader.Open(FinishedRun.SourcesOf(copy));
        var fault = Assert.Throws<InputException>(() => new RunFollower(reader, TimeProvider.System, () => { }).ReadAll());
        Assert.Contains("the block at height", fault.Message, StringComparison.Ordinal);
        Assert.True(reader.Book.State.Height > 10);
    }

    [Fact]
    public void A_hostile_log_can_neither_break_the_book_nor_fill_the_memory()
    {
        var copy = run.Copy(_folder);
        File.AppendAllLines(copy.Events,
        [
            "not json", "{}", "[1,2,3]", "{\"time\":\"yesterday\",\"data\":{\"event\":\"stage\"}}", Line("\"event\":\"stage\",\"round\":999999,\"stage\":\"Commit\""),
            Line("\"event\":\"stage\",\"round\":-5,\"stage\":\"77\""), Line("\"event\":\"evaluated\",\"round\":1e99,\"loss\":\"NaN\",\"bitsPerByte\":1"),
            Line("\"event\":\"judged\",\"round\":1,\"verdicts\":[{\"uid\":-1},{\"uid\":4000000},7,null]"), Line("\"event\":\"judged\",\"round\":999999,\"verdicts\":7"),
            Line("\"event\":\"trained\",\"node\":\"nobody\",\"round\":3"), Line("\"event\":\"sampled\",\"round\":2000,\"text\":\"" + new string('x', 9000) + "\""),
            "{\"time\":\"2026-01-01T00:00:00Z\",\"data\":{\"event\":\"" + new string('y', 2 << 20) + "\"}}", Line("\"event\":\"halted\",\"node\":\"<script>alert(1)</script>\",\"own\":\"<b>\""),
        ]);
        using var reader = ReadAll(FinishedRun.SourcesOf(copy));
        Assert.Equal(FinishedRun.Rounds, reader.Book.Rounds.Count);
        Assert.Equal(FinishedRun.Rounds + 1, RunPage.Now(reader.Book).CurvePoints);
        Assert.InRange(RunPage.Texts(reader.Book)[^1].Text.Length, 1, 5000);
        Assert.Equal("<script>alert(1)</script>", RunPage.Now(reader.Book).Notes[0].Who);
        Assert.NotNull(RoundsPage.One(reader, 1));

        static string Line(string fields) => $"{{\"time\":\"2026-01-01T00:00:00Z\",\"data\":{{{fields}}}}}";
    }

    [Fact]
    public void Without_a_log_everything_is_there_that_the_ledger_tells()
    {
        var copy = run.Copy(_folder);
        FinishedRun.DropLogs(copy);
        using var whole = ReadAll(run.Sources);
        using var reader = ReadAll(FinishedRun.SourcesOf(copy));
        var (known, now) = (RunPage.Now(whole.Book), RunPage.Now(reader.Book));
        Assert.Equal((true, false), (known.Logged, now.Logged));
        Assert.Equal(
            (known.Height, known.Tip, known.Tokens, known.Bytes, known.Base, known.Agreement, true), (now.Height, now.Tip, now.Tokens, now.Bytes, now.Base, now.Agreement, now.Finished));
        Assert.Equal(
            PeersPage.All(whole.Book).Members.Select(member => (member.Name, member.Reward, member.Share, member.Bond, member.Accepted, member.Refused, member.BytesSent)),
            PeersPage.All(reader.Book).Members.Select(member => (member.Name, member.Reward, member.Share, member.Bond, member.Accepted, member.Refused, member.BytesSent)));
        for (var round = 0; round < FinishedRun.Rounds; round++)
        {
            var (one, other) = (RoundsPage.One(whole, round)!, RoundsPage.One(reader, round)!);
            Assert.Equal((one.Operations, one.Manifest, one.Bases), (other.Operations, other.Manifest, other.Bases), Equal);
            Assert.Equal(one.Stages.Select(stage => (stage.Name, stage.Done, stage.Of)), other.Stages.Select(stage => (stage.Name, stage.Done, stage.Of)));
        }

        using var room = new CheckpointRoom(reader.Book, FinishedRun.SourcesOf(copy));
        Assert.Contains(room.All(), checkpoint => checkpoint is { State: "here", Bytes: > 0 });

        static bool Equal(
            (IReadOnlyList<OperationView>, IReadOnlyList<ManifestView>, IReadOnlyList<BaseView>) a, (IReadOnlyList<OperationView>, IReadOnlyList<ManifestView>, IReadOnlyList<BaseView>) b) =>
            a.Item1.SequenceEqual(b.Item1) && a.Item2.SequenceEqual(b.Item2) && a.Item3.SequenceEqual(b.Item3);
    }

    [Fact]
    public void A_log_that_was_cut_tells_what_is_left_of_it_and_the_ledger_the_rest()
    {
        var copy = run.Copy(_folder);
        using (var log = File.OpenWrite(copy.Events))
        {
            log.SetLength(log.Length / 2);
        }

        using var reader = ReadAll(FinishedRun.SourcesOf(copy));
        var now = RunPage.Now(reader.Book);
        Assert.True(now.Finished);
        Assert.InRange(now.CurvePoints, 2, FinishedRun.Rounds);
        Assert.Equal(run.Outcome.Report.Tokens, now.Tokens);
        Assert.Equal(FinishedRun.Rounds, RoundsPage.All(reader.Book, int.MaxValue).Rounds.Count(round => round.Manifest is not null));
    }

    [Fact]
    public void A_baseline_that_comes_later_is_seen()
    {
        var copy = run.Copy(_folder);
        using var reader = ReadAll(FinishedRun.SourcesOf(copy));
        Assert.Empty(RunPage.Baselines(reader.Book));
        var before = RunPage.Now(reader.Book).Baselines;
        FinishedRun.WriteBaseline(copy, FinishedRun.DataOf(copy), "Gets the");
        Assert.True(reader.LookAround());
        Assert.False(reader.LookAround());
        Assert.Equal((before + 1, "Gets the"), (RunPage.Now(reader.Book).Baselines, Assert.Single(RunPage.Baselines(reader.Book)).Sample));
    }

    internal static RunReader ReadAll(RunSources sources)
    {
        var reader = RunReader.Open(sources);
        new RunFollower(reader, TimeProvider.System, () => { }).ReadAll();
        return reader;
    }
}
