using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>A member from the first block on.</summary>
/// <param name="Role">Peer or validator.</param>
/// <param name="Name">As in <see cref="Register"/>.</param>
/// <param name="PublicKey">What it signs with.</param>
/// <param name="Bond">What it staked; 0 to <see cref="LedgerRules.MoneyLimit"/>.</param>
/// <param name="ChainTip">As in <see cref="Register"/>.</param>
public sealed record GenesisMember(Role Role, string Name, PublicKey PublicKey, long Bond, Digest ChainTip);

/// <summary>A bond that waits for whoever registers under a key.</summary>
/// <param name="PublicKey">The key; no genesis member has it.</param>
/// <param name="Bond">0 to <see cref="LedgerRules.MoneyLimit"/>.</param>
public sealed record Allocation(PublicKey PublicKey, long Bond);

/// <summary>What everybody agrees on before the first block: the rules, the base of round 0, the first members (uids in this order).</summary>
public sealed record Genesis
{
    /// <summary>The most canonical bytes.</summary>
    public const int BytesMax = 32 << 20;

    private const int EntryBytesMin = 1 + 4 + 1 + Base.PublicKey.Size + 8 + Base.Digest.Size;

    /// <summary>Digest of the run's whole rules. Opaque here.</summary>
    public required Digest RulesDigest { get; init; }

    /// <summary>The part of the rules that the ledger enforces.</summary>
    public required LedgerRules Rules { get; init; }

    /// <summary>The base of round 0.</summary>
    public required Digest InitialBase { get; init; }

    /// <summary>In the order of their uids; at least one validator with a voice.</summary>
    public required IReadOnlyList<GenesisMember> Members { get; init; }

    /// <summary>Bonds for keys that join later.</summary>
    public IReadOnlyList<Allocation> Allocations { get; init; } = [];

    /// <summary>Names this genesis, and the run: the hash chain of blocks begins with it, every signature covers it.</summary>
    public Digest Digest => Digest.Of("cairn/genesis", ToBytes());

    /// <summary>Everything that is wrong, as sentences; none if a run can begin with it.</summary>
    public IReadOnlyList<string> Faults()
    {
        var faults = new List<string>(Rules.Faults());
        var keys = new HashSet<PublicKey>();
        var voices = 0;
        foreach (var member in Members)
        {
            var register = new Register(member.Role, member.Name, member.ChainTip);
            Check(OperationCodec.IsWellFormed(register), $"member '{member.Name}' has a bad name, role or chain tip");
            CheckKey(member.PublicKey, member.Bond, $"member '{member.Name}'");
            voices += member.Role == Role.Validator && member.Bond >= Rules.ValidatorBondMin ? 1 : 0;
        }

        foreach (var allocation in Allocations)
        {
            CheckKey(allocation.PublicKey, allocation.Bond, $"the allocation for {allocation.PublicKey.Short}");
        }

        Check(Members.Count <= LedgerRules.MembersLimit, "there are too many members");
        Check(Allocations.Count <= LedgerRules.MembersLimit, "there are too many allocations");
        Check(voices > 0, $"no validator has a bond of at least {Rules.ValidatorBondMin}: nobody could close a round");
        return faults;

        void Check(bool holds, string fault)
        {
            if (!holds)
            {
                faults.Add(fault);
            }
        }

        void CheckKey(PublicKey key, long bond, string who)
        {
            Check(keys.Add(key), $"{who} has a key that stands there already");
            Check(bond is >= 0 and <= LedgerRules.MoneyLimit, $"{who} has a bond of {bond}, outside 0 to {LedgerRules.MoneyLimit}");
        }
    }

    /// <summary>Refuses a genesis that no run can begin with, naming all its faults at once.</summary>
    /// <exception cref="InputException">It has <see cref="Faults"/>.</exception>
    public void Validate()
    {
        var faults = Faults();
        if (faults.Count > 0)
        {
            throw new InputException($"the genesis of this run cannot be used: {string.Join("; ", faults)}.");
        }
    }

    /// <summary>The canonical bytes (docs/wire.md).</summary>
    public byte[] ToBytes()
    {
        var writer = new WireWriter();
        writer.Digest(RulesDigest);
        Rules.Write(writer);
        writer.Digest(InitialBase);
        writer.Int32(Members.Count);
        foreach (var member in Members)
        {
            writer.Byte((byte)member.Role);
            writer.Text(member.Name);
            writer.Raw(member.PublicKey.Bytes);
            writer.Int64(member.Bond);
            writer.Digest(member.ChainTip);
        }

        writer.Int32(Allocations.Count);
        foreach (var allocation in Allocations)
        {
            writer.Raw(allocation.PublicKey.Bytes);
            writer.Int64(allocation.Bond);
        }

        if (Rules.ApplyDelay > 0 || Rules.AnnealSamples > 0)
        {
            writer.Int32(Rules.ApplyDelay);
        }

        if (Rules.AnnealSamples > 0)
        {
            writer.Int32(Rules.AnnealFrom);
            writer.Int64(Rules.AnnealSamples);
        }

        return writer.ToArray();
    }

    /// <summary>Reads <see cref="ToBytes"/> from anywhere.</summary>
    /// <param name="bytes">Hostile bytes are fine.</param>
    /// <param name="genesis">A usable genesis, or null.</param>
    /// <param name="why">Why not.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out Genesis? genesis, out Rejection why)
    {
        genesis = null;
        why = bytes.Length > BytesMax ? Rejection.TooLarge : Rejection.Malformed;
        if (bytes.Length > BytesMax)
        {
            return false;
        }

        var reader = new WireReader(bytes);
        var rulesDigest = reader.Digest();
        var rules = LedgerRules.Read(ref reader);
        var initialBase = reader.Digest();
        var members = ReadMembers(ref reader);
        var allocations = ReadAllocations(ref reader);
        // Only where there is a delay or an annealing: one genesis has one form.
        if (reader.Remaining > 0)
        {
            rules = rules with { ApplyDelay = reader.Int32() };
            var anneals = reader.Remaining > 0;
            rules = anneals ? rules with { AnnealFrom = reader.Int32(), AnnealSamples = reader.Int64() } : rules;
            if (anneals ? rules.AnnealSamples == 0 : rules.ApplyDelay == 0)
            {
                reader.Fail();
            }
        }

        if (!reader.Complete)
        {
            return false;
        }

        var read = new Genesis { RulesDigest = rulesDigest, Rules = rules, InitialBase = initialBase, Members = members, Allocations = allocations };
        if (read.Faults().Count > 0)
        {
            return false;
        }

        (genesis, why) = (read, Rejection.None);
        return true;
    }

    private static GenesisMember[] ReadMembers(ref WireReader reader)
    {
        var members = new GenesisMember[reader.Count(LedgerRules.MembersLimit, EntryBytesMin)];
        for (var i = 0; i < members.Length; i++)
        {
            var role = (Role)reader.Byte();
            var name = reader.Text(OperationCodec.NameMax);
            members[i] = new GenesisMember(role, name, OperationCodec.ReadKey(ref reader), reader.Int64(), reader.Digest());
        }

        return members;
    }

    private static Allocation[] ReadAllocations(ref WireReader reader)
    {
        var allocations = new Allocation[reader.Count(LedgerRules.MembersLimit, PublicKey.Size + 8)];
        for (var i = 0; i < allocations.Length; i++)
        {
            allocations[i] = new Allocation(OperationCodec.ReadKey(ref reader), reader.Int64());
        }

        return allocations;
    }
}
