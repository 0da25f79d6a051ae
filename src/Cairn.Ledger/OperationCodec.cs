using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>The canonical bytes of operations (docs/wire.md): one kind byte, then the fields in order. Every operation has exactly one
/// form.</summary>
public static class OperationCodec
{
    /// <summary>The longest name in characters.</summary>
    public const int NameMax = 32;

    /// <summary>The longest address of a store in characters.</summary>
    public const int PlaceMax = 400;

    /// <summary>The most bytes of one statement: one on <see cref="LedgerRules.PeersLimit"/> peers fits.</summary>
    public const int StatementBytesMax = 49_280;

    /// <summary>The most bytes of one operation: an accusation holds two signed statements.</summary>
    public const int BytesMax = 1 + (2 * (4 + SignedStatementBytesMax));

    private const int SignedStatementBytesMax = PublicKey.Size + NodeKey.SignatureSize + StatementBytesMax;

    private const int VerdictEntrySize = 4 + 1 + 4;
    private const int ShareEntrySize = 4 + 8;
    private const int RuleChangeSize = 1 + 8;

    private enum Kind : byte
    {
        Register = 1,
        Commit = 2,
        Reveal = 3,
        Beacon = 4,
        Verdict = 5,
        PostBase = 6,
        PostShares = 7,
        Timeout = 8,
        Return = 9,
        Accuse = 10,
        VoteSlash = 11,
        Exit = 12,
        VotePause = 13,
        Announce = 14,
        Declare = 15,
        VoteRules = 16,
    }

    /// <summary>The canonical bytes of an operation, without author and signature.</summary>
    /// <param name="operation">A well-formed one.</param>
    public static byte[] ToBytes(Operation operation)
    {
        Invariant.Check(IsWellFormed(operation));
        var writer = new WireWriter();
        switch (operation)
        {
            case Register register:
                writer.Byte((byte)Kind.Register);
                writer.Byte((byte)register.Role);
                writer.Text(register.Name);
                writer.Digest(register.ChainTip);
                break;
            case Commit commit:
                Begin(writer, Kind.Commit, commit.Round);
                writer.Digest(commit.Root);
                break;
            case Reveal reveal:
                Begin(writer, Kind.Reveal, reveal.Round);
                Write(writer, reveal.Opening);
                break;
            case Beacon beacon:
                Begin(writer, Kind.Beacon, beacon.Round);
                writer.Digest(beacon.Preimage);
                break;
            case Verdict verdict:
                Begin(writer, Kind.Verdict, verdict.Round);
                Write(writer, verdict.Entries);
                break;
            case PostBase posted:
                Begin(writer, Kind.PostBase, posted.Round);
                writer.Digest(posted.BaseDigest);
                break;
            case PostShares posted:
                Begin(writer, Kind.PostShares, posted.Round);
                Write(writer, posted.Shares);
                writer.Digest(posted.CheckpointDigest);
                break;
            case Timeout timeout:
                Begin(writer, Kind.Timeout, timeout.Round);
                writer.Byte((byte)timeout.Stage);
                break;
            case Return back:
                Begin(writer, Kind.Return, back.Round);
                break;
            case Accuse accuse:
                writer.Byte((byte)Kind.Accuse);
                writer.Bytes(accuse.First.ToBytes());
                writer.Bytes(accuse.Second.ToBytes());
                break;
            case VoteSlash vote:
                Begin(writer, Kind.VoteSlash, vote.Round);
                writer.Int32(vote.Uid.Value);
                writer.Byte((byte)vote.Reason);
                writer.Digest(vote.Evidence);
                break;
            case Exit exit:
                Begin(writer, Kind.Exit, exit.Round);
                break;
            case VotePause vote:
                Begin(writer, Kind.VotePause, vote.Round);
                writer.Byte(vote.Paused ? (byte)1 : (byte)0);
                break;
            case Announce announce:
                Begin(writer, Kind.Announce, announce.Round);
                writer.Text(announce.Place);
                break;
            case Declare declare:
                Begin(writer, Kind.Declare, declare.Round);
                writer.Int32(declare.Samples);
                break;
            case VoteRules vote:
                Begin(writer, Kind.VoteRules, vote.Round);
                Write(writer, vote);
                break;
        }

        return writer.ToArray();
    }

    /// <summary>Reads <see cref="ToBytes"/> from anywhere.</summary>
    /// <param name="bytes">Hostile bytes are fine.</param>
    /// <param name="operation">A well-formed operation, or null.</param>
    /// <param name="why">Why not.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out Operation? operation, out Rejection why)
    {
        operation = null;
        why = bytes.Length > BytesMax ? Rejection.TooLarge : Rejection.Malformed;
        if (bytes.Length > BytesMax)
        {
            return false;
        }

        var reader = new WireReader(bytes);
        var read = Read(ref reader);
        if (read is null || !reader.Complete || !IsWellFormed(read))
        {
            return false;
        }

        (operation, why) = (read, Rejection.None);
        return true;
    }

    /// <summary>True if every field is in its range: what can be said without knowing the state of the run.</summary>
    /// <param name="operation">From anywhere.</param>
    public static bool IsWellFormed(Operation operation) => operation switch
    {
        Register { Role: Role.Peer } register => IsName(register.Name) && register.ChainTip.IsZero,
        Register { Role: Role.Validator } register => IsName(register.Name) && !register.ChainTip.IsZero,
        Commit commit => commit.Round.Number >= 0,
        Reveal reveal => reveal.Round.Number >= 0 && reveal.Opening is { SizeBytes: >= 0 },
        Beacon beacon => beacon.Round.Number >= 0,
        Verdict verdict => verdict.Round.Number >= 0 && AreWellFormed(verdict.Entries),
        PostBase posted => posted.Round.Number >= 0,
        PostShares posted => posted.Round.Number >= 0 && AreWellFormed(posted.Shares),
        Timeout timeout => timeout.Round.Number >= 0 && timeout.Stage is >= Stage.Commit and <= Stage.Settle,
        Return back => back.Round.Number >= 0,
        Accuse accuse => Contradiction.IsOne(accuse.First, accuse.Second),
        VoteSlash vote => vote.Round.Number >= 0 && vote.Uid.Value >= 0 && vote.Reason != Rejection.None && Enum.IsDefined(vote.Reason),
        Exit exit => exit.Round.Number >= 0,
        VotePause vote => vote.Round.Number >= 0,
        Announce announce => announce.Round.Number >= 0 && IsPlace(announce.Place),
        Declare declare => declare.Round.Number >= 0 && declare.Samples > 0,
        VoteRules { Changes.Count: 0 } vote => vote.Round.Number >= 0 && vote.From.Number == 0,
        VoteRules vote => vote.Round.Number >= 0 && vote.From > vote.Round && ChangeableRule.AreWellFormed(vote.Changes),
        _ => false,
    };

    internal static PublicKey ReadKey(ref WireReader reader)
    {
        var bytes = reader.Raw(PublicKey.Size);
        return bytes.IsEmpty ? default : new PublicKey(bytes);
    }

    private static void Begin(WireWriter writer, Kind kind, Round round)
    {
        writer.Byte((byte)kind);
        writer.Int32(round.Number);
    }

    private static void Write(WireWriter writer, Opening opening)
    {
        writer.Digest(opening.ObjectDigest);
        writer.Int64(opening.SizeBytes);
        writer.Digest(opening.Key);
        writer.Digest(opening.BaseDigest);
        writer.Digest(opening.Receipt);
        writer.Digest(opening.Trace);
    }

    private static void Write(WireWriter writer, IReadOnlyList<VerdictEntry> entries)
    {
        writer.Int32(entries.Count);
        foreach (var entry in entries)
        {
            writer.Int32(entry.Uid.Value);
            writer.Byte((byte)entry.Reason);
            writer.Int32(entry.Samples);
        }
    }

    private static void Write(WireWriter writer, IReadOnlyList<ShareEntry> entries)
    {
        writer.Int32(entries.Count);
        foreach (var entry in entries)
        {
            writer.Int32(entry.Uid.Value);
            writer.Int64(entry.Share);
        }
    }

    private static void Write(WireWriter writer, VoteRules vote)
    {
        writer.Int32(vote.From.Number);
        writer.Int32(vote.Changes.Count);
        foreach (var change in vote.Changes)
        {
            writer.Byte((byte)change.Rule);
            writer.Int64(change.Value);
        }
    }

    private static Operation? Read(ref WireReader reader)
    {
        var kind = (Kind)reader.Byte();
        if (kind == Kind.Register)
        {
            var role = (Role)reader.Byte();
            return new Register(role, reader.Text(NameMax), reader.Digest());
        }

        if (kind == Kind.Accuse)
        {
            return ReadStatement(ref reader) is { } first && ReadStatement(ref reader) is { } second ? new Accuse(first, second) : null;
        }

        var round = new Round(reader.Int32());
        return kind switch
        {
            Kind.Commit => new Commit(round, reader.Digest()),
            Kind.Reveal => new Reveal(round, ReadOpening(ref reader)),
            Kind.Beacon => new Beacon(round, reader.Digest()),
            Kind.Verdict => new Verdict(round, ReadVerdicts(ref reader)),
            Kind.PostBase => new PostBase(round, reader.Digest()),
            Kind.PostShares => new PostShares(round, ReadShares(ref reader), reader.Digest()),
            Kind.Timeout => new Timeout(round, (Stage)reader.Byte()),
            Kind.Return => new Return(round),
            Kind.VoteSlash => new VoteSlash(round, new Uid(reader.Int32()), (Rejection)reader.Byte(), reader.Digest()),
            Kind.Exit => new Exit(round),
            Kind.VotePause => ReadPause(round, ref reader),
            Kind.Announce => new Announce(round, reader.Text(PlaceMax)),
            Kind.Declare => new Declare(round, reader.Int32()),
            Kind.VoteRules => new VoteRules(round, new Round(reader.Int32()), ReadChanges(ref reader)),
            _ => null,
        };
    }

    private static VotePause? ReadPause(Round round, ref WireReader reader)
    {
        var paused = reader.Byte();
        return paused <= 1 ? new VotePause(round, paused == 1) : null;
    }

    // An accusation inside an accusation is none: looked at before it is read, so that nobody can make a reader go deep.
    private static SignedOperation? ReadStatement(ref WireReader reader)
    {
        var bytes = reader.Bytes(SignedStatementBytesMax);
        const int KindAt = PublicKey.Size + NodeKey.SignatureSize;
        return bytes.Length > KindAt && bytes[KindAt] != (byte)Kind.Accuse && SignedOperation.TryRead(bytes, out var statement, out _) ? statement : null;
    }

    private static Opening ReadOpening(ref WireReader reader) =>
        new(reader.Digest(), reader.Int64(), reader.Digest(), reader.Digest(), reader.Digest(), reader.Digest());

    private static VerdictEntry[] ReadVerdicts(ref WireReader reader)
    {
        var entries = new VerdictEntry[reader.Count(LedgerRules.PeersLimit, VerdictEntrySize)];
        for (var i = 0; i < entries.Length; i++)
        {
            entries[i] = new VerdictEntry(new Uid(reader.Int32()), (Rejection)reader.Byte(), reader.Int32());
        }

        return entries;
    }

    private static ShareEntry[] ReadShares(ref WireReader reader)
    {
        var entries = new ShareEntry[reader.Count(LedgerRules.PeersLimit, ShareEntrySize)];
        for (var i = 0; i < entries.Length; i++)
        {
            entries[i] = new ShareEntry(new Uid(reader.Int32()), reader.Int64());
        }

        return entries;
    }

    private static RuleChange[] ReadChanges(ref WireReader reader)
    {
        var changes = new RuleChange[reader.Count(ChangeableRule.All.Count, RuleChangeSize)];
        for (var i = 0; i < changes.Length; i++)
        {
            changes[i] = new RuleChange((Rule)reader.Byte(), reader.Int64());
        }

        return changes;
    }

    // Printable ASCII and nothing else: what stands here is shown to people and read by other programs.
    private static bool IsPlace(string? place)
    {
        if (place is null || place.Length is 0 or > PlaceMax)
        {
            return false;
        }

        foreach (var character in place)
        {
            if (character is not (> ' ' and <= '~'))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsName(string? name)
    {
        if (name is null || name.Length is 0 or > NameMax)
        {
            return false;
        }

        foreach (var character in name)
        {
            if (character is not ((>= 'a' and <= 'z') or (>= '0' and <= '9') or '-'))
            {
                return false;
            }
        }

        return true;
    }

    // An update is accepted with a reason of None and at least one sample, or refused with a reason and none.
    private static bool AreWellFormed(IReadOnlyList<VerdictEntry>? entries)
    {
        if (entries is null || entries.Count > LedgerRules.PeersLimit)
        {
            return false;
        }

        var last = -1;
        foreach (var entry in entries)
        {
            var accepted = entry.Reason == Rejection.None;
            if (entry.Uid.Value <= last || !Enum.IsDefined(entry.Reason) || entry.Samples < 0 || accepted != (entry.Samples > 0))
            {
                return false;
            }

            last = entry.Uid.Value;
        }

        return true;
    }

    private static bool AreWellFormed(IReadOnlyList<ShareEntry>? entries)
    {
        if (entries is null || entries.Count > LedgerRules.PeersLimit)
        {
            return false;
        }

        var last = -1;
        var sum = 0L;
        foreach (var entry in entries)
        {
            if (entry.Uid.Value <= last || entry.Share is < 0 or > Shares.One)
            {
                return false;
            }

            last = entry.Uid.Value;
            sum += entry.Share;
        }

        return entries.Count == 0 || sum == Shares.One;
    }
}
