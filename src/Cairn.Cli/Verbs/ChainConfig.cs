using System.CommandLine;
using System.Globalization;
using Cairn.Base;
using Cairn.Node;

namespace Cairn.Cli.Verbs;

/// <summary>The options that say what orders a run's ledger, for the verbs that begin runs or take part in them.</summary>
internal static class ChainConfig
{
    public const string OnChain = "evm";
    private const int WeiPerGwei = 1_000_000_000;
    private const decimal GweiMax = 1_000_000;
    private const string LocalNode = "http://127.0.0.1:8545";

    public static readonly Option<string> Ledger = new Option<string>("--ledger")
    {
        Description = "What orders the ledger: its file (one machine), or an EVM chain (docs/chain.md).",
        DefaultValueFactory = _ => "file",
    }.AcceptOnlyFromAmong("file", OnChain);

    public static readonly Option<string[]> Rpc = new("--rpc")
    {
        Description = "Nodes of the chain, http(s):// or ws(s)://, asked one after another. " +
            $"Default: {LocalNode}, which cairn chain up starts; or those that the run's folder names.",
        AllowMultipleArgumentsPerToken = true,
    };

    public static readonly Option<string?> Contract = new("--contract") { Description = "The contract on the chain. Default: a new one." };
    public static readonly Option<string?> Run = new("--run") { Description = "Digest of the run's genesis. Default: that of the run's folder." };
    public static readonly Option<string?> Account = new("--account")
    {
        Description = $"The key file of the account that pays on the chain (cairn wallet); {ChainOptions.PassphraseVariable} opens it. " +
            "Default: on a development chain its first account.",
    };

    public static readonly Option<string?> FeeMax = new("--fee-max")
    {
        Description = $"The most that is paid on the chain, in gwei per unit of gas. Default: {new ChainOptions().FeePerGasMax / WeiPerGwei}.",
    };

    public static readonly Option<int?> Confirmations = new("--confirmations")
    {
        Description = "Blocks of the chain that must stand on one before anybody acts on it. Default: 1 on a development chain, 12 elsewhere.",
    };

    public static readonly Option<string?> BondToken = new("--bond-token")
    {
        Description = "The token (ERC-20) that bonds and rewards on the chain are in. Default: the chain's coin.",
    };

    public static readonly Option<long> WeiPerUnit = new("--wei-per-unit")
    {
        Description = "What a unit of the ledger's money is on the chain, in the smallest parts of coin or token.",
        DefaultValueFactory = _ => (long)new ChainOptions().WeiPerUnit,
    };

    /// <summary>Those for a verb that begins a run.</summary>
    public static IReadOnlyList<Option> OfFounding { get; } = [Ledger, Rpc, Contract, Account, FeeMax, Confirmations, BondToken, WeiPerUnit];

    /// <summary>Those of them that the run settles when it is begun.</summary>
    public static IReadOnlyList<Option> OfRun { get; } = [Contract, Confirmations, BondToken, WeiPerUnit];

    /// <summary>What was chosen for a run that goes on: its folder says where its ledger is; who pays, how much, and which nodes are asked may be
    /// other than before.</summary>
    /// <param name="parsed">The command line.</param>
    /// <returns>Null if nothing was chosen.</returns>
    /// <exception cref="InputException">A value is none.</exception>
    public static ChainOptions? ReadResumed(ParseResult parsed) =>
        parsed.GetValue(Ledger) == OnChain || new Option[] { Rpc, Account, FeeMax }.Any(option => IsGiven(parsed, option)) ? ReadNode(parsed) : null;

    /// <summary>True if the user has typed an option.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="option">Which.</param>
    public static bool IsGiven(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };

    /// <summary>What was chosen for a run that is to be begun; null for a ledger without a chain.</summary>
    /// <param name="parsed">The command line.</param>
    /// <exception cref="InputException">Options of a chain were given without one.</exception>
    public static ChainOptions? Read(ParseResult parsed)
    {
        if (parsed.GetValue(Ledger) == OnChain)
        {
            var options = ReadNode(parsed);
            return options with
            {
                Nodes = options.Nodes.Count > 0 ? options.Nodes : [LocalNode],
                Contract = parsed.GetValue(Contract),
                Confirmations = parsed.GetValue(Confirmations) is { } depth ? (ulong)Math.Max(0, depth) : null,
                BondToken = parsed.GetValue(BondToken),
                WeiPerUnit = parsed.GetValue(WeiPerUnit) is > 0 and var wei ? (ulong)wei : throw new InputException("--wei-per-unit must be above 0."),
            };
        }

        var given = OfFounding.Skip(1).Where(option => IsGiven(parsed, option)).Select(option => option.Name).ToList();
        return given.Count == 0 ? null : throw new InputException($"{string.Join(", ", given)} say how to reach a chain: give --ledger {OnChain} as well.");
    }

    /// <summary>What was chosen for whoever pays in a run that is there.</summary>
    /// <param name="parsed">The command line.</param>
    /// <exception cref="InputException">A value is none.</exception>
    public static ChainOptions ReadNode(ParseResult parsed) => ReadNode(parsed.GetValue(Rpc), parsed.GetValue(Account), parsed.GetValue(FeeMax));

    /// <summary>The same from values that were found elsewhere.</summary>
    /// <param name="nodes">Nodes of the chain, or none.</param>
    /// <param name="account">A key file, or null.</param>
    /// <param name="feeMax">The most that is paid, in gwei per unit of gas; null for the usual.</param>
    /// <exception cref="InputException">A value is none.</exception>
    public static ChainOptions ReadNode(IReadOnlyList<string>? nodes, string? account, string? feeMax)
    {
        var options = new ChainOptions { Nodes = nodes ?? [], AccountFile = account };
        return feeMax is null ? options
            : decimal.TryParse(feeMax, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var gwei) && gwei is >= 1m / WeiPerGwei and <= GweiMax
                ? options with { FeePerGasMax = (UInt128)(gwei * WeiPerGwei) }
                : throw new InputException($"{FeeMax.Name} is '{feeMax}', must be a number of gwei above 0 and at most {GweiMax:N0}.");
    }
}
