using System.Collections.Concurrent;
using Cairn.Base;
using Cairn.Data;
using Cairn.Exchange;
using Cairn.Ledger;
using Cairn.Protocol;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Node.Tests;

/// <summary>Updates that are fetched as they are opened, from stores that give, fail or say nothing.</summary>
public sealed class FetchAheadTests(SmallRun run)
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1 << 20)]
    [InlineData(0)] // as of a model whose updates wait in files
    public async Task What_was_fetched_ahead_is_there_when_it_is_needed_and_its_store_is_asked_once(int inMemoryMax)
    {
        await using var scene = new Scene(run, inMemoryMax);
        scene.Ahead.Begin(scene.Manifest.Round, scene.Openings);
        scene.Ahead.Begin(scene.Manifest.Round, scene.Openings);
        await scene.WaitUntilHeldAsync();
        scene.Store.Answer = StoreAnswer.Missing;

        using var updates = await scene.FetchAsync(Cancel);
        Assert.Equal(scene.Manifest.Entries.Select(entry => entry.Uid), updates.Contributions!.Select(one => one.Update.Uid));
        Assert.All(scene.Manifest.Entries, entry => Assert.Equal(1, scene.Store.AskedFor(entry)));
    }

    [Theory]
    [InlineData(1 << 20)]
    [InlineData(0)]
    public async Task What_was_opened_ahead_is_handed_out_once_and_to_who_names_all_of_it(int inMemoryMax)
    {
        await using var scene = new Scene(run, inMemoryMax);
        scene.Ahead.Begin(scene.Manifest.Round, scene.Openings);
        var (author, _, opening) = scene.Openings[0];
        var name = OpenedAs.Of(scene.Manifest.Round, author, opening!);
        await scene.Context.Held.WhenComeAsync(opening!.ObjectDigest, Cancel);
        await Scene.WaitAsync(() => scene.Context.Opened.Holds(name));

        OpenedAs[] others =
        [
            name with { Author = new Uid(77) }, name with { Key = Digest.Of("other"u8) }, name with { Round = new Round(2) }, name with { Size = name.Size + 1 },
        ];
        Assert.All(others, other => Assert.Null(scene.Context.Opened.Take(other)));
        using (var taken = scene.Context.Opened.Take(name))
        {
            Assert.Equal((author, scene.Manifest.Round), (taken!.Uid, taken.Round));
        }

        Assert.Null(scene.Context.Opened.Take(name));
        // And who comes later opens it anew, from what is held.
        using var updates = await scene.FetchAsync(Cancel);
        Assert.Equal(scene.Manifest.Entries.Count, updates.Contributions!.Count);
        Assert.All(scene.Manifest.Entries, entry => Assert.Equal(1, scene.Store.AskedFor(entry)));
    }

    [Fact]
    public async Task What_was_opened_of_a_round_goes_when_the_round_is_applied()
    {
        await using var scene = new Scene(run, inMemoryMax: 0);
        scene.Ahead.Begin(scene.Manifest.Round, scene.Openings);
        var names = scene.Openings.Select(one => OpenedAs.Of(scene.Manifest.Round, one.Author, one.Opening!)).ToList();
        await Scene.WaitAsync(() => names.All(scene.Context.Opened.Holds));
        scene.Context.Opened.Forget(new Round(scene.Manifest.Round.Number - 1));
        Assert.All(names, name => Assert.True(scene.Context.Opened.Holds(name)));
        scene.Context.Opened.Forget(scene.Manifest.Round);
        Assert.All(names, name => Assert.False(scene.Context.Opened.Holds(name)));
    }

    [Theory]
    [InlineData(1 << 20)]
    [InlineData(0)]
    public async Task A_validator_copies_what_it_has_verified_before_it_is_judged_and_once(int inMemoryMax)
    {
        await using var scene = new Scene(run, inMemoryMax);
        scene.Ahead.Begin(scene.Manifest.Round, scene.Openings, copies: true);
        await Scene.WaitAsync(() => scene.Openings.All(one => scene.Own.PutsOf(one.Opening!.ObjectDigest) == 1));
        foreach (var (_, _, opening) in scene.Openings)
        {
            await scene.Context.Copies.PutAsync("validator-1", scene.Manifest.Round, opening!.ObjectDigest, Cancel);
            var copied = await scene.Own.GetVerifiedAsync(
                ObjectKey.Update(scene.Manifest.Round, opening.ObjectDigest), opening.ObjectDigest, opening.SizeBytes, Cancel);
            Assert.Equal(FetchStatus.Found, copied.Status);
            Assert.Equal(1, scene.Own.PutsOf(opening.ObjectDigest));
        }
    }

    [Fact]
    public async Task What_a_peer_fetches_ahead_it_does_not_copy()
    {
        await using var scene = new Scene(run, inMemoryMax: 0);
        scene.Ahead.Begin(scene.Manifest.Round, scene.Openings);
        await scene.WaitUntilHeldAsync();
        await scene.Ahead.DisposeAsync();
        Assert.All(scene.Openings, one => Assert.Equal(0, scene.Own.PutsOf(one.Opening!.ObjectDigest)));
    }

    [Fact]
    public async Task A_copy_that_was_given_up_with_its_round_is_made_for_the_verdict_that_needs_it()
    {
        await using var scene = new Scene(run, inMemoryMax: 0);
        var (round, digest) = (scene.Manifest.Round, scene.Openings[0].Opening!.ObjectDigest);
        scene.Own.PutsWait = true;
        scene.Ahead.Begin(round, scene.Openings, copies: true);
        await Scene.WaitAsync(() => scene.Own.PutsOf(digest) == 1);
        var needed = scene.Context.Copies.PutAsync("validator-1", round, digest, Cancel);
        scene.Own.PutsWait = false;
        scene.Ahead.GiveUp();
        await needed;
        Assert.Equal(2, scene.Own.PutsOf(digest));
        Assert.True(await scene.Own.ExistsAsync(ObjectKey.Update(round, digest), Cancel));
    }

    [Fact]
    public async Task What_is_not_held_is_not_taken_for_copied()
    {
        await using var scene = new Scene(run, inMemoryMax: 0);
        var (round, opening) = (scene.Manifest.Round, scene.Openings[0].Opening!);
        Assert.False(await scene.Context.Copies.PutAsync("validator-1", round, opening.ObjectDigest, Cancel));
        Assert.Equal(0, scene.Own.PutsOf(opening.ObjectDigest));

        using var updates = await scene.FetchAsync(Cancel);
        Assert.True(await scene.Context.Copies.PutAsync("validator-1", round, opening.ObjectDigest, Cancel));
        Assert.Equal(1, scene.Own.PutsOf(opening.ObjectDigest));
        // The same object opened anew in the next round lies at another place.
        Assert.True(await scene.Context.Copies.PutAsync("validator-1", round.Next, opening.ObjectDigest, Cancel));
        Assert.True(await scene.Own.ExistsAsync(ObjectKey.Update(round.Next, opening.ObjectDigest), Cancel));
    }

    [Theory]
    [InlineData(StoreAnswer.Unreachable)]
    [InlineData(StoreAnswer.Missing)]
    [InlineData(StoreAnswer.Lie)]
    public async Task What_fails_ahead_of_its_time_is_fetched_when_it_is_needed(StoreAnswer answer)
    {
        await using var scene = new Scene(run, inMemoryMax: 0);
        scene.Store.Answer = answer;
        scene.Ahead.Begin(scene.Manifest.Round, scene.Openings);
        await scene.WaitUntilAskedAsync();
        scene.Store.Answer = StoreAnswer.Truth;

        using var updates = await scene.FetchAsync(Cancel);
        Assert.Equal(scene.Manifest.Entries.Count, updates.Contributions!.Count);
    }

    [Fact]
    public async Task A_store_that_says_nothing_holds_up_neither_who_needs_it_for_longer_than_he_waits_nor_the_end()
    {
        await using var scene = new Scene(run, inMemoryMax: 0);
        scene.Store.Answer = StoreAnswer.Silence;
        scene.Ahead.Begin(scene.Manifest.Round, scene.Openings);
        await scene.WaitUntilAskedAsync();

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(100);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scene.FetchAsync(patience.Token).WaitAsync(Soon, Cancel));
        await scene.Ahead.DisposeAsync().AsTask().WaitAsync(Soon, Cancel);
    }

    [Fact]
    public async Task The_next_round_gives_up_what_is_on_its_way_and_begins_its_own()
    {
        await using var scene = new Scene(run, inMemoryMax: 0);
        scene.Store.Answer = StoreAnswer.Silence;
        scene.Ahead.Begin(scene.Manifest.Round, scene.Openings);
        await scene.WaitUntilAskedAsync();
        scene.Ahead.GiveUp();
        scene.Store.Answer = StoreAnswer.Truth;

        var (round, openings) = (new Round(2), scene.OpeningsOf(new Round(2)));
        scene.Ahead.Begin(round, openings);
        await Scene.WaitAsync(() => openings.All(one => scene.Context.Held.Holds(one.Opening!.ObjectDigest)));
        Assert.DoesNotContain(scene.Manifest.Entries, entry => scene.Context.Held.Holds(entry.ObjectDigest));
    }

    [Fact]
    public async Task Nothing_is_asked_for_that_no_update_of_the_run_can_be()
    {
        await using var scene = new Scene(run, inMemoryMax: 0);
        var right = scene.Openings[0].Opening!;
        scene.Ahead.Begin(scene.Manifest.Round,
        [
            (new Uid(0), scene.Openings[0].Key, null),
            (new Uid(0), scene.Openings[0].Key, right with { SizeBytes = scene.Context.ObjectBytesMax + 1 }),
            (new Uid(1), scene.Openings[1].Key, right with { SizeBytes = 1 }),
        ]);
        await scene.Ahead.DisposeAsync();
        Assert.Empty(scene.Store.Asked);
    }

    [Fact]
    public async Task Who_said_nothing_about_an_update_when_it_was_needed_is_not_asked_for_it_again()
    {
        await using var scene = new Scene(run, inMemoryMax: 0);
        scene.Store.Answer = StoreAnswer.Silent;
        scene.Ahead.Begin(scene.Manifest.Round, scene.Openings);
        await scene.WaitUntilAskedAsync();
        for (var needed = 0; needed < 3; needed++)
        {
            using var updates = await scene.FetchAsync(Cancel);
            Assert.Null(updates.Contributions);
        }

        // Once ahead of its time, and once when it was needed.
        Assert.All(scene.Manifest.Entries, entry => Assert.InRange(scene.Store.AskedFor(entry), 1, 2));
    }

    public enum StoreAnswer
    {
        Truth,
        Missing,
        Unreachable,
        Lie,
        Silence,
        Silent,
    }

    private sealed class Scene : IAsyncDisposable
    {
        private readonly TestFolder _folder = new();
        private readonly EventLog _log;
        private readonly LedgerState _ledger;

        public Scene(SmallRun run, int inMemoryMax)
        {
            var half = run.CopyOfHalf(_folder);
            var rules = RunRulesFile.Read(File.ReadAllBytes(half.Rules), half.Rules);
            _log = new EventLog(half.Events, null);
            Store = new FickleStore(new DirectoryStore(half.Store));
            Context = new RunContext(half, rules, DataSet.Open(half.Data), _log, threads: 1, users: 1, new Spool(_folder["spool"], inMemoryMax))
            {
                Stores = new RunStores(Own = new FickleStore(new DirectoryStore(_folder["own"])), Store, "", _ => null),
                Time = new PatientFetchTests.NoTime(),
            };
            _ledger = Context.ReplayLedger();
            Manifest = _ledger.ManifestOf(new Round(3))!;
            Openings = OpeningsOf(Manifest.Round);
            Ahead = new FetchAhead(Context, "validator-1");
        }

        public RunContext Context { get; }

        public FickleStore Store { get; }

        public FickleStore Own { get; }

        public Manifest Manifest { get; }

        public IReadOnlyList<(Uid Author, PublicKey Key, Opening? Opening)> Openings { get; }

        public FetchAhead Ahead { get; }

        public IReadOnlyList<(Uid Author, PublicKey Key, Opening? Opening)> OpeningsOf(Round round) =>
        [
            .. _ledger.ManifestOf(round)!.Entries.Select(entry => (
                entry.Uid, _ledger.Members[entry.Uid.Value].Key,
                (Opening?)new Opening(entry.ObjectDigest, entry.SizeBytes, entry.Key, Digest.Zero, Digest.Zero, Digest.Zero))),
        ];

        public Task<ManifestUpdates> FetchAsync(CancellationToken cancel) =>
            UpdateFetcher.TryFetchManifestAsync(Context, Manifest, _ledger.Members.ToDictionary(member => member.Uid, member => member.Key), cancel);

        public Task WaitUntilHeldAsync() => WaitAsync(() => Manifest.Entries.All(entry => Context.Held.Holds(entry.ObjectDigest)));

        public Task WaitUntilAskedAsync() => WaitAsync(() => Manifest.Entries.All(entry => Store.AskedFor(entry) > 0));

        public async ValueTask DisposeAsync()
        {
            await Ahead.DisposeAsync();
            Context.Dispose();
            _log.Dispose();
            _folder.Dispose();
        }

        public static async Task WaitAsync(Func<bool> until)
        {
            var end = TimeProvider.System.GetTimestamp();
            while (!until())
            {
                Assert.True(TimeProvider.System.GetElapsedTime(end) < Soon);
                await Task.Delay(10, Cancel);
            }
        }
    }

    /// <summary>A store that answers as it is told to, and remembers what it was asked for.</summary>
    private sealed class FickleStore(IObjectStore inner) : IObjectStore
    {
        public volatile StoreAnswer Answer;

        public volatile bool PutsWait;

        public ConcurrentQueue<string> Put { get; } = [];

        public ConcurrentQueue<string> Asked { get; } = [];

        public string Name => inner.Name;

        public int AskedFor(ManifestEntry entry) => Asked.Count(key => key.EndsWith(entry.ObjectDigest.ToString(), StringComparison.Ordinal));

        public int PutsOf(Digest digest) => Put.Count(key => key.EndsWith(digest.ToString(), StringComparison.Ordinal));

        public async Task<PutOutcome> PutAsync(ObjectKey key, ReadOnlyMemory<byte> bytes, CancellationToken cancel = default)
        {
            var waits = PutsWait;
            Put.Enqueue(key.Text);
            if (waits)
            {
                await Task.Delay(System.Threading.Timeout.Infinite, cancel);
            }

            return await inner.PutAsync(key, bytes, cancel);
        }

        public Task<PutOutcome> PutAsync(ObjectKey key, SafeFileHandle file, CancellationToken cancel = default) => inner.PutAsync(key, file, cancel);

        public Task<PutOutcome> CreateAsync(ObjectKey key, ReadOnlyMemory<byte> bytes, CancellationToken cancel = default) => inner.CreateAsync(key, bytes, cancel);

        public Task<FetchOutcome> GetAsync(ObjectKey key, long bytesMax, CancellationToken cancel = default) =>
            AnswerAsync(key, () => inner.GetAsync(key, bytesMax, cancel), bytes => bytes[0] ^= 1, cancel);

        public Task<FetchOutcome> GetAsync(ObjectKey key, long bytesMax, SafeFileHandle file, CancellationToken cancel = default) =>
            AnswerAsync(key, () => inner.GetAsync(key, bytesMax, file, cancel), _ => RandomAccess.Write(file, [1, 2, 3], 0), cancel);

        public Task<FetchOutcome> GetRangeAsync(ObjectKey key, long from, int count, CancellationToken cancel = default) => inner.GetRangeAsync(key, from, count, cancel);

        public Task<bool> ExistsAsync(ObjectKey key, CancellationToken cancel = default) => inner.ExistsAsync(key, cancel);

        public Task<bool> DeleteAsync(ObjectKey key, CancellationToken cancel = default) => inner.DeleteAsync(key, cancel);

        public IAsyncEnumerable<ObjectKey> ListAsync(string prefix, CancellationToken cancel = default) => inner.ListAsync(prefix, cancel);

        private async Task<FetchOutcome> AnswerAsync(ObjectKey key, Func<Task<FetchOutcome>> get, Action<byte[]> spoil, CancellationToken cancel)
        {
            var answer = Answer;
            Asked.Enqueue(key.Text);
            switch (answer)
            {
                case StoreAnswer.Silent:
                    return FetchOutcome.Failed(FetchStatus.Silent, "too slow");
                case StoreAnswer.Missing:
                    return FetchOutcome.Failed(FetchStatus.Missing, "nothing");
                case StoreAnswer.Unreachable:
                    return FetchOutcome.Failed(FetchStatus.Unreachable, "away");
                case StoreAnswer.Silence:
                    await Task.Delay(System.Threading.Timeout.Infinite, cancel);
                    break;
            }

            var outcome = await get();
            if (answer == StoreAnswer.Lie)
            {
                spoil(outcome.Bytes);
            }

            return outcome;
        }
    }
}
