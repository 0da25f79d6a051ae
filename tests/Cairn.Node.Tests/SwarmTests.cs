using System.Text.Json;

namespace Cairn.Node.Tests;

/// <summary>Whole swarms: the same bits every time, and a report that says what happened.</summary>
public sealed class SwarmTests(SmallRun run)
{
    [Fact]
    public async Task The_same_seed_gives_the_same_model_on_one_thread_and_on_two()
    {
        using var folder = new TestFolder();
        var alone = await SmallRun.RunAsync(run.Options(folder["run"]) with { Threads = 1 });
        Assert.Equal(run.Undisturbed.Report.BaseDigest, alone.Report.BaseDigest);
        Assert.Equal(run.Undisturbed.Report.PerPeer, alone.Report.PerPeer);
        Assert.Equal(run.Undisturbed.SampleAfter, alone.SampleAfter);
    }

    [Fact]
    public async Task Another_seed_gives_another_model()
    {
        using var folder = new TestFolder();
        var other = await SmallRun.RunAsync(run.Options(folder["run"]) with { Seed = 6, Rounds = 2 }, stopAfter: 0);
        using var same = new TestFolder();
        var again = await SmallRun.RunAsync(run.Options(same["run"]) with { Rounds = 2 }, stopAfter: 0);
        Assert.NotEqual(again.Report.BaseDigest, other.Report.BaseDigest);
    }

    [Fact]
    public void A_swarm_learns_and_every_replica_has_the_same_bits()
    {
        var report = run.Undisturbed.Report;
        Assert.True(run.Undisturbed.Finished);
        Assert.True(report.LossFinal < 0.8 * report.LossInitial, $"{report.LossInitial} to {report.LossFinal}");
        Assert.True(report.DigestAgreement);
        var applied = Events().OfType<RoundApplied>().ToList();
        Assert.Equal(7 * 3, applied.Count);
        Assert.All(applied.GroupBy(a => a.Round), round => Assert.Single(round.Select(a => a.BaseDigest).Distinct()));
        Assert.Equal(report.BaseDigest, applied.Last(a => a.Round == 6).BaseDigest);
    }

    [Fact]
    public async Task Three_validators_agree_also_when_they_are_stopped_and_lose_states()
    {
        using var folder = new TestFolder();
        var options = run.Options(folder["run"]) with { Validators = 3 };
        await SmallRun.RunAsync(options, stopAt: happened => happened is UpdatesJudged { Round: 2 });
        var directory = new RunDirectory(folder["run"]);
        foreach (var node in new[] { "peer-1", "validator-2" })
        {
            File.Delete(WrongState.PathOf(directory, node, WrongState.Newest(directory, node)));
        }

        await SmallRun.RunAsync(options with { Resume = true }, stopAt: happened => happened is RoundApplied { Round: 4, Node: "validator-3" });
        var outcome = await SmallRun.RunAsync(options with { Resume = true });
        Assert.True(outcome.Finished);
        Assert.True(outcome.Report.DigestAgreement);
        Assert.All(outcome.Report.PerPeer, peer => Assert.Equal((7, 0), (peer.Accepted, peer.Rejected)));
        // Who judges does not change what is learned.
        Assert.Equal(run.Undisturbed.Report.BaseDigest, outcome.Report.BaseDigest);
    }

    [Fact]
    public void The_report_holds_all_that_was_promised()
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(new RunDirectory(run.WholeFolder).Report));
        string[] promised =
        [
            "rounds", "peers", "tokens", "seconds", "tokensPerSecond", "lossInitial", "lossFinal", "bitsPerByteInitial", "bitsPerByteFinal",
            "baseDigest", "digestAgreement", "bytesPerUpdate", "bitsPerValue", "compressionVsFp32", "perPeer", "utilisation",
        ];
        Assert.Equal(promised, json.RootElement.EnumerateObject().Select(property => property.Name));
        foreach (var peer in json.RootElement.GetProperty("perPeer").EnumerateArray())
        {
            Assert.Equal(["peer", "accepted", "rejected", "share"], peer.EnumerateObject().Select(property => property.Name));
        }

        var report = run.Undisturbed.Report;
        Assert.Equal((7, 2, 7 * 2 * 10 * 4 * 64L), (report.Rounds, report.Peers, report.Tokens));
        Assert.True(report.Seconds > 0 && report.TokensPerSecond > 0);
        Assert.Equal(["peer-1", "peer-2"], report.Utilisation!.Select(peer => peer.Peer));
        Assert.All(report.Utilisation!, peer => Assert.InRange(peer.Utilisation, 0.01, 0.999));
        Assert.True(report.BytesPerUpdate > 0 && report.CompressionVsFp32 > 1);
        Assert.Equal(1, report.PerPeer.Sum(peer => peer.Share), 6);
        Assert.All(report.PerPeer, peer => Assert.Equal((7, 0), (peer.Accepted, peer.Rejected)));
    }

    [Fact]
    public void A_run_leaves_rules_ledger_store_events_checkpoint_and_report()
    {
        var directory = new RunDirectory(run.WholeFolder);
        Assert.All([directory.Rules, directory.Ledger, directory.Events, directory.Report], path => Assert.True(File.Exists(path), path));
        var checkpoint = CheckpointFolder.Newest(directory);
        Assert.NotNull(checkpoint);
        Assert.Equal(
            ["config.json", "generation_config.json", "model.safetensors", "pieces.bin", "tokenizer.json"],
            Directory.EnumerateFiles(checkpoint).Select(Path.GetFileName).Order().Where(name => !name!.Contains("special", StringComparison.Ordinal)));
        var (parameters, tokenizer) = CheckpointFolder.Load(checkpoint);
        Assert.Equal(run.Undisturbed.Report.BaseDigest, parameters.Digest().ToString());
        Assert.Equal(512, tokenizer.VocabularySize);
        parameters.Dispose();
    }

    [Fact]
    public void Every_line_of_the_event_log_is_one_JSON_object()
    {
        foreach (var line in File.ReadLines(new RunDirectory(run.WholeFolder).Events))
        {
            using var json = JsonDocument.Parse(line);
            Assert.Equal(JsonValueKind.String, json.RootElement.GetProperty("time").ValueKind);
            Assert.Equal(JsonValueKind.String, json.RootElement.GetProperty("data").GetProperty("event").ValueKind);
        }

        Assert.IsType<RunStarted>(Events()[0]);
        Assert.Equal(new RunFinished(7, true, run.Undisturbed.Report.BaseDigest), Events()[^1]);
    }

    private List<RunEvent> Events() => [.. EventLog.Read(new RunDirectory(run.WholeFolder).Events).Select(line => line.Data)];
}
