using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Protocol;

/// <summary>What happened, as told to a machine. A machine never asks: it is told, and answers with effects.</summary>
public abstract record NodeEvent;

/// <summary>The ledger's state moved on; the machine reads it during the step and keeps no reference to it.</summary>
/// <param name="Ledger">The state after the newest block.</param>
public sealed record LedgerMoved(LedgerState Ledger) : NodeEvent;

/// <summary>The inner steps are done; without an apply delay the update lies encoded in the replica.</summary>
/// <param name="Round">Of which round.</param>
/// <param name="Usable">False if the local training diverged (a number was not finite): nothing can be sent this round.</param>
public sealed record Trained(Round Round, bool Usable) : NodeEvent;

/// <summary>What was trained ahead is encoded. Only with an apply delay.</summary>
/// <param name="Round">Of which round.</param>
/// <param name="Usable">False if it cannot be sent: a number was not finite.</param>
public sealed record Encoded(Round Round, bool Usable) : NodeEvent;

/// <summary>The update is encrypted, durable and in the store. Told again after a restart, from the durable outbox.</summary>
/// <param name="Round">Of which round.</param>
/// <param name="Opening">What the commit hides.</param>
public sealed record Published(Round Round, Opening Opening) : NodeEvent;

/// <summary>The replica applied a round and its new state is durable.</summary>
/// <param name="Round">Of which round.</param>
/// <param name="BaseDigest">The new base.</param>
public sealed record Applied(Round Round, Digest BaseDigest) : NodeEvent;

/// <summary>What a round needs cannot be had: neither all its updates nor a mean of them. The host has waited a while; the machine asks again.</summary>
/// <param name="Round">Of which round.</param>
public sealed record CouldNotApply(Round Round) : NodeEvent;

/// <summary>The replica computed the base of a round again, from the base before it and the manifest.</summary>
/// <param name="Round">Of which round.</param>
/// <param name="BaseDigest">What came out this time.</param>
public sealed record Recomputed(Round Round, Digest BaseDigest) : NodeEvent;

/// <summary>The replica went back to its durable state before a round, which is to be applied anew.</summary>
/// <param name="Round">Which round.</param>
public sealed record WentBack(Round Round) : NodeEvent;

/// <summary>The updates of a round were checked and probed.</summary>
/// <param name="Round">Of which round.</param>
/// <param name="Verdict">The validator's words, roster order.</param>
public sealed record Judged(Round Round, Verdict Verdict) : NodeEvent;

/// <summary>The shares are computed and the checkpoint is in the store.</summary>
/// <param name="Round">Of which round.</param>
/// <param name="Shares">What to post.</param>
public sealed record SharesReady(Round Round, PostShares Shares) : NodeEvent;

/// <summary>A stage has lasted as long as the rules allow.</summary>
/// <param name="Round">Which round.</param>
/// <param name="Stage">Which stage.</param>
public sealed record DeadlinePassed(Round Round, Stage Stage) : NodeEvent;
