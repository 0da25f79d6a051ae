using System.Net.Http.Json;
using System.Text.Json;
using Cairn.Exchange;
using Cairn.Exchange.Tests;
using Cairn.Node;

[assembly: AssemblyFixture(typeof(S3Server))]

namespace Cairn.Cli.Tests;

/// <summary>Runs over a real S3 server: every member with a place of its own.</summary>
public sealed class S3RunTests(S3Server server) : NodeProcesses
{
    [Fact]
    public async Task Nodes_that_share_nothing_but_ledger_and_buckets_end_with_the_same_bits_and_a_stranger_earns()
    {
        var bucket = await server.NewBucketAsync("ours");
        UseOwner();
        await CreateAsync("--places", "3", "--rounds", "24", "--store", bucket.ToString());
        var others = Task.WhenAll(RunAsync("peer", "peer-1"), RunAsync("peer", "peer-2"), RunAsync("validator", "validator-1"));

        // The stranger brings a bucket of its own, which the others read by what it announces.
        var hers = await server.NewBucketAsync();
        var invite = (await ToldAsync("run", "invite", "--dir", Folder["run"])).Output.Trim();
        var alice = await EndAsync("alice", CairnProcess.Start(
            Variables, "join", invite, "--dir", Folder["hers"], "--name", "alice", "--threads", "1", "--json", "--store", hers.ToString()));
        Assert.All(await others, node => Assert.Equal((true, alice.BaseDigest), (node.Finished, node.BaseDigest)));
        var summary = RunSummary.Read(new RunDirectory(Folder["run"]));
        var member = summary.Members.Single(member => member.Name == "alice");
        Assert.True(member.Accepted > 0 && member.Bond + member.Reward > 0, $"alice: {member}");
        Assert.True(summary.DigestAgreement);
        Assert.True(SampleAudit.Of(new RunDirectory(Folder["run"])).Holds);
        Assert.NotEmpty(await KeysAsync(hers, "rounds/"));
        Assert.NotEmpty(await KeysAsync(bucket, "peer-1/rounds/"));
        Assert.NotEmpty(await KeysAsync(bucket, "validator-1/checkpoints/"));
        // What it accepted of the stranger it holds itself.
        var sent = await KeysAsync(hers, "rounds/");
        Assert.NotEmpty((await KeysAsync(bucket, "validator-1/rounds/")).Select(key => key["validator-1/".Length..]).Intersect(sent));
        Assert.False(Directory.Exists(Path.Combine(Folder["run"], "store", "rounds")));

        // Whoever has the run's folder and no account talks to the model.
        Variables.Clear();
        var generated = await ToldAsync("generate", "--dir", Folder["hers"], "--prompt", "Returns", "--max-tokens", "5");
        Assert.Equal((0, ""), (generated.Code, generated.Errors));

        // And whoever has no more than ledger and store sees the run, fetches a checkpoint from the validator's store, and talks to it.
        using (var dashboard = CairnProcess.Start(Variables, "dashboard", "--ledger", Path.Combine(Folder["run"], "ledger.cairn"), "--store", bucket.ToString(), "--port", "0"))
        {
            using var client = new HttpClient { BaseAddress = new Uri(await DashboardTests.AddressAsync(dashboard)) };
            await DashboardTests.UntilFinishedAsync(client);
            var newest = (await client.GetFromJsonAsync<JsonElement>("api/checkpoints", TestContext.Current.CancellationToken))[0];
            Assert.Equal("elsewhere", newest.GetProperty("state").GetString());
            var round = newest.GetProperty("round").GetInt32();
            using var fetched = await client.PostAsync($"api/checkpoints/{round}/fetch", null, TestContext.Current.CancellationToken);
            var after = (await fetched.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken))[0];
            Assert.True(after.GetProperty("state").GetString() == "here", after.ToString());
            using var said = await client.PostAsJsonAsync(
                "api/talk", new { checkpoint = round, prompt = "The ", temperature = 0.7, tokens = 4, seed = 3 }, TestContext.Current.CancellationToken);
            Assert.Equal(System.Net.HttpStatusCode.OK, said.StatusCode);
            dashboard.Interrupt();
            Assert.Equal((0, ""), (await dashboard.EndAsync(), dashboard.Errors));
        }

        // Nothing of the account that writes is anywhere but in the environment.
        foreach (var path in Directory.EnumerateFiles(Folder["run"], "*", SearchOption.AllDirectories).Concat(Directory.EnumerateFiles(Folder["hers"], "*", SearchOption.AllDirectories)))
        {
            Assert.DoesNotContain(S3Server.Owner.SecretKey, await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_node_without_an_account_to_write_with_is_told_what_to_give()
    {
        var bucket = await server.NewBucketAsync("ours");
        UseOwner();
        await CreateAsync("--store", bucket.ToString());
        Variables.Clear();
        var told = await ToldAsync("peer", "--dir", Folder["run"], "--name", "peer-1");
        Assert.Contains("CAIRN_S3_ACCESS_KEY", told.AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_cannot_be_read_or_cannot_write_does_not_join_and_holds_nobody_up()
    {
        var bucket = await server.NewBucketAsync("ours");
        UseOwner();
        await CreateAsync("--places", "3", "--store", bucket.ToString());
        var invite = (await ToldAsync("run", "invite", "--dir", Folder["run"])).Output.Trim();
        var closed = (await server.NewBucketAsync() with { Reader = null }).ToString();
        var told = await ToldAsync("join", invite, "--dir", Folder["hers"], "--name", "alice", "--store", closed, "--json");
        Assert.Contains("others cannot read", told.AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
        (Variables["CAIRN_S3_ACCESS_KEY"], Variables["CAIRN_S3_SECRET_KEY"]) = (S3Server.Other.AccessKey, S3Server.Other.SecretKey);
        told = await ToldAsync("join", invite, "--dir", Folder["hers"], "--name", "alice", "--json");
        Assert.Contains("right to write", told.AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
        Assert.DoesNotContain(RunSummary.Read(new RunDirectory(Folder["run"])).Members, member => member.Name == "alice");
    }

    [Fact]
    public async Task A_place_is_made_ready_and_checked_before_it_is_needed()
    {
        server.SkipIfMissing();
        UseOwner();
        var place = $"s3://made-{Path.GetRandomFileName()[..8]}/run?endpoint={server.Endpoint.ToString().TrimEnd('/')}";
        var early = await ToldAsync("store", "check", place);
        Assert.Equal(ExitCode.BadInput, early.Code);
        Assert.Contains("create it", early.Output, StringComparison.Ordinal);
        Assert.Equal((0, ""), ((await ToldAsync("store", "create", place)).Code, early.Errors));
        var check = await ToldAsync("store", "check", place);
        Assert.True(check.Code == 0, check.Output + check.Errors);
        Assert.DoesNotContain("WRONG", check.Output, StringComparison.Ordinal);
        var closed = (await server.NewBucketAsync() with { Reader = null }).ToString();
        Assert.Contains("WRONG  read as others do", (await ToldAsync("store", "check", closed)).Output, StringComparison.Ordinal);
    }

    private void UseOwner()
    {
        Variables["CAIRN_S3_ACCESS_KEY"] = S3Server.Owner.AccessKey;
        Variables["CAIRN_S3_SECRET_KEY"] = S3Server.Owner.SecretKey;
    }

    private static async Task<List<string>> KeysAsync(S3Address address, string prefix)
    {
        using var line = new S3Line(new S3Options(), allowPrivateHosts: true);
        using var store = new S3Store(address, S3Server.Owner, line, stranger: false);
        var keys = new List<string>();
        await foreach (var key in store.ListAsync(prefix, TestContext.Current.CancellationToken))
        {
            keys.Add(key.Text);
        }

        return keys;
    }
}
