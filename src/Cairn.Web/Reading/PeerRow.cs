using Cairn.Base;

namespace Cairn.Web;

/// <summary>How one peer did in one round.</summary>
internal record struct PeerRound
{
    public int Round { get; set; }

    /// <summary>True if its update is in the manifest.</summary>
    public bool Counted { get; set; }

    /// <summary>What a validator said against it, or None.</summary>
    public Rejection Reason { get; set; }

    public int Samples { get; set; }

    public long Bytes { get; set; }

    public double? Rating { get; set; }

    /// <summary>Improvement on its own data, nats per token.</summary>
    public double? Score { get; set; }

    /// <summary>Mean loss of its last inner step, nats per token.</summary>
    public double? TrainLoss { get; set; }
}

/// <summary>What is kept of a member.</summary>
internal sealed class PeerRow(int uid)
{
    private const int RoundsKept = 2048;
    private readonly List<PeerRound> _rounds = [];

    public int Uid { get; } = uid;

    /// <summary>The round in which it registered.</summary>
    public int Since { get; set; }

    public long BytesSent { get; set; }

    public double? Rating { get; set; }

    public double? Score { get; set; }

    /// <summary>The part of the work that was found of it, 0 to 1.</summary>
    public double? Work { get; set; }

    public double? TrainLoss { get; set; }

    /// <summary>What validators said against its updates, and how many said it.</summary>
    public SortedDictionary<Rejection, int> Reasons { get; } = [];

    public (int Round, Rejection Reason)? LastRefusal { get; set; }

    /// <summary>Its rounds, the newest last.</summary>
    public IReadOnlyList<PeerRound> Rounds => _rounds;

    /// <summary>Changes what is kept of a round.</summary>
    /// <param name="round">The round; of old ones nothing is kept any more.</param>
    /// <param name="change">The change.</param>
    public void In(int round, Func<PeerRound, PeerRound> change)
    {
        var (at, low) = (_rounds.Count, 0);
        while (low < at)
        {
            var middle = (low + at) / 2;
            (low, at) = _rounds[middle].Round <= round ? (middle + 1, at) : (low, middle);
        }

        if (at > 0 && _rounds[at - 1].Round == round)
        {
            _rounds[at - 1] = change(_rounds[at - 1]);
            return;
        }

        if (at == 0 && _rounds.Count > 0)
        {
            return;
        }

        _rounds.Insert(at, change(new PeerRound { Round = round }));
        if (_rounds.Count > RoundsKept)
        {
            _rounds.RemoveRange(0, RoundsKept / 8);
        }
    }
}
