using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Cairn.Base;
using Cairn.Ledger.Evm;

namespace Cairn.Node;

/// <summary>What the owner of a node chooses about the chain that orders a run's ledger.</summary>
public sealed record ChainOptions
{
    /// <summary>Environment variable of the passphrase that opens the account's file.</summary>
    public const string PassphraseVariable = "CAIRN_ACCOUNT_PASSPHRASE";

    /// <summary>The chain id of development nodes such as Anvil.</summary>
    internal const ulong DevelopmentChain = 31337;

    // The first account of every Anvil. Its secret is public, and worth nothing elsewhere.
    private const string DevelopmentSecret = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

    /// <summary>Addresses of nodes of the chain; none for those that the run's folder names.</summary>
    public IReadOnlyList<string> Nodes { get; init; } = [];

    /// <summary>The contract; null to put a new one there, or for the one that the run's folder names.</summary>
    public string? Contract { get; init; }

    /// <summary>A key file (cairn wallet) of the account that pays; null for the development account, on a development chain alone.</summary>
    public string? AccountFile { get; init; }

    /// <summary>The most that is paid, in wei per unit of gas; above 0.</summary>
    public UInt128 FeePerGasMax { get; init; } = new SenderOptions().FeePerGasMax;

    /// <summary>Blocks that must stand on one before anybody acts on it; null for 1 on a development chain and 12 elsewhere, or for what the run's folder says.</summary>
    public ulong? Confirmations { get; init; }

    /// <summary>Of a run that is to be created: the ERC-20 that bonds and rewards are in; null for the chain's coin.</summary>
    public string? BondToken { get; init; }

    /// <summary>Of a run that is to be created: what a unit of the ledger's money is, in the smallest parts of coin or token; above 0.</summary>
    public ulong WeiPerUnit { get; init; } = 1_000_000;

    /// <summary>Opens the account that pays.</summary>
    /// <param name="chainId">Which chain.</param>
    /// <exception cref="InputException">There is none, or its file cannot be opened.</exception>
    internal AccountKey OpenAccount(ulong chainId)
    {
        if (AccountFile is { } file)
        {
            return Environment.GetEnvironmentVariable(PassphraseVariable) is { Length: > 0 } passphrase ? Keystore.Open(file, passphrase)
                : throw new InputException($"the account in {file} needs its passphrase: give it in {PassphraseVariable}.");
        }

        return chainId == DevelopmentChain ? AccountKey.FromSecret(Convert.FromHexString(DevelopmentSecret))
            : throw new InputException("what is said on a chain has to be paid for: name the key file of an account with --account (cairn wallet new makes one).");
    }
}

/// <summary>Which chain orders a run's ledger, as the run's folder keeps it.</summary>
/// <param name="ChainId">The chain.</param>
/// <param name="Contract">The contract on it.</param>
/// <param name="Confirmations">Blocks that must stand on one before anybody acts on it.</param>
/// <param name="Nodes">Nodes of the chain to ask.</param>
public sealed record RunChain(ulong ChainId, string Contract, ulong Confirmations, IReadOnlyList<string> Nodes)
{
    private const string Scheme = "evm://";
    private const int NodesMax = 8;
    private const ulong ConfirmationsMax = 100_000;

    /// <summary>Hosts of the nodes whose addresses say more than where they are (user info, a path, a query): such an address may hold the key of whoever
    /// named it.</summary>
    public IReadOnlyList<string> HostsWithKeys() => [.. Nodes.Select(Address).OfType<Uri>().Where(MayHoldKey).Select(node => node.Authority)];

    /// <summary>The same as one line of text for an invite: evm://CHAIN/CONTRACT?confirmations=N&amp;node=ADDRESS…, addresses escaped.</summary>
    public string ToText() =>
        $"{Scheme}{ChainId}/{Contract}?confirmations={Confirmations}{string.Concat(Nodes.Take(NodesMax).Select(node => $"&node={Uri.EscapeDataString(node)}"))}";

    /// <summary>Reads <see cref="ToText"/> from anywhere.</summary>
    /// <param name="text">The text.</param>
    /// <param name="chain">The value, or null.</param>
    /// <returns>False for whatever is not exactly that.</returns>
    public static bool TryParse(string text, [NotNullWhen(true)] out RunChain? chain)
    {
        chain = null;
        if (!text.StartsWith(Scheme, StringComparison.Ordinal) || text[Scheme.Length..].Split('?') is not [var place, var rest]
            || place.Split('/') is not [var id, var contract] || !EvmAddress.TryParse(contract, out _))
        {
            return false;
        }

        var parts = rest.Split('&');
        string[] nodes = [.. parts.Skip(1).Select(part => Uri.UnescapeDataString(part.Replace("node=", "", StringComparison.Ordinal)))];
        if (ulong.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var chainId)
            && ulong.TryParse(parts[0].Replace("confirmations=", "", StringComparison.Ordinal), NumberStyles.None, CultureInfo.InvariantCulture, out var depth)
            && nodes.Length is > 0 and <= NodesMax && depth <= ConfirmationsMax)
        {
            // Only the one form.
            var read = new RunChain(chainId, contract, depth, nodes);
            chain = read.ToText() == text ? read : null;
        }

        return chain is not null;
    }

    private static Uri? Address(string node) => Uri.TryCreate(node, UriKind.Absolute, out var address) ? address : null;

    private static bool MayHoldKey(Uri node) => node.UserInfo.Length > 0 || node.AbsolutePath != "/" || node.Query.Length > 0 || node.Fragment.Length > 0;
}
