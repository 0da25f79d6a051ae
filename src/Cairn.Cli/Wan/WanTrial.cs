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
    private readonly List<ChaosNode> _joiners = [];

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
            if (options.Joiner)
            {
                tell("putting a checkpoint of the model into three stores, one of which lies");
                await CreateJoinerAsync(Open(spaces, server.Port), places, server.Port, cancellation);
            }

            tell($"{_nodes.Count} nodes, each behind a line of its own; what connects and what settles does not count");
            _nodes.ForEach(node => node.Start());
            await LiveAsync(new RunDirectory(options.Folder), cancellation);
            if (_joiners.Any(joiner => joiner.Last.Length == 0))
            {
                throw new InputException("the run was over before the joiner had fetched a checkpoint: give more --rounds.");
            }

            return WanReport.Of(options, rules, Times(), _joiners.FirstOrDefault()?.Last, spaces.NoLoss.Length > 0 ? [spaces.NoLoss] : []);
        }
        finally
        {
            _joiners.ForEach(node => node.Dispose());
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
                Probes = options.Probes,
                Data = options.Data,
            },
            store, new StoreAccess { Writer = LocalS3.Owner }, tell, cancellation);

    private static Dictionary<string, string> Account => new()
    {
        [StoreAccess.AccessKeyVariable] = LocalS3.Owner.AccessKey,
        [StoreAccess.SecretKeyVariable] = LocalS3.Owner.SecretKey,
    };

    private void CreateNodes(List<(NetworkSpace Space, Uri Endpoint, ChaosProxy Line)> places)
    {
        var environment = Account;
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

    // The stores of the first validator and of two peers, of which the second lies. What is put there beforehand goes by no line.
    private async Task CreateJoinerAsync(
        (NetworkSpace Space, Uri Endpoint, ChaosProxy Line) own, List<(NetworkSpace Space, Uri Endpoint, ChaosProxy Line)> places, int server,
        CancellationToken cancellation)
    {
        var members = RunSummary.Read(new RunDirectory(options.Folder)).Members.Zip(places).ToList();
        var sources = members.Where(one => one.First.Role == nameof(Role.Peer)).Take(2).Append(members.First(one => one.First.Role == nameof(Role.Validator))).ToList();
        var direct = sources.Select(source => AddressOf(source.First.Name, new Uri($"http://127.0.0.1:{server}")).ToString()).ToList();
        var digest = await WanJoiner.PublishAsync(
            new RunDirectory(options.Folder), [direct[0], direct[2]], direct[1], new StoreAccess { Writer = LocalS3.Owner }, cancellation);
        _joiners.Add(new ChaosNode("joiner", Role.Peer, "", own.Line, options.Folder, Account)
        {
            Prefix = own.Space.Prefix,
            Arguments =
            [
                "lab", "wan", "joiner", "--dir", options.Folder, "--digest", digest.ToString(),
                .. sources.SelectMany(source => (string[])["--source", AddressOf(source.First.Name, source.Second.Endpoint).ToString()]),
            ],
        });
    }

    private async Task LiveAsync(RunDirectory directory, CancellationToken cancellation)
    {
        using var ledger = EmbeddedLedger.Open(directory.Ledger, readOnly: true);
        var state = LedgerState.FromGenesis(ledger.Genesis);
        var counted = WanTimes.Counted(options.Rounds, options.ApplyDelay);
        var joins = counted[WanJoinerCost.Alone(counted.Count)];
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
                    if (state.CurrentRound.Number == joins)
                    {
                        _joiners.ForEach(joiner => joiner.Start());
                    }
                }
            }

            foreach (var node in _nodes.Concat(_joiners))
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
