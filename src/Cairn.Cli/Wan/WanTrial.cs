using System.Globalization;
using System.Net;
using Cairn.Base;
using Cairn.Cli.Chaos;
using Cairn.Exchange;
using Cairn.Ledger;
using Cairn.Node;
using Cairn.Protocol;

namespace Cairn.Cli.Wan;

/// <summary>A run of real processes over a real S3 server, each behind a line of its own; and what it took.</summary>
internal sealed class WanTrial(WanOptions options, Action<string> tell)
{
    private const string Bucket = "cairn-wan";
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);
    private readonly List<ChaosProxy> _lines = [];
    private readonly List<ChaosNode> _nodes = [];

    /// <summary>Measures.</summary>
    /// <exception cref="InputException">This machine cannot make the lines or the server, or a node ended before the run did.</exception>
    public async Task<WanReport> RunAsync(CancellationToken cancellation)
    {
        options.Validate();
        using var spaces = NetworkSpaces.Begin();
        await WanPlace.RemoveLeftAsync();
        using var place = WanPlace.Create();
        await using var server = await LocalS3.StartAsync(place.ServerFolder);
        try
        {
            var places = Enumerable.Range(0, options.Peers + options.Validators).Select(_ => Open(spaces, server.Port)).ToList();
            var common = AddressOf("common", places[0].Endpoint);
            await S3Bucket.CreateAsync(common, LocalS3.Owner, cancellation);
            var rules = await Task.Run(() => Found(common.ToString(), cancellation), cancellation);
            CreateNodes(places);
            tell($"{_nodes.Count} nodes, each behind a line of its own; what connects and what settles does not count");
            _nodes.ForEach(node => node.Start());
            await LiveAsync(new RunDirectory(options.Folder), cancellation);
            return WanReport.Of(options, rules, Times(), spaces.NoLoss.Length > 0 ? [spaces.NoLoss] : []);
        }
        finally
        {
            _nodes.ForEach(node => node.Dispose());
            _lines.ForEach(line => line.Dispose());
        }
    }

    private (NetworkSpace Space, Uri Endpoint, ChaosProxy Line) Open(NetworkSpaces spaces, int server)
    {
        var space = spaces.Add(options.UpMegabits, options.DownMegabits, options.LossPercent);
        var line = new ChaosProxy(new IPEndPoint(IPAddress.Loopback, server), space.Host, TimeSpan.FromMilliseconds(options.DelayMilliseconds));
        _lines.Add(line);
        return (space, new Uri($"http://{space.Host}:{line.Port}"), line);
    }

    private static S3Address AddressOf(string prefix, Uri endpoint) => new() { Bucket = Bucket, Prefix = prefix, Endpoint = endpoint };

    private RunRules Found(string store, CancellationToken cancellation) => options.NetworkOnly
        ? WanFounding.Found(new WanRunOptions
        {
            Directory = options.Folder,
            Store = store,
            Parameters = options.Parameters,
            Peers = options.Peers,
            Validators = options.Validators,
            Rounds = options.Rounds,
            ComputeSeconds = options.ComputeSeconds,
            ApplyDelay = options.ApplyDelay,
        })
        : Swarm.Found(
            new SwarmOptions
            {
                Directory = options.Folder,
                Preset = options.Preset,
                Peers = options.Peers,
                Validators = options.Validators,
                InnerSteps = options.InnerSteps,
                Batch = options.Batch,
                Rounds = options.Rounds,
                ApplyDelay = options.ApplyDelay,
                Data = options.Data,
            },
            store, new StoreAccess { Writer = LocalS3.Owner }, tell, cancellation);

    private void CreateNodes(List<(NetworkSpace Space, Uri Endpoint, ChaosProxy Line)> places)
    {
        var environment = new Dictionary<string, string>
        {
            [StoreAccess.AccessKeyVariable] = LocalS3.Owner.AccessKey,
            [StoreAccess.SecretKeyVariable] = LocalS3.Owner.SecretKey,
        };
        foreach (var (member, place) in RunSummary.Read(new RunDirectory(options.Folder)).Members.Zip(places))
        {
            var (role, store) = (Enum.Parse<Role>(member.Role), AddressOf(member.Name, place.Endpoint).ToString());
            var node = new ChaosNode(member.Name, role, store, place.Line, options.Folder, environment) { Prefix = place.Space.Prefix };
            _nodes.Add(!options.NetworkOnly ? node : new ChaosNode(member.Name, role, store, place.Line, options.Folder, environment)
            {
                Prefix = place.Space.Prefix,
                Arguments =
                [
                    "lab", "wan", "node", "--dir", options.Folder, "--name", member.Name, "--store", store, "--compute",
                    options.ComputeSeconds.ToString(CultureInfo.InvariantCulture),
                ],
            });
        }
    }

    private async Task LiveAsync(RunDirectory directory, CancellationToken cancellation)
    {
        using var ledger = EmbeddedLedger.Open(directory.Ledger, readOnly: true);
        var state = LedgerState.FromGenesis(ledger.Genesis);
        while (_nodes.Any(node => node.Outcome is null))
        {
            await Task.Delay(Look, cancellation);
            foreach (var block in ledger.ReadNew())
            {
                var round = state.CurrentRound;
                state.Apply(block, verifySignatures: false); // the handle verified them as it read
                if (state.CurrentRound > round)
                {
                    tell($"round {round.Number + 1}/{options.Rounds}: {state.ManifestOf(round)!.Entries.Count} updates");
                }
            }

            foreach (var node in _nodes)
            {
                if (node.Collect() is { } end)
                {
                    throw new InputException($"{node.Name} ended before the run did: {end.Why}");
                }
            }
        }
    }

    private WanTimes Times()
    {
        var directory = new RunDirectory(options.Folder);
        IReadOnlyList<EventLine> EventsOf(ChaosNode node) => [.. EventLog.Read(Path.Combine(directory.Node(node.Name), "events.jsonl"))];
        return WanTimes.Of(
            EventsOf(_nodes.First(node => node.Role == Role.Validator)), _nodes.Where(node => node.Role == Role.Peer).Select(node => (node.Name, EventsOf(node))),
            options.Rounds, options.ApplyDelay) ?? throw new InputException("the run ended without its rounds: nothing was measured.");
    }
}
