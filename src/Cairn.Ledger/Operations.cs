using System.Buffers.Binary;
using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>What a member does in a run.</summary>
public enum Role
{
    /// <summary>Trains and sends updates.</summary>
    Peer = 0,

    /// <summary>Checks updates, closes manifests, posts shares.</summary>
    Validator = 1,
}

/// <summary>Where a round stands. Each stage ends when everybody expected has acted, or when validators with more than half of all
/// validator bond post a <see cref="Timeout"/>.</summary>
public enum Stage
{
    /// <summary>Peers train and commit.</summary>
    Commit = 0,

    /// <summary>Peers open their commits, validators reveal their beacon preimages.</summary>
    Reveal = 1,

    /// <summary>Validators post verdicts; the last one closes the manifest.</summary>
    Judge = 2,

    /// <summary>Everybody applies the manifest and posts the digest of the new base.</summary>
    Apply = 3,

    /// <summary>Validators post shares and the checkpoint (only in rounds that settle).</summary>
    Settle = 4,

    /// <summary>All rounds of the run are done.</summary>
    Finished = 5,
}

/// <summary>What the ledger orders. Signed by its author over the canonical bytes of its content (docs/wire.md).</summary>
public abstract record Operation;

/// <summary>Joins the run under the author's key. The uid is the count of members before it.</summary>
/// <param name="Role">Peer or validator.</param>
/// <param name="Name">What people call it: 1 to 32 characters of a–z, 0–9 and '-'.</param>
/// <param name="ChainTip">Of a validator: the last element of its hash chain, whose preimages it reveals one per round. Zero for a peer.</param>
public sealed record Register(Role Role, string Name, Digest ChainTip) : Operation;

/// <summary>A peer's promise of exactly one update: the root of an <see cref="Opening"/>.</summary>
/// <param name="Round">The current round.</param>
/// <param name="Root"><see cref="Opening.Root"/> of what it will reveal.</param>
public sealed record Commit(Round Round, Digest Root) : Operation;

/// <summary>What a commit hides.</summary>
/// <param name="ObjectDigest">SHA-256 of the encrypted object: its name in the store.</param>
/// <param name="SizeBytes">Length of the encrypted object.</param>
/// <param name="Key">The 32 bytes that decrypt it.</param>
/// <param name="BaseDigest">The base the update was computed from.</param>
/// <param name="Receipt">Digest over the ids of the samples trained on, in order.</param>
/// <param name="Trace">Digest over the inner steps' losses: what a replay audit must reproduce.</param>
public sealed record Opening(Digest ObjectDigest, long SizeBytes, Digest Key, Digest BaseDigest, Digest Receipt, Digest Trace)
{
    // Who takes a reveal in checks it, and checks it again with its block: ten hashes each time.
    private readonly Memory _memory = new();

    /// <summary>The one value a commit shows: a Merkle root over peer, round and every field, so that parts can be proven apart.</summary>
    /// <param name="uid">Whose.</param>
    /// <param name="round">Of which round.</param>
    public Digest Root(Uid uid, Round round)
    {
        if (_memory.Last is { } last && ReferenceEquals(last.Opening, this) && last.Uid == uid && last.Round == round)
        {
            return last.Root;
        }

        var root = Compute(uid, round);
        _memory.Last = new KnownRoot(this, uid, round, root);
        return root;
    }

    private Digest Compute(Uid uid, Round round)
    {
        Span<byte> bytes = stackalloc byte[Digest.Size];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, uid.Value);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[sizeof(long)..], round.Number);
        var who = Digest.Of("cairn/commit/who", bytes[..(2 * sizeof(long))]);
        BinaryPrimitives.WriteInt64LittleEndian(bytes, SizeBytes);
        var size = Digest.Of("cairn/commit/size", bytes[..sizeof(long)]);
        Key.CopyTo(bytes);
        return MerkleTree.Root([who, ObjectDigest, size, Digest.Of("cairn/commit/key", bytes), BaseDigest, Receipt, Trace]);
    }

    private sealed record KnownRoot(Opening Opening, Uid Uid, Round Round, Digest Root);

    /// <summary>The root that was asked for last. What is remembered is no part of what an opening is: all memories are equal, and one that a changed copy took
    /// along does not speak for it.</summary>
    private sealed class Memory
    {
        private volatile KnownRoot? _last;

        public KnownRoot? Last
        {
            get => _last;
            set => _last = value;
        }

        public override bool Equals(object? other) => other is Memory;

        public override int GetHashCode() => 0;
    }
}

/// <summary>A peer opens its commit.</summary>
/// <param name="Round">The current round.</param>
/// <param name="Opening">Must hash to the committed root.</param>
public sealed record Reveal(Round Round, Opening Opening) : Operation;

/// <summary>A validator's share of the round's randomness: the preimage of its chain's current tip.</summary>
/// <param name="Round">The current round.</param>
/// <param name="Preimage">Hashes (tag "cairn/beacon/chain") to the tip.</param>
public sealed record Beacon(Round Round, Digest Preimage) : Operation;

/// <summary>A validator's word on one update.</summary>
/// <param name="Uid">The peer.</param>
/// <param name="Reason"><see cref="Rejection.None"/> accepts: the validator holds the bytes and serves them.</param>
/// <param name="Samples">Samples it accepts as trained; 0 when refused.</param>
public readonly record struct VerdictEntry(Uid Uid, Rejection Reason, int Samples);

/// <summary>A validator's words on all updates of the round, in uid order, one for each roster member.</summary>
/// <param name="Round">The current round.</param>
/// <param name="Entries">Ascending by uid, exactly the roster.</param>
public sealed record Verdict(Round Round, IReadOnlyList<VerdictEntry> Entries) : Operation;

/// <summary>The digest of a member's base after it applied the round's manifest.</summary>
/// <param name="Round">The current round.</param>
/// <param name="BaseDigest">Merkle root over the new parameters.</param>
public sealed record PostBase(Round Round, Digest BaseDigest) : Operation;

/// <summary>One peer's part of the pay of a settlement.</summary>
/// <param name="Uid">The peer.</param>
/// <param name="Share">In billionths (<see cref="Shares.One"/> is the whole).</param>
public readonly record struct ShareEntry(Uid Uid, long Share);

/// <summary>A validator's opinion of who earned what since the last settlement, and the checkpoint it published.</summary>
/// <param name="Round">The current round.</param>
/// <param name="Shares">Ascending by uid; each 0…One; sum One or empty.</param>
/// <param name="CheckpointDigest">Digest of the published checkpoint; zero for none.</param>
public sealed record PostShares(Round Round, IReadOnlyList<ShareEntry> Shares, Digest CheckpointDigest) : Operation;

/// <summary>A validator's word that a stage has lasted too long. Recorded, so that a replay repeats it and no clock decides a bit.</summary>
/// <param name="Round">The current round.</param>
/// <param name="Stage">The current stage.</param>
public sealed record Timeout(Round Round, Stage Stage) : Operation;

/// <summary>A member that was dropped for absence is back: a peer asks to be in the next roster, a validator to be waited for again.</summary>
/// <param name="Round">The current round, so that nobody can replay an old return.</param>
public sealed record Return(Round Round) : Operation;

/// <summary>Proof that a member said two things where only one may be said. The ledger cuts its bond; nobody earns by it, the accuser least of all.</summary>
/// <param name="First">One statement: a <see cref="Commit"/>, <see cref="Verdict"/>, <see cref="PostBase"/> or <see cref="PostShares"/>.</param>
/// <param name="Second">Another of the same author, kind and round, with other content; its content sorts after the first's.</param>
public sealed record Accuse(SignedOperation First, SignedOperation Second) : Operation;

/// <summary>A validator's vote to cut a member's bond for a fault that a proof outside the ledger shows. Carried by validators with two thirds of all validator
/// bond who name the same member, reason and evidence within one round.</summary>
/// <param name="Round">The current round.</param>
/// <param name="Uid">Who did it.</param>
/// <param name="Reason">What: any but None.</param>
/// <param name="Evidence">Digest of the proof, which the voters serve. Punished once, however often it is voted on.</param>
public sealed record VoteSlash(Round Round, Uid Uid, Rejection Reason, Digest Evidence) : Operation;

/// <summary>A member leaves for good: in no roster and without a voice from the next round on. Its bond can still be cut until
/// <see cref="LedgerRules.ExitDelayRounds"/> are over; then what is left of it is paid out.</summary>
/// <param name="Round">The current round.</param>
public sealed record Exit(Round Round) : Operation;

/// <summary>A validator's vote to stop the run before its next round, or to let it go on. Carried by two thirds of all validator bond within one round.</summary>
/// <param name="Round">The current round.</param>
/// <param name="Paused">True to stop: the next round opens without a roster and waits.</param>
public sealed record VotePause(Round Round, bool Paused) : Operation;

/// <summary>A validator's vote for other rules from an announced round on: its first voter proposes them. It stands until the validator says something else, another
/// change is carried, or it is too late for it; carried by two thirds of all validator bond.</summary>
/// <param name="Round">The current round; one such vote a round and validator.</param>
/// <param name="From">The first round that the changed rules govern: at least <see cref="LedgerState.RulesNoticeRounds"/> after the one in which they are carried. 0
/// where there are no changes.</param>
/// <param name="Changes">Each rule once, in order, within its range (<see cref="ChangeableRule"/>); none takes the validator's vote back.</param>
public sealed record VoteRules(Round Round, Round From, IReadOnlyList<RuleChange> Changes) : Operation
{
    /// <summary>Names what is voted for, whoever votes: a digest over <see cref="From"/> and <see cref="Changes"/>.</summary>
    public Digest Proposal { get; } = ProposalOf(From, Changes);

    private static Digest ProposalOf(Round from, IReadOnlyList<RuleChange> changes)
    {
        using var hasher = new Hasher("cairn/rules/proposal");
        hasher.Append(from.Number);
        foreach (var (rule, value) in changes)
        {
            hasher.Append((int)rule);
            hasher.Append(value);
        }

        return hasher.Finish();
    }
}

/// <summary>A member says where others find what it puts there for them: its object store, with what is needed to read it and nothing that lets anybody write.</summary>
/// <param name="Round">The current round; one announcement a round and member.</param>
/// <param name="Place">An address that the ledger does not read: 1 to <see cref="OperationCodec.PlaceMax"/> printable ASCII characters without blanks.</param>
public sealed record Announce(Round Round, string Place) : Operation;

/// <summary>A peer says how many samples it trains on in each of its rounds from the next roster on: fewer than the rules' for one that is slower than others, who
/// would wait for it. It is assigned that many, and paid for them.</summary>
/// <param name="Round">The current round; one declaration a round and member.</param>
/// <param name="Samples">A multiple of <see cref="LedgerRules.SamplesPerStep"/> from <see cref="LedgerRules.SamplesMin"/> to
/// <see cref="LedgerRules.SamplesPerPeer"/>.</param>
public sealed record Declare(Round Round, int Samples) : Operation;

/// <summary>Fixed-point shares.</summary>
public static class Shares
{
    /// <summary>The whole: one billion parts.</summary>
    public const long One = 1_000_000_000;
}
