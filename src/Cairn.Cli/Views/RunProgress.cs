using Cairn.Node;

namespace Cairn.Cli.Views;

/// <summary>One peer as the person sees it.</summary>
internal sealed class PeerProgress
{
    public required string Name { get; init; }

    public string Doing { get; set; } = "waiting";

    public double? LastLoss { get; set; }

    public double? Score { get; set; }

    public double? Rating { get; set; }

    public long Bytes { get; set; }

    public long BytesSent { get; set; }

    public int Accepted { get; set; }

    public int Rejected { get; set; }

    public string? LastRejection { get; set; }
}

/// <summary>What the events of a run add up to: the model behind the live view and the plain lines.</summary>
internal sealed class RunProgress
{
    private readonly SortedDictionary<string, PeerProgress> _peers = new(StringComparer.Ordinal);

    public RunStarted? Started { get; private set; }

    public int Round { get; private set; }

    public string Stage { get; private set; } = "";

    public LossEvaluated? First { get; private set; }

    public LossEvaluated? Latest { get; private set; }

    public double TokensPerSecond { get; private set; }

    public double Compression { get; private set; }

    public IReadOnlyCollection<PeerProgress> Peers => _peers.Values;

    public List<(int Round, double Loss)> Curve { get; } = [];

    public void Observe(RunEvent happened)
    {
        switch (happened)
        {
            case RunStarted started:
                Started = started;
                break;
            case StageChanged stage:
                (Round, Stage) = (stage.Round, stage.Stage);
                break;
            case PeerTraining training:
                Peer(training.Node).Doing = $"step {training.Step}/{training.Steps}";
                break;
            case PeerTrained trained:
                Peer(trained.Node).Doing = "trained";
                Peer(trained.Node).LastLoss = trained.LastLoss;
                break;
            case UpdatePublished published:
                Peer(published.Node).Doing = "sent";
                Peer(published.Node).Bytes = published.Bytes;
                Peer(published.Node).BytesSent += published.Bytes;
                Compression = published.CompressionVsFp32;
                break;
            case UpdatesJudged judged:
                Judge(judged);
                break;
            case RoundApplied applied when _peers.TryGetValue(applied.Node, out var peer):
                peer.Doing = "applied";
                break;
            case LossEvaluated evaluated:
                Evaluate(evaluated);
                break;
            default:
                break;
        }
    }

    private void Judge(UpdatesJudged judged)
    {
        foreach (var verdict in judged.Verdicts)
        {
            var peer = Peer(verdict.Peer);
            peer.Rating = verdict.Rating;
            peer.Score = verdict.Score ?? peer.Score;
            if (verdict.Reason == "None")
            {
                peer.Accepted++;
            }
            else
            {
                peer.Rejected++;
                peer.LastRejection = verdict.Reason;
            }
        }
    }

    private void Evaluate(LossEvaluated evaluated)
    {
        First ??= evaluated;
        if (Latest is { } before && evaluated.Seconds > before.Seconds && evaluated.Tokens > before.Tokens)
        {
            TokensPerSecond = (evaluated.Tokens - before.Tokens) / (evaluated.Seconds - before.Seconds);
        }

        Latest = evaluated;
        Curve.Add((evaluated.Round, evaluated.Loss));
    }

    private PeerProgress Peer(string name)
    {
        if (!_peers.TryGetValue(name, out var peer))
        {
            peer = new PeerProgress { Name = name };
            _peers.Add(name, peer);
        }

        return peer;
    }
}
