using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Protocol;

/// <summary>How far a peer is with its own update of one round.</summary>
internal enum WorkStage
{
    /// <summary>Nothing is begun.</summary>
    None,

    /// <summary>Inner steps are under way.</summary>
    Training,

    /// <summary>The inner steps are done; the error feedback is not added yet. Only with an apply delay.</summary>
    Trained,

    /// <summary>The update is being encoded. Only with an apply delay.</summary>
    Encoding,

    /// <summary>The update is there to be published.</summary>
    Ready,

    /// <summary>It is being published.</summary>
    Publishing,

    /// <summary>It is in the store, and what the commit hides is durable.</summary>
    Published,

    /// <summary>There is nothing to send.</summary>
    Unusable,
}

/// <summary>A peer's work for one round, and what it has said of it.</summary>
/// <param name="round">The round.</param>
internal sealed class PeerWork(Round round)
{
    public Round Round => round;

    public WorkStage Stage { get; set; }

    public bool SaidCommit { get; set; }

    public bool SaidReveal { get; set; }

    /// <summary>Inner steps or the encoding are under way: the replica is in use.</summary>
    public bool Runs => Stage is WorkStage.Training or WorkStage.Encoding;

    /// <summary>Takes note of what the host did for this round.</summary>
    /// <param name="happened">Any event of the work.</param>
    /// <param name="encodes">True if the inner steps come with the encoding: without an apply delay.</param>
    /// <param name="published">True if an earlier life published the update, or it was published now.</param>
    public void Observe(NodeEvent happened, bool encodes, bool published)
    {
        switch (happened)
        {
            case Trained trained when Stage == WorkStage.Training:
                Stage = !trained.Usable ? WorkStage.Unusable : encodes ? Done(published) : WorkStage.Trained;
                break;
            case Encoded encoded when Stage == WorkStage.Encoding:
                Stage = encoded.Usable ? Done(published) : WorkStage.Unusable;
                break;
            case Published when Stage == WorkStage.Publishing:
                Stage = WorkStage.Published;
                break;
            default:
                break;
        }
    }

    private static WorkStage Done(bool published) => published ? WorkStage.Published : WorkStage.Ready;
}
