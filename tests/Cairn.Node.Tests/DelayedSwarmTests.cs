using Cairn.Base;
using Cairn.Data;
using Cairn.Ledger;
using Cairn.Model;

namespace Cairn.Node.Tests;

/// <summary>Rule 10 with an apply delay: whole swarms that train a round while the one before it is closed. The same bits whatever happens.</summary>
public sealed class DelayedSwarmTests(DelayedRun run) : IClassFixture<DelayedRun>
{
    [Fact]
    public void It_learns_every_update_counts_and_every_sample_is_trained_once()
    {
        var report = run.Undisturbed.Report;
        Assert.True(report.LossFinal < 0.85 * report.LossInitial, $"{report.LossInitial} to {report.LossFinal}");
        Assert.All(report.PerPeer, peer => Assert.Equal((7, 0), (peer.Accepted, peer.Rejected)));
        var audit = SampleAudit.Of(run.Whole);
        Assert.True(audit.Holds);
        Assert.Equal((audit.Planned, 0, 0), (audit.Trained, audit.Waiting, audit.InWork));
    }

    [Fact]
    public async Task Rounds_are_trained_while_the_ones_before_them_are_closed()
    {
        using var folder = new TestFolder();
        var told = new System.Collections.Concurrent.ConcurrentQueue<RunEvent>();
        var outcome = await SmallRun.RunAsync(run.Options(folder["run"]), stopAt: happened =>
        {
            told.Enqueue(happened);
            return false;
        });
        run.AssertSame(outcome);
        Assert.Equal(["peer-1", "peer-2"], outcome.Report.Utilisation!.Select(peer => peer.Peer));
        var all = told.ToList();

        // Not each time: the validator may have the engine that a peer waits for.
        Assert.Contains(Enumerable.Range(1, 6), round => all.FindIndex(e => e is PeerTraining { Step: 1, Node: "peer-1" } begun && begun.Round == round) is >= 0 and var begun
            && begun < all.FindIndex(e => e is RoundApplied { Node: "peer-1" } applied && applied.Round == round - 1));
    }

    [Fact]
    public async Task One_thread_and_three_validators_change_no_bit()
    {
        using var folder = new TestFolder();
        run.AssertSame(await SmallRun.RunAsync(run.Options(folder["alone"]) with { Threads = 1 }));
        var three = await SmallRun.RunAsync(run.Options(folder["three"]) with { Validators = 3 });
        Assert.Equal(run.Undisturbed.Report.BaseDigest, three.Report.BaseDigest);
    }

    [Fact]
    public async Task A_stopped_run_ends_as_if_it_had_not_been_stopped()
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        Assert.True(SampleAudit.Of(half) is { Holds: true, InWork: > 0 });
        await run.AssertEndsAsUndisturbedAsync(half);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_run_may_be_stopped_at_any_instant_and_lose_its_newest_states(ulong seed)
    {
        using var folder = new TestFolder();
        var random = new SeededRandom(seed, "stops");
        for (var life = 0; life < 9; life++)
        {
            var events = 2 + random.NextBelow(50);
            var (loses, node) = (random.NextBelow(3) == 0, new[] { "peer-1", "peer-2", "validator-1" }[random.NextBelow(3)]);
            await SmallRun.RunAsync(run.Options(folder["run"]) with { Resume = life > 0 }, _ => Interlocked.Decrement(ref events) < 0);
            if (loses)
            {
                var directory = new RunDirectory(folder["run"]);
                File.Delete(WrongState.PathOf(directory, node, WrongState.Newest(directory, node)));
            }
        }

        await run.AssertEndsAsUndisturbedAsync(new RunDirectory(folder["run"]));
    }

    [Fact]
    public async Task A_round_trained_ahead_begins_where_the_own_update_alone_would_bring_the_base()
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        using var log = new EventLog(half.Events, null);
        using var context = new RunContext(half, RunSetup.ReadRules(half), DataSet.Open(half.Data), log, threads: 1, users: 1);
        using var replica = Replica.Open(context, Directory.CreateDirectory(folder["fresh"]).FullName, trains: true);
        using var lease = await context.Engines.RentAsync(TestContext.Current.CancellationToken);
        var each = context.Rules.Training.InnerSteps * context.Rules.Training.Batch;
        TrainingOutcome Train(int round) => replica.Train(
            lease.Engine, new Uid(0), new Assignment(new Round(round), [.. Enumerable.Range(round * each, each).Select(sample => (long)sample)], 0), _ => { }, default);

        Assert.True(Train(0).Usable);
        Assert.False(File.Exists(Path.Combine(folder["fresh"], "state-start-1.bin")));
        Assert.True(context.Codec.TryDecode(replica.Encode(new Uid(0)), context.RulesDigest, new Round(0), new Uid(0), out var own, out _));
        replica.BeginAhead();
        Assert.True(File.Exists(Path.Combine(folder["fresh"], "state-start-1.bin")), "it is durable before anybody hears of the update");
        Assert.Equal(replica.BaseDigest, Train(1).Base);

        using var expected = replica.Base.Clone();
        for (var tensor = 0; tensor < context.Grid.TensorCount; tensor++)
        {
            own![tensor].SubtractFrom((float)context.Rules.Sparse.OuterRate, context.Grid.Slice(expected.Span, tensor));
        }

        var start = StartOfRound1(context, folder["fresh"]);
        Assert.Equal(replica.BaseDigest, start.Named);
        Assert.NotEqual(replica.BaseDigest, start.Begins);
        Assert.Equal(expected.Digest(), start.Begins);
    }

    [Fact]
    public async Task A_refused_update_led_the_next_round_whether_its_author_was_killed_meanwhile_or_not()
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        using var log = new EventLog(half.Events, null);
        using var context = new RunContext(half, RunSetup.ReadRules(half), DataSet.Open(half.Data), log, threads: 1, users: 1);
        using var lease = await context.Engines.RentAsync(TestContext.Current.CancellationToken);
        var each = context.Rules.Training.InnerSteps * context.Rules.Training.Batch;
        Digest AfterRefusal(string name, bool killed)
        {
            var own = Directory.CreateDirectory(folder[name]).FullName;
            using (var replica = Replica.Open(context, own, trains: true))
            {
                var assignment = new Assignment(new Round(0), [.. Enumerable.Range(0, each).Select(sample => (long)sample)], 0);
                replica.Train(lease.Engine, new Uid(0), assignment, _ => { }, TestContext.Current.CancellationToken);
                Assert.NotNull(replica.Encode(new Uid(0)));
                replica.BeginAhead();
                if (!killed)
                {
                    replica.Apply([], -1, [], settles: false);
                }
            }

            using var next = Replica.Open(context, own, trains: true);
            if (killed)
            {
                // It was away while the round closed without its update, and applies it untrained.
                next.Apply([], -1, [], settles: false);
            }

            var start = StartOfRound1(context, own).Begins;
            Assert.NotEqual(next.BaseDigest, start);
            return start;
        }

        Assert.Equal(AfterRefusal("whole", killed: false), AfterRefusal("killed", killed: true));
    }

    [Theory]
    [InlineData("peer-1")]
    [InlineData("validator-1")]
    public async Task Whose_base_went_wrong_after_the_round_goes_back_and_trains_anew_what_stood_on_it(string node)
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        WrongState.FlipBitOfBase(half, node, WrongState.Newest(half, node));
        await run.AssertEndsAsUndisturbedAsync(half);
    }

    [Fact]
    public async Task Without_any_state_a_node_begins_again_from_the_seed()
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        foreach (var path in new[] { "peer-1", "validator-1" }.SelectMany(node => Directory.EnumerateFiles(half.Node(node), "state-*.bin")).ToArray())
        {
            File.Delete(path);
        }

        await run.AssertEndsAsUndisturbedAsync(half);
    }

    [Fact]
    public async Task Who_has_lost_what_its_training_began_from_misses_the_round_and_takes_part_again()
    {
        using var folder = new TestFolder();
        var options = run.Options(folder["run"]) with { StageSeconds = 8 };
        await SmallRun.RunAsync(options, stopAt: happened => happened is StageChanged { Round: 3 });
        var directory = new RunDirectory(folder["run"]);
        foreach (var path in Directory.EnumerateFiles(directory.Node("peer-1"), "state-start-*.bin").ToArray())
        {
            File.WriteAllBytes(path, File.ReadAllBytes(path)[..6000]);
        }

        var outcome = await SmallRun.RunAsync(options with { Resume = true });

        Assert.True(outcome.Finished);
        Assert.True(outcome.Report.DigestAgreement);
        Assert.True(SampleAudit.Of(directory).Holds);
        // On a busy machine others may be late for one round or another too.
        Assert.InRange(outcome.Report.PerPeer[0].Accepted, 1, 7);
    }

    [Fact]
    public async Task A_peer_and_a_validator_begin_from_a_checkpoint_and_take_part_again()
    {
        using var folder = new TestFolder();
        var options = run.Options(folder["run"]) with { Rounds = 17 };
        await SmallRun.RunAsync(options, stopAfter: 12);
        var directory = new RunDirectory(folder["run"]);
        foreach (var path in new[] { "peer-2", "validator-1" }.SelectMany(node => Directory.EnumerateFiles(directory.Node(node), "state-*.bin")).ToArray())
        {
            File.Delete(path);
        }

        var outcome = await SmallRun.RunAsync(options with { Rounds = null, Resume = true });

        Assert.True(outcome.Finished);
        Assert.Empty(outcome.Halted);
        Assert.True(outcome.Report.DigestAgreement);
        Assert.Equal(["peer-2", "validator-1"], EventLog.Read(directory.Events).Select(line => line.Data).OfType<BeganFromCheckpoint>().Select(told => told.Node));
        Assert.InRange(outcome.Report.PerPeer[1].Accepted, 14, 17);
        Assert.True(SampleAudit.Of(directory).Holds);
    }

    // The base that its commit will name, and where its inner steps begin.
    private static (Digest Named, Digest Begins) StartOfRound1(RunContext context, string folder)
    {
        using var start = new Parameters(context.Layout);
        using var moment1 = Parameters.NewBuffer(context.Layout);
        using var moment2 = Parameters.NewBuffer(context.Layout);
        var header = ReplicaStateFile.TryRead(Path.Combine(folder, "state-start-1.bin"), [start.Buffer, moment1, moment2])!.Value.Header;
        return (header.BaseDigest, start.Digest());
    }
}
