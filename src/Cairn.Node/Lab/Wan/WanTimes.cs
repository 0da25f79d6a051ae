using Cairn.Ledger;

namespace Cairn.Node;

/// <summary>What one peer's rounds were spent on: seconds of an average round.</summary>
/// <param name="Peer">Its name.</param>
/// <param name="Utilisation">1 − time without a runnable inner step / time of the rounds.</param>
/// <param name="Compute">Inner steps.</param>
/// <param name="Send">From the end of the inner steps until the update lay in its store: encrypting, putting; with an apply delay also the wait for the round
/// before.</param>
/// <param name="Apply">From the closing of the round until it had applied it: fetching, opening, applying.</param>
public sealed record WanPeerTimes(string Peer, double Utilisation, double Compute, double Send, double Apply);

/// <summary>How long the stages of an average round took.</summary>
/// <param name="Commit">Until every peer had computed, put its update and committed to it.</param>
/// <param name="Reveal">Until every key was revealed.</param>
/// <param name="Judge">Until validators had fetched, checked, held and accepted.</param>
/// <param name="Apply">Until everybody had fetched and applied, and said what came out.</param>
/// <param name="Settle">Until shares and checkpoint were posted, in the rounds that settle.</param>
public sealed record WanStages(double Commit, double Reveal, double Judge, double Apply, double Settle);

/// <summary>What was measured of a run: read from the events that its nodes wrote.</summary>
/// <param name="Rounds">Rounds that were counted: all but the first, which connects (with an apply delay the first two, for nothing is trained ahead of them), and the
/// last, which settles.</param>
/// <param name="RoundSeconds">Of an average round.</param>
/// <param name="Lengths">Seconds of each, in their order.</param>
/// <param name="UpdateBytes">Of an average update as it lay in its store.</param>
/// <param name="Stages">Its stages.</param>
/// <param name="Peers">By name.</param>
public sealed record WanTimes(int Rounds, double RoundSeconds, IReadOnlyList<double> Lengths, double UpdateBytes, WanStages Stages, IReadOnlyList<WanPeerTimes> Peers)
{
    /// <summary>Seconds of the longest.</summary>
    public double Longest => Lengths.Max();

    /// <summary>The fewest rounds of a run of which something can be counted.</summary>
    /// <param name="applyDelay">The rule of the run.</param>
    public static int RoundsMin(int applyDelay) => 3 + applyDelay;

    /// <summary>The numbers of the rounds that are counted.</summary>
    /// <param name="rounds">Rounds of the run.</param>
    /// <param name="applyDelay">The rule of the run.</param>
    public static IReadOnlyList<int> Counted(int rounds, int applyDelay) =>
        [.. Enumerable.Range(1 + applyDelay, Math.Max(0, rounds - RoundsMin(applyDelay) + 1))];

    /// <summary>Counts.</summary>
    /// <param name="teller">Events of the validator that tells the stages.</param>
    /// <param name="peers">Events of each peer.</param>
    /// <param name="rounds">Rounds of the run.</param>
    /// <param name="applyDelay">The rule of the run.</param>
    /// <returns>Null if the run did not get through its last but one round.</returns>
    public static WanTimes? Of(
        IEnumerable<EventLine> teller, IEnumerable<(string Name, IReadOnlyList<EventLine> Events)> peers, int rounds, int applyDelay)
    {
        var marks = Marks(teller);
        var counted = Counted(rounds, applyDelay);
        if (counted.Count == 0 || !marks.ContainsKey((counted[^1] + 1, Stage.Commit)))
        {
            return null;
        }

        var lengths = counted.Select(round => (marks[(round + 1, Stage.Commit)] - marks[(round, Stage.Commit)]).TotalSeconds).ToList();
        var members = peers.Select(peer => (peer.Name, peer.Events)).OrderBy(peer => peer.Name, StringComparer.Ordinal).ToList();
        var sizes = members.SelectMany(peer => peer.Events).Select(line => line.Data).OfType<UpdatePublished>().Select(sent => (double)sent.Bytes);
        return new WanTimes(
            counted.Count, lengths.Average(), lengths, sizes.DefaultIfEmpty(0).Average(),
            new WanStages(Mean(Stage.Commit), Mean(Stage.Reveal), Mean(Stage.Judge), Mean(Stage.Apply), Mean(Stage.Settle)),
            [.. members.Select(peer => TimesOf(peer.Name, peer.Events, counted, marks))]);

        double Mean(Stage stage) => counted.Average(round => LengthOf(marks, round, stage));
    }

    private static Dictionary<(int Round, Stage Stage), DateTimeOffset> Marks(IEnumerable<EventLine> teller)
    {
        var marks = new Dictionary<(int, Stage), DateTimeOffset>();
        foreach (var line in teller)
        {
            if (line.Data is StageChanged changed && Enum.TryParse<Stage>(changed.Stage, out var stage))
            {
                marks.TryAdd((changed.Round, stage), line.Time);
            }
        }

        return marks;
    }

    // Until the next stage that there was, in this round or at the beginning of the next.
    private static double LengthOf(Dictionary<(int Round, Stage Stage), DateTimeOffset> marks, int round, Stage stage)
    {
        if (!marks.TryGetValue((round, stage), out var began))
        {
            return 0;
        }

        for (var later = stage + 1; later <= Stage.Settle; later++)
        {
            if (marks.TryGetValue((round, later), out var next))
            {
                return (next - began).TotalSeconds;
            }
        }

        return (marks[(round + 1, Stage.Commit)] - began).TotalSeconds;
    }

    private static WanPeerTimes TimesOf(
        string name, IReadOnlyList<EventLine> events, IReadOnlyList<int> counted, Dictionary<(int Round, Stage Stage), DateTimeOffset> marks)
    {
        var (compute, send, apply) = (new List<double>(), new List<double>(), new List<double>());
        var (idle, whole) = (0.0, 0.0);
        var trained = new Dictionary<int, DateTimeOffset>();
        foreach (var line in events)
        {
            switch (line.Data)
            {
                case PeerTrained done when counted.Contains(done.Round):
                    compute.Add(done.Seconds);
                    (idle, whole) = (idle + (done.IdleSeconds ?? 0), whole + (done.RoundSeconds ?? 0));
                    trained[done.Round] = line.Time;
                    break;
                case UpdatePublished sent when trained.TryGetValue(sent.Round, out var since):
                    send.Add((line.Time - since).TotalSeconds);
                    break;
                case RoundApplied applied when counted.Contains(applied.Round) && marks.TryGetValue((applied.Round, Stage.Apply), out var closed):
                    apply.Add(Math.Max(0, (line.Time - closed).TotalSeconds));
                    break;
            }
        }

        return new WanPeerTimes(name, whole > 0 ? Math.Clamp(1 - (idle / whole), 0, 1) : 0, Average(compute), Average(send), Average(apply));
    }

    private static double Average(List<double> seconds) => seconds.DefaultIfEmpty(0).Average();
}
