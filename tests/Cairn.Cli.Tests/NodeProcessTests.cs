using Cairn.Node;
using Cairn.Protocol;

namespace Cairn.Cli.Tests;

/// <summary>A run whose nodes are processes of their own, which meet only on the ledger and in the store.</summary>
public sealed class NodeProcessTests : NodeProcesses
{
    [Fact]
    public async Task Processes_of_their_own_end_with_the_same_bits_as_one_process_for_all()
    {
        await CreateAsync();
        var ended = await Task.WhenAll(RunAsync("peer", "peer-1"), RunAsync("peer", "peer-2"), RunAsync("validator", "validator-1"));
        var whole = await Runs.FinishAsync(Folder, "whole", Rounds);
        Assert.All(ended, node => Assert.Equal((true, Rounds, whole.BaseDigest), (node.Finished, node.Rounds, node.BaseDigest)));
        Assert.True(RunSummary.Read(new RunDirectory(Folder["run"])).DigestAgreement);
    }

    [Fact]
    public async Task With_an_apply_delay_killed_processes_of_their_own_end_with_the_same_bits_as_one_process_for_all()
    {
        string[] delayed = ["--apply-delay", "1"];
        await CreateAsync([.. delayed, "--rounds", "12"]);
        var validator = RunAsync("validator", "validator-1");
        var peer = RunAsync("peer", "peer-2");
        for (var life = 0; life < 3; life++)
        {
            using var killed = Start("peer", "peer-1");
            var log = Path.Combine(new RunDirectory(Folder["run"]).Node("peer-1"), "events.jsonl");
            var seen = File.Exists(log) ? EventLog.Read(log).Count(line => line.Data is RoundApplied) : 0;
            while (!killed.HasExited && (!File.Exists(log) || EventLog.Read(log).Count(line => line.Data is RoundApplied) < seen + 2))
            {
                await Task.Delay(20 + (7 * life), TestContext.Current.CancellationToken);
            }

            killed.Kill();
        }

        var ended = await Task.WhenAll(RunAsync("peer", "peer-1"), peer, validator);
        using var whole = CairnProcess.Start(Runs.Arguments(Folder, "whole", 12, delayed));
        Assert.Equal(0, await whole.EndAsync());
        var report = Runs.ReadReport(Folder, "whole");
        Assert.All(ended, node => Assert.Equal((true, 12, report.BaseDigest), (node.Finished, node.Rounds, node.BaseDigest)));
        Assert.True(SampleAudit.Of(new RunDirectory(Folder["run"])).Holds);
    }

    [Fact]
    public async Task A_killed_peer_comes_back_and_a_stranger_joins_and_earns()
    {
        await CreateAsync("--places", "3", "--rounds", "24");
        var others = Task.WhenAll(RunAsync("peer", "peer-1"), RunAsync("validator", "validator-1"));
        using (var killed = Start("peer", "peer-2"))
        {
            var log = Path.Combine(new RunDirectory(Folder["run"]).Node("peer-2"), "events.jsonl");
            while (!killed.HasExited && EventLog.Read(log).Count(line => line.Data is RoundApplied) < 3)
            {
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }

            killed.Kill();
        }

        var late = await Task.WhenAll(RunAsync("peer", "peer-2"), RunAsync("peer", "alice"));
        var all = (NodeOutcome[])[.. await others, .. late];
        Assert.All(all, node => Assert.Equal((true, all[0].BaseDigest), (node.Finished, node.BaseDigest)));
        var alice = RunSummary.Read(new RunDirectory(Folder["run"])).Members.Single(member => member.Name == "alice");
        Assert.True(alice.Accepted > 0 && alice.Bond + alice.Reward > 0, $"alice: {alice}");
    }

    [Fact]
    public async Task Who_is_no_member_or_runs_already_is_told_so_in_one_sentence()
    {
        Assert.Contains("run create", (await RefusedAsync("peer", "peer-1")), StringComparison.Ordinal);
        await CreateAsync();
        Assert.Contains("small letters", await RefusedAsync("peer", "Bob"), StringComparison.Ordinal);
        Assert.Contains("cairn peer", await RefusedAsync("validator", "peer-1"), StringComparison.Ordinal);
        Assert.Contains("validator-1", await RefusedAsync("validator", "zed"), StringComparison.Ordinal);
        using (new RunDirectory(Folder["run"]).LockNode("peer-1"))
        {
            Assert.Contains("another cairn process", await RefusedAsync("peer", "peer-1"), StringComparison.Ordinal);
            Assert.Contains("another cairn process", (await ToldAsync("swarm", "--resume", "--dir", Folder["run"])).AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
        }

        File.Delete(Path.Combine(new RunDirectory(Folder["run"]).Node("peer-1"), "node.key"));
        Assert.Contains("restore node.key", await RefusedAsync("peer", "peer-1"), StringComparison.Ordinal);
    }

    private async Task<string> RefusedAsync(string word, string name) =>
        (await ToldAsync(word, "--dir", Folder["run"], "--name", name)).AssertRefused(ExitCode.BadInput);

    [Fact]
    public async Task A_stranger_joins_by_an_invite_in_a_folder_of_its_own_and_earns()
    {
        await CreateAsync("--places", "3", "--rounds", "24");
        var others = Task.WhenAll(RunAsync("peer", "peer-1"), RunAsync("peer", "peer-2"), RunAsync("validator", "validator-1"));
        var invite = (await ToldAsync("run", "invite", "--dir", Folder["run"])).Output.Trim();
        Assert.Contains("height", (await ToldAsync("join", invite, "--show")).Output, StringComparison.Ordinal);
        var alice = await EndAsync("alice", CairnProcess.Start("join", invite, "--dir", Folder["hers"], "--name", "alice", "--threads", "1", "--json"));
        Assert.All(await others, node => Assert.Equal((true, alice.BaseDigest), (node.Finished, node.BaseDigest)));
        var member = RunSummary.Read(new RunDirectory(Folder["run"])).Members.Single(member => member.Name == "alice");
        Assert.True(member.Accepted > 0 && member.Bond + member.Reward > 0, $"alice: {member}");
        Assert.False(Directory.Exists(new RunDirectory(Folder["run"]).Node("alice")));
    }

    [Fact]
    public async Task A_slow_peer_does_fewer_steps_and_is_paid_for_those_it_did()
    {
        await CreateAsync("--rounds", "24");
        var rules = RunRulesFile.Read(await File.ReadAllBytesAsync(new RunDirectory(Folder["run"]).Rules, TestContext.Current.CancellationToken), "rules.json");
        var slow = CairnProcess.Start("peer", "--dir", Folder["run"], "--name", "peer-2", "--threads", "1", "--json", "--steps", $"{rules.InnerStepsMin}");
        var all = await Task.WhenAll(RunAsync("peer", "peer-1"), EndAsync("peer-2", slow), RunAsync("validator", "validator-1"));
        Assert.All(all, node => Assert.Equal((true, all[0].BaseDigest), (node.Finished, node.BaseDigest)));
        var audit = SampleAudit.Of(new RunDirectory(Folder["run"]));
        Assert.True(audit.Holds);
        var (quick, little) = (audit.PerPeer[0].Samples, audit.PerPeer[1].Samples);
        Assert.True(little < quick / 2, $"{quick} and {little} samples");
        var members = RunSummary.Read(new RunDirectory(Folder["run"])).Members;
        Assert.True(members[1].Reward > 0 && members[1].Reward < members[0].Reward, $"{members[0].Reward} and {members[1].Reward}");
        Assert.Contains("inner steps", (await ToldAsync("peer", "--dir", Folder["run"], "--name", "peer-2", "--steps", "999")).AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_invite_that_is_none_or_names_another_history_is_refused_in_one_sentence()
    {
        Assert.Contains("no invite", (await ToldAsync("join", "cairn1-abc", "--name", "alice")).AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
        await CreateAsync();
        var text = (await ToldAsync("run", "invite", "--dir", Folder["run"])).Output.Trim();
        Assert.Contains("no invite", (await ToldAsync("join", text[..^1], "--name", "alice")).AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
        Assert.True(Invite.TryParse(text, out var invite));
        Assert.Equal(text, invite.ToString());
        await RefusesAsync(invite with { Height = 7 }, "old copy");
        await RefusesAsync(invite with { State = invite.Rules }, "another history");
        await RefusesAsync(invite with { Genesis = invite.Rules }, "another run");
        await RefusesAsync(invite with { Rules = invite.Genesis }, "not those of the run");

        async Task RefusesAsync(Invite changed, string says) => Assert.Contains(
            says, (await ToldAsync("join", $"{changed}", "--dir", Folder["hers"], "--name", "alice")).AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_waits_for_whom_is_told_while_a_run_stands_still()
    {
        await CreateAsync();
        using var peer = Start("peer", "peer-1");
        using var validator = CairnProcess.Start("validator", "--dir", Folder["run"], "--name", "validator-1", "--health", "127.0.0.1:0");
        RunStatus status;
        do
        {
            await Task.Delay(50, TestContext.Current.CancellationToken);
            status = RunStatus.Read(new RunDirectory(Folder["run"]), TimeProvider.System);
        }
        while (!(status.Whom is ["peer-2"] && status.Nodes.Count == 2 && status.Nodes.All(node => node.Status.Whom is ["peer-2"])));

        Assert.All(status.Nodes, node => Assert.True(node.Running));
        var told = await ToldAsync("status", "--dir", Folder["run"]);
        Assert.Contains("waits for peer-2", told.Output, StringComparison.Ordinal);
        using var observer = CairnProcess.Start("observe", "--dir", Folder["run"], "--silence", "0.5");
        while (!observer.Output.Contains("waits for peer-2", StringComparison.Ordinal))
        {
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        var address = System.Text.RegularExpressions.Regex.Match(validator.Output, "health at (http://[0-9.:]+)").Groups[1].Value;
        using var http = new HttpClient { BaseAddress = new Uri(address) };
        Assert.Equal("alive\n", await http.GetStringAsync("/healthz", TestContext.Current.CancellationToken));
        Assert.Equal("ready\n", await http.GetStringAsync("/readyz", TestContext.Current.CancellationToken));
        Assert.Contains("\"peer-2\"", await http.GetStringAsync("/status", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        var metrics = await http.GetStringAsync("/metrics", TestContext.Current.CancellationToken);
        Assert.Contains("cairn_awaited_members{node=\"validator-1\",role=\"validator\",run=\"run\"} 1", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Options_come_from_flags_before_the_environment_before_a_file()
    {
        var file = Folder["node.json"];
        await File.WriteAllTextAsync(file, """{"name": "from-file", "threads": 3, "upload": 10}""", TestContext.Current.CancellationToken);
        Variables["CAIRN_NAME"] = "from-environment";
        Variables["CAIRN_S3_ACCESS_KEY"] = "account";
        Variables["CAIRN_S3_SECRET_KEY"] = "verysecret";
        var told = (await ToldAsync("peer", "--config", file, "--threads", "2", "--print-config")).Output;
        Assert.Matches("name +from-environment +\\(CAIRN_NAME\\)", told);
        Assert.Matches("threads +2 +\\(--threads\\)", told);
        Assert.Matches("upload +10 Mb/s", told);
        Assert.Matches("account +account", told);
        Assert.DoesNotContain("verysecret", told, StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, """{"nam": "alice"}""", TestContext.Current.CancellationToken);
        Assert.Contains("'nam'", (await ToldAsync("peer", "--config", file, "--print-config")).AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_and_traces_go_to_the_collector_that_the_environment_names_and_keys_are_encrypted_by_a_passphrase()
    {
        using var collector = new System.Net.HttpListener();
        var port = FreePort();
        collector.Prefixes.Add($"http://127.0.0.1:{port}/");
        collector.Start();
        var heard = new System.Collections.Concurrent.ConcurrentDictionary<string, long>();
        _ = Task.Run(async () =>
        {
            while (collector.IsListening)
            {
                var context = await collector.GetContextAsync();
                using var body = new MemoryStream();
                await context.Request.InputStream.CopyToAsync(body, TestContext.Current.CancellationToken);
                heard.AddOrUpdate(context.Request.Url!.AbsolutePath, body.Length, (_, before) => before + body.Length);
                context.Response.ContentType = "application/x-protobuf";
                context.Response.Close();
            }
        }, TestContext.Current.CancellationToken);
        Variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = $"http://127.0.0.1:{port}";
        Variables["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
        Variables["CAIRN_KEY_PASSPHRASE"] = "open sesame";
        await CreateAsync();
        await Task.WhenAll(RunAsync("peer", "peer-1"), RunAsync("peer", "peer-2"), RunAsync("validator", "validator-1"));
        Assert.True(heard.GetValueOrDefault("/v1/metrics") > 0 && heard.GetValueOrDefault("/v1/traces") > 0, string.Join(", ", heard));

        Variables.Remove("CAIRN_KEY_PASSPHRASE");
        Assert.Contains("CAIRN_KEY_PASSPHRASE", await RefusedAsync("peer", "peer-1"), StringComparison.Ordinal);
        foreach (var path in Directory.EnumerateFiles(Folder["run"], "*", SearchOption.AllDirectories))
        {
            Assert.DoesNotContain("sesame", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
    }

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}
