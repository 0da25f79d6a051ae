using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Cairn.Base;
using Cairn.Ledger;
using Cairn.Ledger.Evm;

namespace Cairn.Node;

/// <summary>All that a newcomer trusts, in one string (rule 8 of the round): which run, and what its ledger said at a recent height. Specified in
/// docs/stores.md.</summary>
/// <param name="Run">The run's name, for people.</param>
/// <param name="Rules">Digest of the rules.</param>
/// <param name="Genesis">Digest of what the run began with.</param>
/// <param name="Height">A recent height of the ledger.</param>
/// <param name="State">Digest of its state there: a shorter or another history is refused.</param>
/// <param name="Ledger">Where the ledger is: its file, or a chain (<see cref="RunChain.ToText"/>).</param>
/// <param name="Store">Where rules and data are: an S3 address or a folder.</param>
public sealed record Invite(string Run, Digest Rules, Digest Genesis, long Height, Digest State, string Ledger, string Store)
{
    private const string Start = "cairn1-";
    private const int ChecksumSize = 4;
    private const int NameMax = 200;
    private const int PathMax = 1000;
    private const int TextMax = 6000;

    /// <summary>An invite to a run as it stands now.</summary>
    /// <param name="directory">A run's folder.</param>
    /// <param name="nodes">Of a run on a chain: which nodes of the chain newcomers are to ask, as everybody may know them; none for those that the folder names.</param>
    /// <exception cref="InputException">There is no run, its ledger is damaged, or the folder names a node of the chain by an address that may hold
    /// somebody's key.</exception>
    public static Invite Of(RunDirectory directory, IReadOnlyList<string>? nodes = null)
    {
        var chain = ChainFor(directory, nodes ?? []);
        var rules = RunSetup.ReadRules(directory);
        using var ledger = EmbeddedLedger.Open(directory.Ledger, readOnly: true);
        var state = LedgerHistory.Replay(ledger).State;
        return new Invite(
            rules.Name, rules.ComputeDigest(), ledger.Genesis.Digest, state.Height, state.StateDigest(),
            chain?.ToText() ?? Path.GetFullPath(directory.Ledger),
            directory.Places.Store ?? Path.GetFullPath(directory.Store));
    }

    /// <summary>Reads an invite from anywhere.</summary>
    /// <param name="text">The string.</param>
    /// <param name="invite">The value, or null.</param>
    /// <returns>False for whatever is not exactly an invite, or was cut or mistyped.</returns>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Invite? invite)
    {
        invite = null;
        text = text?.Trim();
        if (text is null || text.Length > TextMax || !text.StartsWith(Start, StringComparison.Ordinal) || !Base64Url.IsValid(text.AsSpan(Start.Length)))
        {
            return false;
        }

        var bytes = Base64Url.DecodeFromChars(text.AsSpan(Start.Length));
        if (bytes.Length <= ChecksumSize || !Checksum(bytes.AsSpan(0, bytes.Length - ChecksumSize)).AsSpan().SequenceEqual(bytes.AsSpan(bytes.Length - ChecksumSize)))
        {
            return false;
        }

        var reader = new WireReader(bytes.AsSpan(0, bytes.Length - ChecksumSize));
        var read = new Invite(
            reader.Text(NameMax), reader.Digest(), reader.Digest(), reader.Int64(), reader.Digest(), reader.Text(PathMax), reader.Text(PathMax));
        var plain = IsPlain(read.Run) && !read.Run.Contains('/', StringComparison.Ordinal) && IsPlain(read.Ledger) && IsPlain(read.Store);
        invite = reader.Complete && read.Height >= 0 && plain ? read : null;
        return invite is not null;
    }

    /// <summary>The string to give away: letters, digits, '-' and '_' alone, so that it can be pasted anywhere.</summary>
    public override string ToString()
    {
        var writer = new WireWriter();
        writer.Text(Run);
        writer.Digest(Rules);
        writer.Digest(Genesis);
        writer.Int64(Height);
        writer.Digest(State);
        writer.Text(Ledger);
        writer.Text(Store);
        return Start + Base64Url.EncodeToString([.. writer.Written, .. Checksum(writer.Written)]);
    }

    /// <summary>Compares a ledger with what the invite says of it.</summary>
    /// <param name="path">The ledger.</param>
    /// <exception cref="InputException">It is of another run, too short, or has another history.</exception>
    public void CheckLedger(string path)
    {
        using var ledger = EmbeddedLedger.Open(path, readOnly: true);
        Check($"the ledger {path}", ledger.Genesis, ledger.ReadNew()); // the handle verifies signatures as it reads
    }

    /// <summary>Compares a history with what the invite says of it.</summary>
    /// <param name="what">What it is called in sentences.</param>
    /// <param name="genesis">What it begins with.</param>
    /// <param name="blocks">From the first on, their signatures verified.</param>
    /// <exception cref="InputException">It is of another run, too short, or another.</exception>
    internal void Check(string what, Genesis genesis, IEnumerable<Block> blocks)
    {
        if (genesis.Digest != Genesis)
        {
            throw new InputException($"{what} is of another run than the invite: ask for a new invite.");
        }

        var state = LedgerState.FromGenesis(genesis);
        foreach (var block in blocks)
        {
            if (state.Height == Height)
            {
                break;
            }

            state.Apply(block, verifySignatures: false);
        }

        if (state.Height != Height)
        {
            throw new InputException($"{what} ends at height {state.Height}, the invite knows {Height}: it is an old copy.");
        }

        if (state.StateDigest() != State)
        {
            throw new InputException(
                $"{what} has another history than the invite knows at height {Height}: do not join by it; ask where the run's ledger is.");
        }
    }

    /// <summary>Whether an invite can be made without saying which nodes of the chain newcomers are to ask.</summary>
    /// <param name="directory">A run's folder.</param>
    public static bool NeedsNodes(RunDirectory directory) => directory.Places.Chain?.HostsWithKeys().Count > 0;

    // What is in an invite is everybody's.
    private static RunChain? ChainFor(RunDirectory directory, IReadOnlyList<string> nodes)
    {
        if (directory.Places.Chain is not { } chain)
        {
            return nodes.Count == 0 ? null : throw new InputException($"the ledger of the run in {directory.Root} is its file, and no chain's: leave out --public-rpc.");
        }

        if (nodes.Count == 0 && chain.HostsWithKeys() is { Count: > 0 } hosts)
        {
            throw new InputException(
                $"the address of the chain's node {string.Join(", ", hosts)} may hold a key of yours, and an invite tells it to everybody: " +
                "name with --public-rpc the nodes that newcomers are to ask.");
        }

        using var read = new ChainEndpoints(nodes.Count > 0 ? nodes : chain.Nodes); // refuses what is no address
        return nodes.Count > 0 ? chain with { Nodes = nodes } : chain;
    }

    private static byte[] Checksum(ReadOnlySpan<byte> bytes) => Digest.Of("cairn/invite", bytes).ToArray()[..ChecksumSize];

    private static bool IsPlain(string text) => text.Length > 0 && !text.Any(char.IsControl);
}
