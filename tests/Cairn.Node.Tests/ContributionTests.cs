using Cairn.Base;
using Cairn.Data;
using Cairn.Ledger;
using Cairn.Model;
using Cairn.Protocol;
using Cairn.Sparse;

namespace Cairn.Node.Tests;

/// <summary>What updates did for held-out loss, held against peers of whom it is known.</summary>
public sealed class ContributionTests(SmallRun run) : IDisposable
{
    private const int Sequences = 16;
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Every_stored_round_is_measured_once_and_what_its_parts_did_is_about_what_the_rounds_did()
    {
        var (directory, told) = (CopyOfWhole(), new List<string>());
        var account = await MeasureAsync(directory, told);
        Assert.Equal(Enumerable.Range(0, 7), account.Rounds);
        Assert.Equal(["peer-1", "peer-2"], account.Peers.Select(peer => peer.Peer));
        Assert.All(account.Peers, peer =>
        {
            Assert.Equal((7, 0), (peer.Rounds, peer.Copies));
            Assert.True(peer.Contribution!.Nats > 4 * peer.Contribution.StandardError, $"{peer.Contribution}");
            Assert.InRange(peer.LeftOut.Nats, -0.5 * peer.Contribution.Nats, 0.5 * peer.Contribution.Nats);
        });
        Assert.Equal(1, account.Peers.Sum(peer => peer.Share), 9);
        Assert.InRange(account.SumOfContributions!.Value, 0.7 * account.Improved.Nats, 1.3 * account.Improved.Nats);

        told.Clear();
        Assert.Equal(account.ToJsonLine(), (await MeasureAsync(directory, told)).ToJsonLine());
        Assert.Contains("7 of them measured before: 0 measurements", Assert.Single(told), StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(directory.Root, ContributionAccount.FileName)));
    }

    [Fact]
    public async Task Where_updates_are_gone_the_others_are_measured_from_means_and_checkpoints()
    {
        var (directory, told) = (CopyOfWhole(), new List<string>());
        foreach (var round in new[] { 1, 5 })
        {
            Directory.Delete(Path.Combine(directory.Store, "rounds", $"{round:D6}", "updates"), recursive: true);
        }

        // After the checkpoint of the fifth round nothing before it is needed.
        Directory.Delete(Path.Combine(directory.Store, "rounds", "000003"), recursive: true);
        var account = await MeasureAsync(directory, told);
        Assert.Equal([0, 2, 6], account.Rounds);
        Assert.Contains("round 2: not all of its updates are there any more", told);
        Assert.Contains("round 5: the base before it cannot be had any more", told);
    }

    [Fact]
    public async Task Noise_costs_its_weight_what_goes_uphill_does_harm_and_a_copy_shows_as_one()
    {
        using var log = new EventLog(_folder["log"], null);
        var directory = CopyOfWhole();
        var rules = RunRulesFile.Read(File.ReadAllBytes(directory.Rules), directory.Rules);
        using var context = new RunContext(directory, rules, DataSet.Open(directory.Data), log, threads: 1, users: 1);
        using var trials = new RoundTrials(context, Sequences);
        using var ledger = EmbeddedLedger.Open(directory.Ledger, readOnly: true);
        var history = LedgerHistory.Replay(ledger);
        using var walk = new BaseWalk(context, history, trials);
        var round = new Round(2);
        Assert.True(await walk.TryReachAsync(round, TestContext.Current.CancellationToken));
        using var updates = await UpdateFetcher.TryFetchManifestAsync(
            context, history.State.ManifestOf(round)!, history.State.Members.ToDictionary(m => m.Uid, m => m.Key), TestContext.Current.CancellationToken);
        var (first, second) = (updates.Contributions![0], updates.Contributions[1]);
        var noise = first with { Update = Encoded(context, round, new Uid(7), Noise(context)) };
        var uphill = first with { Update = Encoded(context, round, new Uid(8), Negative(context, first.Update)) };
        var copy = first with { Update = new Renamed(first.Update, new Uid(9)) };
        using var lease = await context.Engines.RentAsync(TestContext.Current.CancellationToken);
        using var after = new Parameters(context.Layout);

        var measured = trials.Measure(lease.Engine, walk.Base, after, [first, second, noise, uphill, copy], uid => $"uid {uid.Value}", () => { });

        var effects = measured.Peers.ToDictionary(peer => peer.Uid, peer => (Part: LossChange.Of([peer.TakenOut!]), Peer: peer));
        Assert.True(effects[0].Part.Nats > 3 * effects[0].Part.StandardError, $"{effects[0].Part}");
        Assert.True(effects[8].Part.Nats < -3 * effects[8].Part.StandardError, $"{effects[8].Part}");
        // Clipped to the size of the others it moves the loss hardly at all, one way or the other; but their parts are smaller for its sake.
        Assert.InRange(effects[7].Part.Nats, -0.15 * effects[0].Part.Nats, 0.15 * effects[0].Part.Nats);
        Assert.All((int[])[7, 8], uid => Assert.True(LossChange.Of([effects[uid].Peer.LeftOut]) is var left && left.Nats < -3 * left.StandardError));
        Assert.Equal(effects[0].Peer.TakenOut, effects[9].Peer.TakenOut);
        Assert.Equal(("uid 9", "uid 0", 1.0), (Assert.Single(effects[0].Peer.SameAs), Assert.Single(effects[9].Peer.SameAs), effects[9].Peer.Overlap));
        Assert.Empty(effects[1].Peer.SameAs);
        Assert.True(effects[1].Peer.Overlap < 0.6);
        Assert.Equal(1, measured.Peers.Sum(peer => peer.Weight), 9);
    }

    private static float[] Noise(RunContext run)
    {
        var random = new SeededRandom(3, "noise");
        var values = new float[run.Layout.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = 0.02f * (float)random.NextNormal();
        }

        return values;
    }

    private static float[] Negative(RunContext run, ISparseUpdate update)
    {
        var values = new float[run.Layout.Length];
        for (var tensor = 0; tensor < run.Grid.TensorCount; tensor++)
        {
            update[tensor].SubtractFrom(1, run.Grid.Slice(values.AsSpan(), tensor));
        }

        return values;
    }

    private static SparseUpdate Encoded(RunContext run, Round round, Uid uid, float[] values)
    {
        var encoder = new SparseEncoder(run.Grid, run.Codec.Format.Quantizer);
        Assert.True(encoder.TryEncode(run.RulesDigest, round, uid, new float[values.Length], values, new float[values.Length], out var update, out _));
        return update!;
    }

    private RunDirectory CopyOfWhole()
    {
        TestFolder.Copy(run.WholeFolder, _folder["run"]);
        return new RunDirectory(_folder["run"]);
    }

    private static Task<ContributionAccount> MeasureAsync(RunDirectory directory, List<string> told) => ContributionMeasure.RunAsync(
        directory, new ContributionOptions(null, int.MaxValue, Sequences, Threads: 2), told.Add, TestContext.Current.CancellationToken);

    /// <summary>What another sent, under a name of its own.</summary>
    private sealed class Renamed(ISparseUpdate what, Uid uid) : ISparseUpdate
    {
        public ChunkGrid Grid => what.Grid;

        public Round Round => what.Round;

        public Uid Uid => uid;

        public SparseTensor this[int tensor] => what[tensor];
    }
}
