using System.Diagnostics;
using System.Net;
using Cairn.Base;
using Cairn.Exchange;
using Cairn.Ledger;
using Cairn.Node;

namespace Cairn.Cli.Chaos;

/// <summary>A whole run of real processes over a real S3 server, while things go wrong; and then what must be true of it.</summary>
internal sealed class ChaosTrial(ChaosOptions options, Action<string> tell)
{
    private const double LossTolerance = 0.03;
    private const int StageSeconds = 15;
    private const int RoundsOfPeace = 3;
    private const string Bucket = "cairn-chaos";
    private static readonly TimeSpan FinishMax = TimeSpan.FromMinutes(10);
    private readonly List<ChaosProxy> _lines = [];
    private readonly List<ChaosNode> _nodes = [];
    private readonly List<string> _skipped = [];
    private string _chainAddress = "";

    /// <summary>Runs it.</summary>
    public async Task<ChaosReport> RunAsync(CancellationToken cancellation)
    {
        var undisturbed = await UndisturbedLossAsync(cancellation);
        var folder = Path.Combine(options.Folder, "run");
        await using var chain = options.OnChain ? await LocalChain.StartAsync(Path.Combine(options.Folder, "chain")) : null;
        _chainAddress = chain?.Address ?? "";
        await using var server = await LocalS3.StartAsync(Path.Combine(options.Folder, "s3"));
        var address = new S3Address { Bucket = Bucket, Prefix = "chaos", Endpoint = new Uri($"http://127.0.0.1:{server.Port}") };
        await S3Bucket.CreateAsync(address, LocalS3.Owner, cancellation);
        var access = new StoreAccess { Writer = LocalS3.Owner };
        var founding = OptionsOf(folder) with
        {
            Chain = chain is null ? null : new ChainOptions { Nodes = [chain.Address], Confirmations = LocalChain.Confirmations },
        };
        await Task.Run(() => Swarm.Found(founding, address.ToString(), access, tell, cancellation), cancellation);
        try
        {
            CreateNodes(folder, address, server.Port);
            await MakeAccountsAsync(chain, cancellation);
            using var line = new S3Line(access.Options, allowPrivateHosts: true);
            using var bucket = new S3Store(address, LocalS3.Owner, line, stranger: false);
            var directory = new RunDirectory(folder);
            using var disk = Disk(directory);
            var strikes = new ChaosStrikes(new ChaosWorld(_nodes, bucket, disk, chain), options.Strikes, options.Seed, tell);
            var clock = Stopwatch.StartNew();
            _nodes.ForEach(node => node.Start());
            var longest = await LiveAsync(directory, strikes, clock, cancellation);
            _nodes.ForEach(node => node.Stop());
            var seconds = clock.Elapsed.TotalSeconds;
            var chainFaults = chain is null ? [] : await CompareWithChainAsync(directory, cancellation);
            return Conclude(directory, [.. strikes.Faults, .. chainFaults], strikes.Counts, seconds, longest, undisturbed);
        }
        finally
        {
            _nodes.ForEach(node => node.Dispose());
            _lines.ForEach(proxy => proxy.Dispose());
        }
    }

    private SwarmOptions OptionsOf(string folder) => new()
    {
        Directory = folder,
        Peers = options.Peers,
        Validators = options.Validators,
        Preset = options.Preset,
        Rounds = options.Rounds,
        Seed = options.Seed,
        Data = options.Data,
        StageSeconds = StageSeconds,
        ApplyDelay = options.ApplyDelay,
    };

    private async Task<double> UndisturbedLossAsync(CancellationToken cancellation)
    {
        tell($"first {options.Rounds} rounds in peace, to compare with");
        var outcome = await Swarm.RunAsync(OptionsOf(Path.Combine(options.Folder, "peace")), _ => { }, _ => { }, cancellation);
        tell($"in peace: held-out loss {outcome.Report.LossFinal:F4}");
        return outcome.Report.LossFinal;
    }

    private void CreateNodes(string folder, S3Address address, int port)
    {
        var environment = new Dictionary<string, string>
        {
            [StoreAccess.AccessKeyVariable] = LocalS3.Owner.AccessKey,
            [StoreAccess.SecretKeyVariable] = LocalS3.Owner.SecretKey,
            [ChainOptions.PassphraseVariable] = LocalChain.Passphrase,
        };
        foreach (var member in RunSummary.Read(new RunDirectory(folder)).Members)
        {
            var line = new ChaosProxy(new IPEndPoint(IPAddress.Loopback, port));
            _lines.Add(line);
            var store = address with { Prefix = $"{address.Prefix}/{member.Name}", Endpoint = new Uri($"http://127.0.0.1:{line.Port}") };
            string[] account = options.OnChain ? ["--account", AccountOf(member.Name)] : [];
            _nodes.Add(new ChaosNode(member.Name, Enum.Parse<Role>(member.Role), store.ToString(), line, folder, environment, account));
        }
    }

    private string AccountOf(string name) => Path.Combine(options.Folder, "accounts", name + ".json");

    // Every node pays for itself: of one account only one process may send.
    private async Task MakeAccountsAsync(LocalChain? chain, CancellationToken cancellation)
    {
        if (chain is not null)
        {
            Directory.CreateDirectory(Path.Combine(options.Folder, "accounts"));
            foreach (var node in _nodes)
            {
                await chain.MakeAccountAsync(AccountOf(node.Name), cancellation);
            }
        }
    }

    // What anybody finds who has nothing but the chain must be what the nodes of the run have followed.
    private async Task<IReadOnlyList<string>> CompareWithChainAsync(RunDirectory directory, CancellationToken cancellation)
    {
        var (run, contract) = (ChainAudit.RunOf(directory), directory.Places.Chain!.Contract);
        var audit = await ChainAudit.RunAsync([_chainAddress], contract, run, LocalChain.Confirmations, directory, null, cancellation);
        var rounds = RunSummary.Read(directory).History;
        tell($"from the chain alone: height {audit.Height}, {audit.Rounds.Count} rounds, {audit.Void} void operations");
        var faults = new List<string>();
        if (audit.FolderAgrees != true)
        {
            faults.Add("the chain holds other blocks than the ledger of the nodes");
        }

        if (!audit.Rounds.Select(round => (round.Manifest, round.Base)).SequenceEqual(rounds.Select(round => (round.Manifest, round.BaseDigest))))
        {
            faults.Add("from the chain alone other rounds come about than the nodes have seen");
        }

        return faults;
    }

    private SmallDisk? Disk(RunDirectory directory)
    {
        if (options.Strikes.Count > 0 && !options.Strikes.Contains(ChaosKinds.FullDisk))
        {
            return null;
        }

        var node = _nodes.Last(node => node.Role == Role.Peer);
        var rules = RunSummary.Read(directory);
        var megabytes = 16 + (int)(rules.Parameters * 4L * 12 >> 20);
        var disk = SmallDisk.TryMount(directory.Node(node.Name), megabytes, node, out var whyNot);
        if (whyNot.Length > 0)
        {
            _skipped.Add(whyNot);
        }

        return disk;
    }

    // Things go wrong until the time is over or the run nearly is; then everything is put right and must come to its end.
    private async Task<double> LiveAsync(RunDirectory directory, ChaosStrikes strikes, Stopwatch clock, CancellationToken cancellation)
    {
        using var ledger = EmbeddedLedger.Open(directory.Ledger, readOnly: true);
        var state = LedgerState.FromGenesis(ledger.Genesis);
        var (next, third, longest, roundBegan) = (strikes.NextWait(), false, 0.0, 0.0);
        var peace = (double?)null;
        while (_nodes.Any(node => node.Outcome is null))
        {
            await Task.Delay(200, cancellation);
            var now = clock.Elapsed.TotalSeconds;
            foreach (var block in ledger.ReadNew())
            {
                var round = state.CurrentRound;
                state.Apply(block, verifySignatures: false); // the handle verified them as it read
                if (state.CurrentRound > round)
                {
                    longest = Math.Max(longest, now - roundBegan);
                    roundBegan = now;
                    tell($"round {round.Number + 1}/{options.Rounds} over after {now:F0} s: {state.ManifestOf(round)!.Entries.Count} updates");
                }
            }

            var nearlyOver = state.CurrentRound.Number >= options.Rounds - Math.Min(RoundsOfPeace, options.Rounds / 2) && strikes.AllCame;
            if (peace is null && (now > options.Minutes * 60 || nearlyOver))
            {
                peace = now;
                tell("peace: everything is put right");
            }

            await strikes.HealAsync(all: peace is not null);
            if (peace is null && !third && now > options.Minutes * 30)
            {
                third = true;
                strikes.KillThird();
            }
            else if (peace is null && now >= next)
            {
                await strikes.StrikeAsync(cancellation);
                next = clock.Elapsed.TotalSeconds + strikes.NextWait();
            }

            if (peace is { } since && now - since > FinishMax.TotalSeconds)
            {
                tell($"the run has not come to its end within {FinishMax.TotalMinutes:F0} minutes of peace");
                break;
            }
        }

        return longest;
    }

    private ChaosReport Conclude(
        RunDirectory directory, IEnumerable<string> found, SortedDictionary<string, int> counts, double seconds, double longest, double undisturbed)
    {
        var faults = new List<string>();
        var summary = RunSummary.Read(directory); // the ledger is verified from its first block
        var audit = SampleAudit.Of(directory);
        var quorum = summary.History.Count > 0 ? summary.History[^1].BaseDigest ?? "" : "";
        foreach (var node in _nodes)
        {
            if (node.Outcome is not { Finished: true } outcome)
            {
                faults.Add($"{node.Name} did not come to the end of the run");
            }
            else if (outcome.BaseDigest != quorum)
            {
                faults.Add($"{node.Name} has the base {outcome.BaseDigest[..8]}, the quorum's is {quorum[..Math.Min(8, quorum.Length)]}");
            }
        }

        faults.AddRange(found);
        Need(summary.DigestAgreement, "somebody posted another base than the others");
        Need(audit.Holds, $"samples: {audit.Duplicates} twice, {audit.Missing} not at all, {audit.PerPeer.Sum(peer => peer.BadReceipts)} bad receipts");
        Need(summary.Money.Slashes.Count == 0, "an honest member's bond was cut");
        var loss = RunMeasure.HeldOutLoss(directory, _nodes.First(node => node.Role == Role.Validator).Name);
        Need(loss <= undisturbed * (1 + LossTolerance), $"held-out loss {loss:F4}, undisturbed {undisturbed:F4}: more than {100 * LossTolerance:F0} % worse");
        return new ChaosReport(
            faults.Count == 0, faults, summary.RoundsClosed, summary.History.Count(round => round.Members == 0), counts, _nodes.Sum(node => node.Lives - 1),
            seconds, loss, undisturbed, quorum, longest, _skipped);

        void Need(bool holds, string fault)
        {
            if (!holds)
            {
                faults.Add(fault);
            }
        }
    }
}
