using System.Text.Json;
using Cairn.Cli.Verbs;
using Cairn.Node;
using Cairn.Node.Tests;
using Cairn.Simulation;

namespace Cairn.Cli.Tests;

/// <summary>What a user may type, and what is answered.</summary>
public sealed class CommandTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public static TheoryData<string> Verbs =>
        [
            "swarm", "train", "generate", "serve", "data prepare", "tokenizer train", "tokenizer encode", "tokenizer decode", "run show", "run create", "dashboard", "replay",
            "report", "peer", "validator", "lab sparse", "lab yuma", "lab wan", "bench", "bench memory", "bench serve", "chain up", "chain down", "chain bind", "chain fund",
            "chain settle", "chain claim", "claim", "audit", "chaos", "run contribution", "run evaluations", "evaluator", "run pause", "run rules", "run propose",
            "run vote", "run leave", "wallet new", "wallet import", "wallet show",
        ];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task Every_verb_has_help_with_an_example(string verb)
    {
        var help = await Captured.RunAsync([.. verb.Split(' '), "--help"]);
        Assert.Equal((0, ""), (help.Code, help.Errors));
        Assert.Contains("Example", help.Output, StringComparison.Ordinal);
        Assert.Contains($"cairn {verb}", help.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("give one of them", "--model", "a", "--follow", "b")]
    [InlineData("--precision", "--model", "{model}", "--precision", "f8")]
    [InlineData("--parallel is 0", "--parallel", "0", "--port", "99999")]
    [InlineData("--port is 99999", "--parallel", "0", "--port", "99999")]
    [InlineData("--host", "--host", "everywhere")]
    [InlineData("cannot be read", "--model", "nothing")]
    [InlineData("key file", "--api-key-file", "nothing")]
    public async Task What_cannot_be_served_is_refused_in_one_line(string word, params string[] arguments)
    {
        var model = _folder["model"];
        Cairn.Bench.StressModel.Write(model);
        var refusal = (await Captured.RunAsync(["serve", .. arguments.Select(argument => argument == "{model}" ? model : argument)])).AssertRefused(ExitCode.BadInput);
        Assert.Contains(word, refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_of_keys_that_others_can_read_is_refused()
    {
        if (OperatingSystem.IsWindows())
        {
            // No modes of files there.
            return;
        }

        await File.WriteAllTextAsync(_folder["keys"], "a\nb\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(_folder["keys"], UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Assert.Contains("chmod 600", (await Captured.RunAsync("serve", "--api-key-file", _folder["keys"])).AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_asks_only_how_a_joining_node_would_be_set_up_joins_nothing()
    {
        var invite = new Invite("theirs", Base.Digest.Zero, Base.Digest.Zero, 3, Base.Digest.Zero, _folder["ledger.cairn"], _folder["store"]);
        var told = await Captured.RunAsync("join", $"{invite}", "--dir", _folder["hers"], "--name", "alice", "--threads", "2", "--print-config");
        Assert.Equal((ExitCode.Success, ""), (told.Code, told.Errors));
        Assert.Contains("alice  (--name)", told.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["hers"]));
    }

    [Theory]
    [InlineData("--seeds", "2")]
    [InlineData("--seed", "1")]
    [InlineData("--peers", "3")]
    [InlineData("--validators", "3")]
    [InlineData("--rounds", "3")]
    [InlineData("--faults", "none")]
    [InlineData("--adversaries", "none")]
    [InlineData("--apply-delay", "1")]
    [InlineData("--real-keys")]
    public async Task What_a_scenario_says_is_not_said_beside_it(params string[] option)
    {
        await File.WriteAllTextAsync(_folder["s.json"], ScenarioFile.Write(new Scenario { Rounds = 1 }), TestContext.Current.CancellationToken);
        var refusal = (await Captured.RunAsync(["simulate", "--scenario", _folder["s.json"], .. option])).AssertRefused(ExitCode.BadInput);
        Assert.Contains($"says {option[0]} itself", refusal, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Success, (await Captured.RunAsync("simulate", "--scenario", _folder["s.json"])).Code);
    }

    [Theory]
    [InlineData("--combine", "support", "--tolerated", "2", "--quantize", "published", "--coding", "fast", "--apply-delay", "1", "--outer-rate", "0.7",
        "--anneal-rounds", "3", "--anneal-rate", "0.25", "--probes", "3", "--probe-sequences", "8")]
    [InlineData("--combine", "trimmed", "--quantize", "sign-magnitude", "--outer-rate", "1.0000000000000002", "--anneal-rounds", "0", "--probes", "0")]
    [InlineData("--combine", "votes", "--quantize", "sign", "--coding", "small", "--apply-delay", "0")]
    [InlineData("--combine", "selectors")]
    public async Task The_command_in_a_report_founds_the_run_again_with_all_that_was_chosen(params string[] chosen)
    {
        await WriteAnnealingDataAsync();
        string[] usual = ["--preset", "pico", "--peers", "5", "--validators", "2", "--rounds", "12", "--seed", "9"];
        var rules = await FoundAsync("run", [.. usual, .. chosen]);
        Assert.Equal("", (await Captured.RunAsync("report", "--dir", _folder["run"], "--out", _folder["report.html"])).Errors);
        var page = System.Net.WebUtility.HtmlDecode(await File.ReadAllTextAsync(_folder["report.html"], TestContext.Current.CancellationToken));
        var command = page[page.IndexOf("./cairn swarm ", StringComparison.Ordinal)..].Split('<', '\n')[0];
        var again = await FoundAsync("again", command.Split(' ')[2..]);
        Assert.Equal(rules.ComputeDigest(), (again with { Name = rules.Name }).ComputeDigest());
    }

    [Fact]
    public void Every_option_that_founds_a_run_is_tried_for_the_command_in_a_report()
    {
        // Where its text came from a report cannot say; and minutes become rounds, a model that was brought a name.
        string[] untold = ["--from", "--minutes", "--data", "--text-field"];
        var tried = typeof(CommandTests).GetMethod(nameof(The_command_in_a_report_founds_the_run_again_with_all_that_was_chosen))!
            .GetCustomAttributes(typeof(InlineDataAttribute), false).Cast<InlineDataAttribute>().SelectMany(line => line.Data.OfType<string>());
        string[] usual = ["--preset", "--peers", "--validators", "--rounds", "--seed"];
        Assert.Empty(Cli.Verbs.FoundingOptions.OfRules.Select(option => option.Name).Except([.. untold, .. usual, .. tried]));
    }

    private async Task<Protocol.RunRules> FoundAsync(string name, string[] options)
    {
        var created = await Captured.RunAsync(["run", "create", .. options, "--data", _folder["set"], "--dir", _folder[name], "--threads", "2"]);
        Assert.Equal((0, ""), (created.Code, created.Errors));
        return Protocol.RunRulesFile.Read(await File.ReadAllBytesAsync(new RunDirectory(_folder[name]).Rules, TestContext.Current.CancellationToken), "rules.json");
    }

    private async Task WriteAnnealingDataAsync()
    {
        var text = await File.ReadAllTextAsync(TestCorpus.Write(_folder["corpus.txt"]), TestContext.Current.CancellationToken);
        var halves = new[] { text[..(text.Length / 2)], text[(text.Length / 2)..] };
        foreach (var (name, half) in new[] { ("main.txt", halves[0]), ("last.txt", halves[1]) })
        {
            // Several times with other numbers, so that a round of five peers has enough of it.
            var more = Enumerable.Range(0, 4).Select(i => half.Replace("the ", $"the {i} ", StringComparison.Ordinal));
            await File.WriteAllTextAsync(_folder[name], string.Concat(more), TestContext.Current.CancellationToken);
        }

        var prepared = await Captured.RunAsync(
            "data", "prepare", "--mix", $"{_folder["main.txt"]}=1", "--anneal-mix", $"{_folder["last.txt"]}=1", "--vocabulary", "400", "--out", _folder["set"], "--json");
        Assert.Equal((0, ""), (prepared.Code, prepared.Errors));
    }

    [Fact]
    public async Task What_is_measured_of_a_line_has_bounds()
    {
        var sizes = await Captured.RunAsync("lab", "wan", "--measure", "--peers", "1", "--rounds", "2", "--up", "0", "--loss", "70");
        var refusal = sizes.AssertRefused(ExitCode.BadInput);
        Assert.All((string[])["--peers", "--rounds", "--up", "--loss"], option => Assert.Contains(option, refusal, StringComparison.Ordinal));
        Assert.Contains(
            "--parameters", (await Captured.RunAsync("lab", "wan", "--measure", "--network-only", "--parameters", "72e9")).AssertRefused(ExitCode.BadInput),
            StringComparison.Ordinal);
        Assert.Contains("--measure", (await Captured.RunAsync("lab", "wan", "--network-only")).AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lines_are_computed_without_any_and_published_runs_are_held_against_their_own()
    {
        var computed = await Captured.RunAsync("lab", "wan", "--parameters", "500e6", "--peers", "4", "--compute", "20", "--json");
        Assert.Equal((0, ""), (computed.Code, computed.Errors));
        using var json = JsonDocument.Parse(computed.Output);
        Assert.InRange(json.RootElement.GetProperty("roundSeconds").GetDouble(), 25, 27);
        Assert.Contains("CONTRADICTED", (await Captured.RunAsync("lab", "wan")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_account_is_taken_over_into_an_encrypted_file_and_shown_again()
    {
        var (secret, wallet) = (_folder["secret.txt"], _folder["wallet.json"]);
        File.WriteAllText(secret, "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80\n");
        try
        {
            Environment.SetEnvironmentVariable(ChainOptions.PassphraseVariable, null);
            Assert.Contains("passphrase", (await Captured.RunAsync("wallet", "new", wallet)).AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
            Environment.SetEnvironmentVariable(ChainOptions.PassphraseVariable, "words");
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(secret, UnixFileMode.UserRead | UnixFileMode.OtherRead);
                Assert.Contains("chmod 600", (await Captured.RunAsync("wallet", "import", wallet, "--from", secret)).AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
                File.SetUnixFileMode(secret, UnixFileMode.UserRead);
            }

            const string Address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
            Assert.Equal(Address, (await Captured.RunAsync("wallet", "import", wallet, "--from", secret)).Output.Trim());
            Assert.Equal(Address, (await Captured.RunAsync("wallet", "show", wallet)).Output.Trim());
            Assert.Contains("never written over", (await Captured.RunAsync("wallet", "new", wallet)).AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
            Assert.DoesNotContain("ac0974be", File.ReadAllText(wallet), StringComparison.OrdinalIgnoreCase);
        }
        finally
        {
            Environment.SetEnvironmentVariable(ChainOptions.PassphraseVariable, null);
        }
    }

    [Theory]
    [InlineData("--ledger evm", "swarm", "--rpc", "http://127.0.0.1:1")]
    [InlineData("no address", "swarm", "--ledger", "evm", "--rpc", "127.0.0.1")]
    [InlineData("cannot be reached", "swarm", "--ledger", "evm", "--rpc", "http://127.0.0.1:1")]
    [InlineData("--fee-max", "swarm", "--ledger", "evm", "--fee-max", "0")]
    [InlineData("--fee-max", "swarm", "--ledger", "evm", "--fee-max", "1e3")]
    [InlineData("--fee-max", "chain", "claim", "--fee-max", "1000001")]
    [InlineData("--fee-max", "peer", "--name", "peer-1", "--fee-max", "much")]
    [InlineData("--fee-max", "swarm", "--fee-max", "2")] // without a chain
    [InlineData("on a chain", "chain", "claim")]
    [InlineData("on a chain", "chain", "fund", "--amount", "1")]
    [InlineData("no amount", "chain", "fund", "--amount", "x1")]
    [InlineData("contract", "audit")]
    [InlineData("--block-time", "chain", "up", "--block-time", "0")]
    public async Task What_no_chain_can_take_is_refused(string named, params string[] arguments)
    {
        var refused = await Captured.RunAsync([.. arguments, "--dir", _folder["run"]]);
        Assert.Contains(named, refused.AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder["run"], "data")));
    }

    [Fact]
    public async Task An_invite_never_tells_an_address_that_may_hold_a_key()
    {
        var run = await CreateAsync();
        Assert.Contains("no chain", (await Captured.RunAsync("run", "invite", "--dir", run.Root, "--public-rpc", "http://a.example")).AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
        var chain = new RunChain(5, "0x5FbDB2315678afecb367f032d93F642f64180aa3", 12, ["http://127.0.0.1:8545", "wss://host.example/"]);
        foreach (var address in (string[])["https://host.example/v2/SECRET", "https://host.example/?key=SECRET", "wss://me:SECRET@host.example", "http://host.example/#SECRET"])
        {
            new RunPlaces(null, null, chain with { Nodes = [address, .. chain.Nodes] }).Write(run.Root);
            var refusal = (await Captured.RunAsync("run", "invite", "--dir", run.Root)).AssertRefused(ExitCode.BadInput);
            Assert.All((string[])["host.example", "--public-rpc"], word => Assert.Contains(word, refusal, StringComparison.Ordinal));
            Assert.DoesNotContain("SECRET", refusal, StringComparison.Ordinal);
            Assert.Contains("cairn run invite --dir", RunCreateVerb.HowToJoin(new RunDirectory(run.Root), run.Root), StringComparison.Ordinal);

            string[] given = ["https://rpc.example.org", "wss://other.example.org"];
            var told = await Captured.RunAsync(["run", "invite", "--dir", run.Root, "--public-rpc", .. given]);
            Assert.True(Invite.TryParse(told.Output, out var invite));
            Assert.Equal((chain with { Nodes = given }).ToText(), invite.Ledger);
        }

        Assert.Contains("no address", (await Captured.RunAsync("run", "invite", "--dir", run.Root, "--public-rpc", "nowhere")).AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);

        // Without secrets they go in as they are.
        new RunPlaces(null, null, chain).Write(run.Root);
        var plain = (await Captured.RunAsync("run", "invite", "--dir", run.Root)).Output.Trim();
        Assert.True(Invite.TryParse(plain, out var open));
        Assert.Equal(chain.ToText(), open.Ledger);
        Assert.Contains($"cairn join {plain}", RunCreateVerb.HowToJoin(new RunDirectory(run.Root), run.Root), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1:1")] // the node that the folder names
    [InlineData("127.0.0.1:1", "--ledger", "evm")]
    [InlineData("127.0.0.1:2", "--rpc", "http://127.0.0.1:2")]
    [InlineData("127.0.0.1:1", "--account", "mine.json", "--fee-max", "3")]
    [InlineData("127.0.0.1:1", "--contract", "0x00", "--confirmations", "3", "--bond-token", "0x00", "--wei-per-unit", "1")]
    public async Task A_run_on_a_chain_goes_on_over_the_nodes_of_its_folder_unless_others_are_named(string asked, params string[] arguments)
    {
        // A folder of a run, as far as it is looked at before the chain is asked.
        var run = new RunDirectory(_folder["resumed"]);
        Directory.CreateDirectory(run.Root);
        new RunPlaces(null, null, new RunChain(5, "0x5FbDB2315678afecb367f032d93F642f64180aa3", 12, ["http://127.0.0.1:1"])).Write(run.Root);
        await File.WriteAllTextAsync(run.Rules, "", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(run.Ledger, "", TestContext.Current.CancellationToken);
        var told = await Captured.RunAsync(["swarm", "--resume", "--no-dashboard", "--dir", run.Root, .. arguments]);
        Assert.Contains($"{asked} cannot be reached", told.AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
        Assert.Equal(arguments.Contains("--contract"), told.Output.Contains("--contract, --confirmations, --bond-token, --wei-per-unit not used", StringComparison.Ordinal));
    }

    [Fact]
    public void The_highest_fee_is_given_in_gwei_and_may_be_less_than_one()
    {
        Assert.Equal((UInt128)500_000_000, ChainConfig.ReadNode(null, null, "0.5").FeePerGasMax);
        Assert.Equal(new ChainOptions().FeePerGasMax, ChainConfig.ReadNode(null, null, null).FeePerGasMax);
    }

    private async Task<RunDirectory> CreateAsync()
    {
        TestCorpus.Write(_folder["corpus.txt"]);
        var created = await Captured.RunAsync("run", "create", "--dir", _folder["created"], "--preset", "pico", "--peers", "2", "--places", "3", "--rounds", "2", "--data", _folder["corpus.txt"]);
        Assert.Equal((0, ""), (created.Code, created.Errors));
        Assert.Contains("cairn join cairn1-", created.Output, StringComparison.Ordinal);
        return new RunDirectory(_folder["created"]);
    }

    [Fact]
    public async Task The_version_is_printed()
    {
        var version = await Captured.RunAsync("--version");
        Assert.Equal(0, version.Code);
        Assert.Matches(@"^\d+\.\d+\.\d+", version.Output);
    }

    [Fact]
    public async Task Without_a_verb_the_help_is_printed_and_that_is_no_success()
    {
        var nothing = await Captured.RunAsync();
        Assert.Equal(ExitCode.Usage, nothing.Code);
        Assert.Contains("swarm", nothing.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("swarm", "swarm", "--nonsense")]
    [InlineData("swarm", "swarm", "--peers", "many")]
    [InlineData("swarm", "swarm", "--seed", "-1")]
    [InlineData("swarm", "swarm", "--rounds")]
    [InlineData("", "nonsense")]
    [InlineData("generate", "generate", "--temperature", "warm")]
    [InlineData("bench", "bench", "matmul", "train")]
    [InlineData("lab sparse", "lab", "sparse", "--seed-count", "few")]
    [InlineData("run create", "run", "create", "--nonsense")]
    public async Task An_option_that_is_not_understood_is_refused_in_one_line_that_names_the_verb(string verb, params string[] arguments) =>
        Assert.EndsWith($"See 'cairn {verb} --help'.".Replace("  ", " ", StringComparison.Ordinal), (await Captured.RunAsync(arguments)).AssertRefused(ExitCode.Usage).TrimEnd(), StringComparison.Ordinal);

    [Theory]
    [InlineData("no preset 'huge'", "--preset", "huge")]
    [InlineData("--peers", "--peers", "0")]
    [InlineData("--peers", "--peers", "1000")]
    [InlineData("--validators", "--validators", "0")]
    [InlineData("--rounds", "--rounds", "0")]
    [InlineData("--minutes", "--minutes", "-1")]
    [InlineData("--minutes", "--minutes", "NaN")]
    [InlineData("--threads", "--threads", "0")]
    public async Task A_value_out_of_range_is_refused_before_anything_is_touched(string named, params string[] options)
    {
        var refused = await Captured.RunAsync(["swarm", .. options, "--dir", _folder["run"]]);
        Assert.Contains(named, refused.AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["run"]));
    }

    [Theory]
    [InlineData("no preset 'huge'", "--preset", "huge")]
    [InlineData("--seed-count", "--seed-count", "0")]
    [InlineData("--batch", "--batch", "-1")]
    [InlineData("--threads", "--threads", "0")]
    public async Task A_grid_that_cannot_be_computed_is_refused_before_anything_is_touched(string named, params string[] options)
    {
        var refused = await Captured.RunAsync(["lab", "sparse", .. options, "--out", _folder["lab"]]);
        Assert.Contains(named, refused.AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["lab"]));
    }

    [Theory]
    [InlineData("tokenizer", "train")]
    [InlineData("data", "prepare")]
    public async Task A_vocabulary_that_cannot_be_is_refused_before_the_text_is_read(params string[] verb)
    {
        // The text is not there either: whoever read it first would complain about it.
        var refused = await Captured.RunAsync([.. verb, "--vocabulary", "256", "--data", _folder["missing.txt"], "--out", _folder["out"]]);
        Assert.Contains("a vocabulary of 256", refused.AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
        Assert.False(Path.Exists(_folder["out"]));
    }

    [Fact]
    public async Task Epochs_of_a_file_are_compared_and_a_difference_is_named()
    {
        // Two validators of equal stake agree on one peer.
        const string Epoch = """
            {"specVersion": 293, "vectors": [{
              "in": {"n": 3, "ownerUid": -1, "kappa": 32767, "bondsPenalty": 65535, "bondsMovingAverage": 900000, "yuma3": true, "liquidAlpha": false,
                "alphaLow": 45875, "alphaHigh": 58982, "steepness": "1000", "maxValidators": 2, "stake": [7, 7, 0], "permit": [true, true, false],
                "weights": [[[2, 65535]], [[2, 65535]], []], "bonds": [[], [], []], "block": 15},
              "out": {"consensus": [0, 0, 65535], "incentive": [0, 0, 65535], "dividends": [32767, 32767, 0], "validatorTrust": [65535, 65535, 0],
                "validatorPermit": [true, true, false], "bonds": [[[2, 6553]], [[2, 6553]], []]}}]}
            """;
        File.WriteAllText(_folder["same.json"], Epoch);
        File.WriteAllText(_folder["other.json"], Epoch.Replace("[32767, 32767, 0]", "[32767, 32768, 0]", StringComparison.Ordinal));
        var same = await Captured.RunAsync("lab", "yuma", _folder["same.json"]);
        Assert.Equal((0, "", "1/1 epochs are the same, bit for bit"), (same.Code, same.Errors, same.Output.Trim()));
        var other = await Captured.RunAsync("lab", "yuma", _folder["other.json"]);
        Assert.Equal(ExitCode.Disagreement, other.Code);
        Assert.Contains("vectors[0] dividends[1]: the file says 32768, computed 32767", other.Output, StringComparison.Ordinal);
        using var json = JsonDocument.Parse((await Captured.RunAsync("lab", "yuma", _folder["other.json"], "--json")).Output);
        Assert.Equal((0, 1), (json.RootElement.GetProperty("matched").GetInt32(), json.RootElement.GetProperty("total").GetInt32()));
        Assert.Contains("none.json", (await Captured.RunAsync("lab", "yuma", _folder["none.json"])).AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Text_that_cannot_be_used_is_refused_by_name()
    {
        File.WriteAllText(_folder["empty.txt"], "");
        File.WriteAllText(_folder["blank.md"], " \n\n");
        File.WriteAllBytes(_folder["garbage.txt"], [.. Enumerable.Range(0, 5000).Select(i => (byte)(i * 37))]);
        File.WriteAllText(_folder["broken.jsonl"], "{\"text\": \"one\"}\n{\"text\": ");
        File.WriteAllText(_folder["fields.jsonl"], "{\"content\": \"one\"}\n{\"content\": \"two\"}\n");
        File.WriteAllText(_folder["picture.png"], "png");
        File.WriteAllText(_folder["short.txt"], "A few words.");
        Directory.CreateDirectory(_folder["folder"]);
        foreach (var name in new[] { "missing.txt", "empty.txt", "blank.md", "garbage.txt", "broken.jsonl", "fields.jsonl", "picture.png", "short.txt", "folder" })
        {
            var refused = await Captured.RunAsync("swarm", "--preset", "pico", "--rounds", "1", "--data", _folder[name], "--dir", _folder["run"]);
            Assert.Contains(name, refused.AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Sources_are_mixed_by_weight_and_a_run_takes_what_came_out()
    {
        var lines = File.ReadAllLines(TestCorpus.Write(_folder["corpus.txt"])).Where(line => line.Length > 0).ToList();
        File.WriteAllLines(_folder["a.jsonl"], lines.Select((line, i) => JsonSerializer.Serialize(new { text = $"{line} {i}", id = i })));
        var mixed = await Captured.RunAsync(
            "data", "prepare", "--mix", $"{_folder["a.jsonl"]}=0.5", $"{_folder["corpus.txt"]}=0.5", "--duplicates", "near", "--duplicate-memory", "8", "--vocabulary",
            "512", "--out", _folder["mix"]);
        Assert.Equal(0, mixed.Code);
        Assert.Contains("CARD.md", mixed.Output, StringComparison.Ordinal);
        Assert.Contains("| a.jsonl |", File.ReadAllText(_folder["mix/CARD.md"]), StringComparison.Ordinal);
        (await Captured.RunAsync("data", "prepare", "--anneal-mix", "a.jsonl", "--out", _folder["none"])).AssertRefused(ExitCode.BadInput);
        (await Captured.RunAsync("data", "prepare", "--mix", "a.jsonl=0", "--out", _folder["none"])).AssertRefused(ExitCode.BadInput);
        (await Captured.RunAsync("data", "prepare", "--duplicates", "some", "--out", _folder["none"])).AssertRefused(ExitCode.BadInput);

        var run = await Captured.RunAsync(
            "run", "create", "--preset", "pico", "--peers", "1", "--rounds", "1", "--data", _folder["mix"], "--dir", _folder["mixed-run"]);
        Assert.Equal((0, ""), (run.Code, run.Errors));
        Assert.Equal(File.ReadAllBytes(_folder["mix/manifest.json"]), File.ReadAllBytes(_folder["mixed-run/data/manifest.json"]));
    }

    [Fact]
    public async Task A_set_with_an_annealing_mix_makes_a_run_that_ends_with_it()
    {
        var lines = File.ReadAllLines(TestCorpus.Write(_folder["corpus.txt"])).Where(line => line.Length > 0).ToList();
        File.WriteAllLines(_folder["a.jsonl"], lines.Take(900).Select((line, i) => JsonSerializer.Serialize(new { text = $"{line} {i}", id = i })));
        File.WriteAllLines(_folder["b.jsonl"], lines.Skip(900).Select((line, i) => JsonSerializer.Serialize(new { text = $"{line} {i}", id = i })));
        var prepared = await Captured.RunAsync(
            "data", "prepare", "--data", _folder["a.jsonl"], "--anneal-mix", $"{_folder["b.jsonl"]}=1", "--vocabulary", "512", "--out", _folder["two"]);
        Assert.Equal(0, prepared.Code);
        Assert.Contains("\nanneal ", prepared.Output, StringComparison.Ordinal);
        Assert.Contains("| b.jsonl |", File.ReadAllText(_folder["two/CARD.md"]), StringComparison.Ordinal);
        string[] create = ["run", "create", "--preset", "pico", "--peers", "1", "--rounds", "8", "--data", _folder["two"]];
        var refused = (await Captured.RunAsync([.. create, "--anneal-rounds", "8", "--dir", _folder["refused"]])).AssertRefused(ExitCode.BadInput);
        Assert.Contains("--anneal-rounds", refused, StringComparison.Ordinal);
        var run = await Captured.RunAsync([.. create, "--anneal-rounds", "2", "--anneal-rate", "0.25", "--dir", _folder["ends"]]);
        Assert.Equal((0, ""), (run.Code, run.Errors));
        Assert.Contains("the last 2 of 8 rounds anneal: after 6 rounds", run.Output, StringComparison.Ordinal);
        Assert.Contains("\nanneals after 6 rounds", (await Captured.RunAsync("run", "rules", "--dir", _folder["ends"])).Output, StringComparison.Ordinal);
        Assert.Contains("\"fromStep\":6", (await Captured.RunAsync("run", "rules", "--dir", _folder["ends"], "--json")).Output, StringComparison.Ordinal);
        Assert.Contains("\nanneals after 6 rounds", (await Captured.RunAsync("run", "show", "--dir", _folder["ends"])).Output, StringComparison.Ordinal);
        Assert.Contains("of the annealing part 0 ", (await Captured.RunAsync("run", "samples", "--dir", _folder["ends"])).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_can_be_shown_talked_to_and_resumed_but_not_begun_again()
    {
        var arguments = Runs.Arguments(_folder, "run", 2, "--json");
        var swarm = await Captured.RunAsync(arguments);
        Assert.Equal((0, ""), (swarm.Code, swarm.Errors));
        using (var report = JsonDocument.Parse(Assert.Single(swarm.Output.Trim().Split('\n'))))
        {
            Assert.True(report.RootElement.GetProperty("digestAgreement").GetBoolean());
        }

        Assert.Contains("--resume", (await Captured.RunAsync(arguments)).AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
        var resumed = await Captured.RunAsync(Runs.Arguments(_folder, "run", 2));
        Assert.Equal((0, ""), (resumed.Code, resumed.Errors));
        Assert.Contains("--peers, --preset, --rounds, --data not used", resumed.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await Captured.RunAsync("run", "show", "--dir", _folder["run"])).Code);
        File.WriteAllLines(_folder["arc.jsonl"], ["""{"question":"Which?","choices":{"text":["the","of"],"label":["A","B"]},"answerKey":"A","id":"1"}"""]);
        var scored = await Captured.RunAsync("evaluator", "--dir", _folder["run"], "--sequences", "4", "--tasks", $"arc={_folder["arc.jsonl"]}");
        Assert.Equal((0, ""), (scored.Code, scored.Errors));
        Assert.Contains("arc acc", scored.Output, StringComparison.Ordinal);
        Assert.Contains("signed by validator-1", (await Captured.RunAsync("run", "evaluations", "--dir", _folder["run"])).Output, StringComparison.Ordinal);
        (await Captured.RunAsync("evaluator", "--dir", _folder["run"], "--name", "peer-9")).AssertRefused(ExitCode.BadInput);
        var measured = await Captured.RunAsync("run", "contribution", "--dir", _folder["run"], "--round", "2", "--sequences", "4");
        Assert.Equal(0, measured.Code);
        Assert.Contains("peer-2", measured.Output, StringComparison.Ordinal);
        (await Captured.RunAsync("run", "contribution", "--dir", _folder["run"], "--round", "0")).AssertRefused(ExitCode.BadInput);
        await AssertTalksAsync();
        await AssertDamagedCheckpointsAreRefusedAsync();
        TestFolder.FlipBit(new RunDirectory(_folder["run"]).Ledger, 1500);
        foreach (var verb in new string[][] { ["run", "show"], ["swarm", "--resume"] })
        {
            var refused = await Captured.RunAsync([.. verb, "--dir", _folder["run"]]);
            Assert.Contains("ledger.cairn", refused.AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Nothing_can_be_resumed_shown_or_talked_to_where_there_is_nothing()
    {
        foreach (var arguments in new string[][]
        {
            ["swarm", "--resume", "--dir", _folder["none"]],
            ["run", "show", "--dir", _folder["none"]],
            ["run", "contribution", "--dir", _folder["none"]],
            ["generate", "--dir", _folder["none"]],
            ["train", "--resume", "--dir", _folder["none"]],
        })
        {
            Assert.Contains("none", (await Captured.RunAsync(arguments)).AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_training_goes_on_without_its_options_being_told_again()
    {
        string[] begin = ["train", "--preset", "pico", "--steps", "16", "--rate", "3e-3", "--seed", "4", "--data", _folder["corpus.txt"], "--dir", _folder["train"], "--json"];
        TestCorpus.Write(_folder["corpus.txt"]);
        var begun = await Captured.RunAsync(begin);
        Assert.Equal((0, ""), (begun.Code, begun.Errors));
        var resumed = await Captured.RunAsync(["train", "--resume", "--dir", _folder["train"], "--json"]);
        Assert.Equal(begun.Output, resumed.Output);
        (await Captured.RunAsync(["train", "--resume", "--steps", "32", "--dir", _folder["train"]])).AssertRefused(ExitCode.BadInput);
        foreach (var other in new string[][] { ["--data", _folder["other.txt"]], ["--text-field", "body"], ["--like", _folder["run"]] })
        {
            var refusal = (await Captured.RunAsync(["train", "--resume", "--dir", _folder["train"], .. other])).AssertRefused(ExitCode.BadInput);
            Assert.Contains($"begun with other {other[0]}:", refusal, StringComparison.Ordinal);
        }

        Assert.Equal(begun.Output, (await Captured.RunAsync("train", "--resume", "--data", _folder["corpus.txt"], "--dir", _folder["train"], "--json")).Output);
    }

    private async Task AssertTalksAsync()
    {
        string[] ask = ["generate", "--dir", _folder["run"], "--prompt", "The ", "--max-tokens", "12", "--seed", "3"];
        var told = await Captured.RunAsync(ask);
        Assert.Equal((0, ""), (told.Code, told.Errors));
        Assert.StartsWith("The ", told.Output, StringComparison.Ordinal);
        Assert.Equal(told.Output, (await Captured.RunAsync([.. ask, "--threads", "2"])).Output);
        using var json = JsonDocument.Parse((await Captured.RunAsync([.. ask, "--json"])).Output);
        Assert.Equal(told.Output.TrimEnd('\n'), json.RootElement.GetProperty("text").GetString());
        foreach (var option in new[] { "--temperature=-1", "--temperature=NaN", "--top-p=0", "--top-p=2" })
        {
            (await Captured.RunAsync([.. ask, option])).AssertRefused(ExitCode.BadInput);
        }
    }

    private async Task AssertDamagedCheckpointsAreRefusedAsync()
    {
        var checkpoint = CheckpointFolder.Newest(new RunDirectory(_folder["run"]))!;
        foreach (var name in new[] { "model.safetensors", "config.json", "tokenizer.json" })
        {
            var path = Path.Combine(checkpoint, name);
            var kept = File.ReadAllBytes(path);
            foreach (var damaged in new[] { kept[..(kept.Length / 2)], [], [.. Enumerable.Repeat((byte)0xff, 100)], [.. kept[..4], 0x7f, .. kept[5..]] })
            {
                File.WriteAllBytes(path, damaged);
                var refused = await Captured.RunAsync("generate", "--dir", checkpoint, "--max-tokens", "1");
                Assert.Contains(checkpoint, refused.AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
            }

            File.Delete(path);
            (await Captured.RunAsync("generate", "--dir", checkpoint, "--max-tokens", "1")).AssertRefused(ExitCode.BadInput);
            File.WriteAllBytes(path, kept);
        }

        Assert.Equal(0, (await Captured.RunAsync("generate", "--dir", checkpoint, "--max-tokens", "1")).Code);
    }
}
