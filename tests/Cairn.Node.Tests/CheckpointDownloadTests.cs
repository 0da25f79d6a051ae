using Cairn.Base;
using Cairn.Exchange;
using Cairn.Model;
using Cairn.Protocol;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Node.Tests;

/// <summary>A checkpoint from several stores, some of which lie, fail or say nothing.</summary>
public sealed class CheckpointDownloadTests(SmallRun run)
{
    private static readonly Round Round = new(4);

    [Fact]
    public async Task Of_several_sources_all_that_are_honest_give_and_a_liar_is_found_out_and_told()
    {
        using var folder = new TestFolder();
        using var world = new Scene(run, folder);
        var (one, two) = (await world.StoreAsync("one"), await world.StoreAsync("two"));
        var liar = await world.StoreAsync("liar", model => model[^1] ^= 1, model => model[1000] ^= 1);
        using var got = await world.FetchAsync(liar, one, two, new Empty());
        Assert.Equal(world.Model.Digest(), got!.Digest());
        Assert.Contains(world.Refused, why => why.Contains("liar", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_source_with_the_pieces_of_another_model_is_not_asked_for_a_single_one()
    {
        using var folder = new TestFolder();
        using var world = new Scene(run, folder);
        var other = await world.StoreAsync("other", pieces: pieces => pieces[3] ^= 1);
        using var got = await world.FetchAsync(other, await world.StoreAsync("one"));
        Assert.Equal(world.Model.Digest(), got!.Digest());
        Assert.Contains("other", Assert.Single(world.Refused), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sources_that_together_do_not_have_it_give_nothing()
    {
        using var folder = new TestFolder();
        using var world = new Scene(run, folder);
        Assert.Null(await world.FetchAsync(new Empty()));
        Assert.Null(await world.FetchAsync());
        Assert.Null(await world.FetchAsync(await world.StoreAsync("short", cut: 1)));
        Assert.Null(await world.FetchAsync(await world.StoreAsync("liar", model => model[^1] ^= 1)));
        Assert.Equal(4, world.Refused.Count);
    }

    [Fact]
    public async Task A_source_that_does_not_answer_may_have_it_and_one_that_says_no_has_it_not()
    {
        using var folder = new TestFolder();
        using var world = new Scene(run, folder);
        var (nothing, liar) = (new DirectoryStore(folder["nothing"]), await world.StoreAsync("liar", model => model[^1] ^= 1));
        foreach (var (sources, isUnreachable) in new (IObjectStore[], bool)[] { ([new Empty()], true), ([nothing, new Empty()], true), ([nothing], false), ([liar], false), ([], false) })
        {
            var download = world.Download();
            Assert.Null(await download.FetchAsync(sources, TestContext.Current.CancellationToken));
            Assert.Equal(isUnreachable, download.IsUnreachable);
        }

        Assert.Equal("none of 1 source gave it, and not all answered", world.Refused[0]);
        Assert.Equal("none of 1 source has it", world.Refused[2]);
    }

    private sealed class Scene : IDisposable
    {
        private readonly TestFolder _folder;
        private readonly EventLog _log;
        private readonly RunContext _context;

        public Scene(SmallRun run, TestFolder folder)
        {
            var half = run.CopyOfHalf(folder);
            _folder = folder;
            _log = new EventLog(half.Events, null);
            _context = new RunContext(half, RunRulesFile.Read(File.ReadAllBytes(half.Rules), half.Rules), Data.DataSet.Open(half.Data), _log, threads: 1, users: 1)
            {
                Time = new PatientFetchTests.NoTime(),
            };
            Model = new Parameters(_context.Layout);
            Initializer.Fill(Model, 7);
        }

        public Parameters Model { get; }

        public List<string> Refused { get; } = [];

        public async Task<IObjectStore> StoreAsync(string name, Action<byte[]>? change = null, Action<byte[]>? changeToo = null, Action<byte[]>? pieces = null, int cut = 0)
        {
            var store = new DirectoryStore(_folder[name], flush: false);
            using var model = new MemoryStream();
            SafetensorsFile.Write(model, Model);
            var (bytes, list) = (model.ToArray(), BaseDigest.Pieces(Model.Span).SelectMany(piece => piece.ToArray()).ToArray());
            change?.Invoke(bytes);
            changeToo?.Invoke(bytes);
            pieces?.Invoke(list);
            await store.PutAsync(ObjectKey.Checkpoint(Round, Checkpoint.ParametersFile), bytes.AsMemory(0, bytes.Length - cut), TestContext.Current.CancellationToken);
            await store.PutAsync(ObjectKey.Checkpoint(Round, CheckpointFolder.PiecesFile), list, TestContext.Current.CancellationToken);
            return store;
        }

        public CheckpointDownload Download() => new(_context.Layout, _context.Time, Refused.Add, Round, Checkpoint.Digest(Model));

        public Task<Parameters?> FetchAsync(params IObjectStore[] sources) => Download().FetchAsync(sources, TestContext.Current.CancellationToken);

        public void Dispose()
        {
            Model.Dispose();
            _context.Dispose();
            _log.Dispose();
        }
    }

    private sealed class Empty : IObjectStore
    {
        public string Name => "nothing";

        public Task<PutOutcome> PutAsync(ObjectKey key, ReadOnlyMemory<byte> bytes, CancellationToken cancel = default) =>
            Task.FromResult(new PutOutcome(PutStatus.Unreachable, "away"));

        public Task<PutOutcome> PutAsync(ObjectKey key, SafeFileHandle file, CancellationToken cancel = default) => PutAsync(key, Array.Empty<byte>(), cancel);

        public Task<PutOutcome> CreateAsync(ObjectKey key, ReadOnlyMemory<byte> bytes, CancellationToken cancel = default) => PutAsync(key, bytes, cancel);

        public Task<FetchOutcome> GetAsync(ObjectKey key, long bytesMax, CancellationToken cancel = default) =>
            Task.FromResult(FetchOutcome.Failed(FetchStatus.Unreachable, "away"));

        public Task<FetchOutcome> GetAsync(ObjectKey key, long bytesMax, SafeFileHandle file, CancellationToken cancel = default) => GetAsync(key, bytesMax, cancel);

        public Task<FetchOutcome> GetRangeAsync(ObjectKey key, long from, int count, CancellationToken cancel = default) => GetAsync(key, count, cancel);

        public Task<bool> ExistsAsync(ObjectKey key, CancellationToken cancel = default) => Task.FromResult(false);

        public Task<bool> DeleteAsync(ObjectKey key, CancellationToken cancel = default) => Task.FromResult(false);

        public IAsyncEnumerable<ObjectKey> ListAsync(string prefix, CancellationToken cancel = default) => AsyncEnumerable.Empty<ObjectKey>();
    }
}
