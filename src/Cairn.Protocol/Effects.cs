using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Protocol;

/// <summary>What a machine wants done. The host does it, once, and reports by an event; tensors and bytes never pass through the machine.</summary>
public abstract record Effect;

/// <summary>Train H inner steps on the samples assigned for the round, from the base that the rules name for it: that after the round before, or with an apply delay that
/// before the round before. Without a delay also encode the update. Answer: <see cref="Trained"/>.</summary>
/// <param name="Round">Which round.</param>
/// <remarks>With a delay the replica may apply the round before while this goes on.</remarks>
public sealed record RunInnerSteps(Round Round) : Effect;

/// <summary>Add the error feedback, as the rounds before have left it, to what was trained for the round, and encode the update. Only with an apply delay, where it
/// waits for the round before. Answer: <see cref="Encoded"/>.</summary>
/// <param name="Round">Which round: the one that the replica stands before.</param>
public sealed record EncodeUpdate(Round Round) : Effect;

/// <summary>Encrypt the update, make it durable, put it in the store; what an earlier life published for the round stands. Answer: <see cref="Published"/>.</summary>
/// <param name="Round">Which round.</param>
public sealed record PublishUpdate(Round Round) : Effect;

/// <summary>Sign an operation, make the signed bytes durable, append them to the ledger. No answer: the ledger's next state shows it.</summary>
/// <param name="Operation">What to say.</param>
public sealed record Submit(Operation Operation) : Effect;

/// <summary>Say this round's beacon preimage on the ledger. No answer: the ledger's next state shows it.</summary>
/// <param name="Round">Which round.</param>
public sealed record SubmitBeacon(Round Round) : Effect;

/// <summary>Fetch exactly the manifest's updates, combine, step, settle the error feedback, make the new state durable. Answer: <see cref="Applied"/>.</summary>
/// <param name="Round">Which round.</param>
/// <param name="Manifest">The closed set; empty leaves everything as it was.</param>
/// <param name="Included">True if this peer's own update is in it: its training stands. False: it is rolled back.</param>
public sealed record ApplyManifest(Round Round, Manifest Manifest, bool Included) : Effect;

/// <summary>Compute the base after a round again from the durable state before it. Answer: <see cref="Recomputed"/>.</summary>
/// <param name="Round">Which round.</param>
/// <param name="Manifest">The closed set.</param>
public sealed record Recompute(Round Round, Manifest Manifest) : Effect;

/// <summary>Give up the own replica and take over the quorum's: go back to the durable state before the round, which is then applied anew by the usual way.
/// Answer: <see cref="WentBack"/>.</summary>
/// <param name="Round">The round after which the bases differed.</param>
/// <param name="Quorum">What the quorum has; where there is none, what came out of the recomputation.</param>
public sealed record CatchUp(Round Round, Digest Quorum) : Effect;

/// <summary>Fetch, open, check and probe the updates of the round. Answer: <see cref="Judged"/>.</summary>
/// <param name="Round">Which round.</param>
public sealed record JudgeUpdates(Round Round) : Effect;

/// <summary>Put the checkpoint of the new base in the store and compute the shares. Answer: <see cref="SharesReady"/>.</summary>
/// <param name="Round">Which round.</param>
public sealed record PrepareSettlement(Round Round) : Effect;

/// <summary>Measure the held-out loss of the new base, for people; it decides nothing. No answer.</summary>
/// <param name="Round">After which round.</param>
public sealed record Evaluate(Round Round) : Effect;

/// <summary>Wake the machine by <see cref="DeadlinePassed"/> if the stage still lasts when its time is over.</summary>
/// <param name="Round">Which round.</param>
/// <param name="Stage">Which stage.</param>
/// <param name="Again">True for a second, shorter wait in the same stage.</param>
public sealed record ArmDeadline(Round Round, Stage Stage, bool Again = false) : Effect
{
    /// <summary>The part of a stage's time that a second wait lasts: enough for what others say at the end of the first to be there.</summary>
    public const int AgainPart = 4;
}

/// <summary>This replica is wrong and recomputing does not help: stop, keep the evidence.</summary>
/// <param name="Round">After which round.</param>
/// <param name="Own">What this node has.</param>
/// <param name="Quorum">What validators with more than half of the bond have.</param>
public sealed record Halt(Round Round, Digest Own, Digest Quorum) : Effect;

/// <summary>The run is over and this node has applied its last round.</summary>
public sealed record Finish : Effect;
