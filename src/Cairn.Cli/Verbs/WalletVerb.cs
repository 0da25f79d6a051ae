using System.CommandLine;
using System.Security.Cryptography;
using Cairn.Base;
using Cairn.Ledger.Evm;
using Cairn.Node;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn wallet new|import|show</c>: the accounts that pay, and are paid, on chains.</summary>
internal static class WalletVerb
{
    private const int SecretBytesMax = 200;

    private static readonly Argument<string> FilePath = new("file") { Description = "The key file, of the form that wallets of EVM chains share (keystore version 3)." };
    private static readonly Option<string> From = new("--from")
    {
        Description = "A file with the secret in 64 hexadecimal digits, readable by its owner alone. Delete it afterwards.",
        Required = true,
    };

    private static readonly Option<string[]> Rpc = new("--rpc")
    {
        Description = "Nodes of a chain, to ask what the account holds there.",
        AllowMultipleArgumentsPerToken = true,
    };

    public static Command Create()
    {
        var make = new Command(
            "new", $"Makes an account. Its file is encrypted by {ChainOptions.PassphraseVariable}.\n\nExample:  cairn wallet new alice.json")
        {
            FilePath,
        };
        make.SetAction(parsed =>
        {
            using var key = AccountKey.Create();
            return Keep(parsed.GetValue(FilePath)!, key);
        });
        var import = new Command("import", "Takes an account over from its secret.\n\nExample:  cairn wallet import alice.json --from secret.txt") { FilePath, From };
        import.SetAction(parsed =>
        {
            using var key = ReadSecret(parsed.GetValue(From)!);
            return Keep(parsed.GetValue(FilePath)!, key);
        });
        var show = new Command("show", "Says whose key a file holds, and what the account has.\n\nExample:  cairn wallet show alice.json --rpc http://127.0.0.1:8545")
        {
            FilePath, Rpc,
        };
        show.SetAction((parsed, cancellation) => ShowAsync(parsed.GetValue(FilePath)!, parsed.GetValue(Rpc) ?? [], cancellation));
        return new Command("wallet", "Accounts on chains: who pays for what nodes say there, and who is paid.") { make, import, show };
    }

    private static int Keep(string path, AccountKey key)
    {
        Keystore.Write(path, key, Passphrase());
        Console.WriteLine(key.Address);
        return ExitCode.Success;
    }

    private static async Task<int> ShowAsync(string path, string[] nodes, CancellationToken cancellation)
    {
        var address = Keystore.AddressOf(path);
        if (address is null)
        {
            using var key = Keystore.Open(path, Passphrase());
            address = key.Address;
        }

        Console.WriteLine(address);
        if (nodes.Length > 0)
        {
            using var endpoints = new ChainEndpoints(nodes);
            var chain = new ChainClient(endpoints);
            try
            {
                var (id, held) = (await chain.ChainIdAsync(cancellation), await chain.BalanceAsync(address.Value, cancellation));
                Console.WriteLine($"{held} wei on chain {id} ({(double)held / 1e18:0.######} coins)");
            }
            catch (ChainFaultException fault)
            {
                throw new InputException($"{fault.Message.TrimEnd('.')}: correct --rpc.", fault);
            }
        }

        return ExitCode.Success;
    }

    private static string Passphrase() => Environment.GetEnvironmentVariable(ChainOptions.PassphraseVariable) is { Length: > 0 } passphrase ? passphrase
        : throw new InputException($"a key is kept encrypted: give its passphrase in {ChainOptions.PassphraseVariable}.");

    private static AccountKey ReadSecret(string path)
    {
        if (!File.Exists(path) || new FileInfo(path).Length > SecretBytesMax)
        {
            throw new InputException($"{path} holds no secret: it must be a file with 64 hexadecimal digits.");
        }

        var text = System.Text.Encoding.ASCII.GetString(SecretFile.ReadOrCreate(path, () => [])).Trim();
        var secret = new byte[AccountKey.SecretSize];
        try
        {
            var digits = text.StartsWith("0x", StringComparison.Ordinal) ? text.AsSpan(2) : text;
            var whole = digits.Length == 2 * secret.Length && Convert.FromHexString(digits, secret, out _, out _) == System.Buffers.OperationStatus.Done;
            return whole ? AccountKey.FromSecret(secret) : throw new InputException($"{path} holds no secret: it must be 64 hexadecimal digits.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }
}
