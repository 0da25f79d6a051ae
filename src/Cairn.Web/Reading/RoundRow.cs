using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Web;

/// <summary>What is kept of a round: sums and places; the rest is read again when somebody looks.</summary>
internal sealed class RoundRow(int number)
{
    public int Number { get; } = number;

    /// <summary>The first block in which it was the current round.</summary>
    public long FirstHeight { get; set; }

    /// <summary>The last one.</summary>
    public long LastHeight { get; set; }

    /// <summary>Peers that have a place in it.</summary>
    public int Roster { get; set; }

    /// <summary>Updates in its manifest; null while it is not closed.</summary>
    public int? Members { get; set; }

    /// <summary>Samples of those.</summary>
    public long Samples { get; set; }

    /// <summary>Samples of all rounds up to this one.</summary>
    public long SamplesSoFar { get; set; }

    public int Commits { get; set; }

    public int Reveals { get; set; }

    public int Verdicts { get; set; }

    public int Bases { get; set; }

    public int Shares { get; set; }

    public int Timeouts { get; set; }

    /// <summary>Bytes of its updates.</summary>
    public long Bytes { get; set; }

    public Digest? Manifest { get; set; }

    public Digest? QuorumBase { get; set; }

    public Digest? FirstBase { get; set; }

    /// <summary>False if two members posted different bases.</summary>
    public bool Agreement { get; set; } = true;

    public double? Loss { get; set; }

    public double? BitsPerByte { get; set; }

    /// <summary>Seconds for which its peers computed, together.</summary>
    public double Computing { get; set; }

    /// <summary>When each stage began.</summary>
    public DateTimeOffset?[] Began { get; } = new DateTimeOffset?[(int)Stage.Finished + 1];

    /// <summary>Where the words of validators on its updates lie.</summary>
    public List<EventPlace> Judged { get; } = [];

    /// <summary>When it ended: when the next one began, or the run was over.</summary>
    public DateTimeOffset? Ended { get; set; }

    /// <summary>Seconds it took, once it is over.</summary>
    public double? Seconds => Ended - Began[0] is { } time && time > TimeSpan.Zero ? time.TotalSeconds : null;
}
