using System.Text;
using Cairn.Base;
using Cairn.Data;
using Cairn.Exchange;
using Cairn.Ledger;
using Cairn.Model;
using Cairn.Protocol;

namespace Cairn.Node.Tests;

/// <summary>What an evaluator publishes of a run's checkpoints, and who believes it.</summary>
public sealed class EvaluatorTests(SmallRun run) : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Every_checkpoint_is_scored_once_signed_by_a_member_and_read_by_anybody()
    {
        var directory = CopyOfWhole();
        var published = new List<EvaluationRecord>();
        Assert.True(await EvaluateAsync(directory, 1, published));
        Assert.Equal([4, 6], published.Select(record => record.Round));
        Assert.True(published[1].Loss < published[0].Loss);
        Assert.All(published, record =>
        {
            Assert.True(record.StandardError > 0 && record.BitsPerByte > 0);
            Assert.StartsWith("Gets the", record.Sample, StringComparison.Ordinal);
            Assert.Equal(run.Undisturbed.SampleBefore, record.SampleAtStart);
            Assert.Equal("arc", Assert.Single(record.Tasks).Task);
        });
        Assert.Equal(run.Undisturbed.SampleAfter, published[1].Sample);

        var read = await PublishedEvaluations.ReadAsync(directory, Assert.Fail, TestContext.Current.CancellationToken);
        Assert.Equal(published.Select(record => record.Checkpoint), read.Select(one => one.Record.Checkpoint));
        Assert.All(read, one => Assert.Equal(("validator-1", "Validator"), (one.By, one.Role)));

        // The same command has nothing left to do.
        var again = new List<EvaluationRecord>();
        Assert.True(await EvaluateAsync(directory, 1, again));
        Assert.Empty(again);
    }

    [Fact]
    public async Task Who_follows_a_run_scores_what_comes_and_ends_with_it()
    {
        var directory = run.CopyOfLate(_folder);
        var published = new List<EvaluationRecord>();
        var following = EvaluateAsync(directory, 1, published);
        Assert.True((await run.ResumeAsync(directory)).Finished);
        Assert.True(await following);
        Assert.Equal([4, 6], published.Select(record => record.Round));
    }

    [Fact]
    public async Task Of_every_second_checkpoint_the_last_of_a_run_is_scored_too()
    {
        var published = new List<EvaluationRecord>();
        Assert.True(await EvaluateAsync(CopyOfWhole(), 5, published));
        Assert.Equal([6], published.Select(record => record.Round));
    }

    [Fact]
    public async Task A_checkpoint_whose_store_does_not_answer_is_asked_for_again_and_scored_when_it_does()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "a file is held back by a lock of Unix here");
        var directory = CopyOfWhole();
        var held = Directory.GetFiles(directory.Checkpoints, CheckpointFolder.PiecesFile, SearchOption.AllDirectories)
            .Select(file => new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None)).ToList();
        var (published, told) = (new List<EvaluationRecord>(), new List<string>());
        Assert.True(await RunEvaluator.RunAsync(
            Options(directory, 1), Nothing, published.Add, why =>
            {
                told.Add(why);
                if (told.Count(one => one.Contains("cannot be had now", StringComparison.Ordinal)) == 2)
                {
                    held.ForEach(file => file.Dispose());
                }
            },
            TestContext.Current.CancellationToken));
        Assert.Equal([4, 6], published.Select(record => record.Round));
        Assert.Equal(4, told.Count);
        Assert.DoesNotContain(told, why => why.Contains("any more", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_checkpoint_that_its_store_has_no_more_is_told_so_once_and_left()
    {
        var directory = CopyOfWhole();
        Directory.Delete(Path.Combine(directory.Checkpoints, "000004"), recursive: true);
        var (published, told) = (new List<EvaluationRecord>(), new List<string>());
        Assert.True(await RunEvaluator.RunAsync(Options(directory, 1), Nothing, published.Add, told.Add, TestContext.Current.CancellationToken));
        Assert.Equal([6], published.Select(record => record.Round));
        Assert.Equal(["none of 1 source has it", "the checkpoint after round 5 cannot be had any more"], told);
    }

    [Fact]
    public async Task What_no_member_signed_or_what_is_of_another_checkpoint_is_not_read()
    {
        var directory = CopyOfWhole();
        using var ledger = EmbeddedLedger.Open(directory.Ledger, readOnly: true);
        var state = LedgerHistory.Replay(ledger).State;
        var store = new DirectoryStore(directory.Store);
        var (round, digest) = state.Checkpoints[^1];
        var record = new EvaluationRecord(round.Number, digest.ToString(), 4, 1, 0.1, 1, [], [], "now", "then");
        using var stranger = NodeKey.Create();
        using var validator = directory.OpenKey("validator-1");
        foreach (var bytes in new[]
        {
            record.Sign(stranger, state.Run), record.Sign(validator, Digest.Zero), (record with { Checkpoint = Digest.Zero.ToString() }).Sign(validator, state.Run),
            (record with { Round = 0 }).Sign(validator, state.Run), Encoding.UTF8.GetBytes("not a record"),
        })
        {
            await store.PutAsync(ObjectKey.Evaluation(round, state.Find(validator.Public)!.Uid), bytes, TestContext.Current.CancellationToken);
            Assert.Empty(await PublishedEvaluations.ReadAsync(directory, Assert.Fail, TestContext.Current.CancellationToken));
        }

        await store.PutAsync(
            ObjectKey.Evaluation(round, state.Find(validator.Public)!.Uid), record.Sign(validator, state.Run), TestContext.Current.CancellationToken);
        Assert.Single(await PublishedEvaluations.ReadAsync(directory, Assert.Fail, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(FetchStatus.Silent)]
    [InlineData(FetchStatus.Unreachable)]
    public async Task A_store_that_does_not_answer_is_asked_once_by_each_reader_and_told_of_once(FetchStatus status)
    {
        var directory = CopyOfWhole();
        using var ledger = EmbeddedLedger.Open(directory.Ledger, readOnly: true);
        var state = LedgerHistory.Replay(ledger).State;
        var (store, told) = (new OneAnswer(status), new System.Collections.Concurrent.ConcurrentQueue<string>());
        using var stores = RunStores.One(store);
        Assert.Empty(await PublishedEvaluations.ReadAsync(
            directory, state, Enumerable.Repeat(state.Checkpoints[^1], 50), stores, told.Enqueue, TestContext.Current.CancellationToken));
        Assert.InRange(store.Asked, 1, UpdateFetcher.AtOnce(TestContext.Current.CancellationToken).MaxDegreeOfParallelism);
        Assert.EndsWith("a reason", Assert.Single(told), StringComparison.Ordinal);
    }

    [Fact]
    public void Any_bit_of_a_record_that_is_another_makes_it_unreadable()
    {
        using var key = NodeKey.Create();
        var run = Digest.Of("a run"u8);
        var bytes = new EvaluationRecord(3, "c", 4, 2.5, 0.1, 1.5, [new("a.txt", 10, 1.2)], [new("arc", "acc", 0.5, 0.1, 8)], "now", "then").Sign(key, run);
        Assert.Equal("arc", EvaluationRecord.TryRead(bytes, run, key.Public, out var why)!.Tasks[0].Task);
        Assert.Equal(Rejection.None, why);
        for (var at = 0; at < bytes.Length; at++)
        {
            bytes[at] ^= 4;
            Assert.Null(EvaluationRecord.TryRead(bytes, run, key.Public, out why));
            Assert.Contains(why, (Rejection[])[Rejection.Malformed, Rejection.BadSignature]);
            bytes[at] ^= 4;
        }

        Assert.Null(EvaluationRecord.TryRead(new byte[EvaluationRecord.BytesMax + 1], run, key.Public, out why));
        Assert.Equal(Rejection.TooLarge, why);
        Assert.Null(EvaluationRecord.TryRead([], run, key.Public, out _));
    }

    private RunDirectory CopyOfWhole()
    {
        TestFolder.Copy(run.WholeFolder, _folder["run"]);
        return new RunDirectory(_folder["run"]);
    }

    private static EvaluatorOptions Options(RunDirectory directory, int every) => new(directory.Root, null, every, 8, Threads: 2, null, new StoreAccess());

    private static ModelFindings Nothing(Parameters parameters, Tokenizer tokenizer) => new([], [new EvaluatedTask("arc", "acc", 0.25, 0.1, 8)]);

    private static Task<bool> EvaluateAsync(RunDirectory directory, int every, List<EvaluationRecord> published) => RunEvaluator.RunAsync(
        Options(directory, every), Nothing, published.Add, why => Assert.Fail(why), TestContext.Current.CancellationToken);
}
