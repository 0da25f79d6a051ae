using System.Text;
using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>Which account is paid for which member: what the contract's events say of node keys, as far as the keys themselves have signed it.</summary>
/// <remarks>The contract verifies no P-256 signature. A registration whose proof fails binds nothing; of several that prove themselves the first counts, so that nobody
/// can take a member's pay by registering its key after it.</remarks>
public sealed class AccountBook
{
    private static readonly Digest Registered = Keccak.Hash(Encoding.ASCII.GetBytes("Registered(bytes32,address,uint40,uint128,bytes,bytes)"));
    private readonly Digest _run;
    private readonly Dictionary<PublicKey, EvmAddress> _accounts = [];

    /// <summary>An empty book.</summary>
    /// <param name="run">Digest of the run's genesis.</param>
    public AccountBook(Digest run) => _run = run;

    /// <summary>What a node key signs to be paid by an account: H("cairn/account", run ‖ account).</summary>
    /// <param name="run">Digest of the run's genesis.</param>
    /// <param name="account">The account.</param>
    public static Digest ProofDigest(Digest run, EvmAddress account) => Digest.Of("cairn/account", [.. run.ToArray(), .. account.Bytes]);

    /// <summary>The account of a member, or null.</summary>
    /// <param name="key">The member's node key.</param>
    public EvmAddress? Of(PublicKey key) => _accounts.TryGetValue(key, out var account) ? account : null;

    /// <summary>Takes an event, in the chain's order.</summary>
    /// <param name="log">Any of the run.</param>
    public void Take(ChainLog log)
    {
        if (log.Topics.Count != 3 || log.Topics[0] != Registered || log.Topics[1] != _run)
        {
            return;
        }

        var account = new EvmAddress(log.Topics[2].ToArray().AsSpan(Digest.Size - EvmAddress.Size));
        var reader = new AbiReader(log.Data);
        _ = (reader.UInt64(), reader.Number());
        var bytes = reader.Bytes(PublicKey.Size);
        var proof = reader.Bytes(NodeKey.SignatureSize);
        if (!reader.Ok || bytes.Length != PublicKey.Size)
        {
            return;
        }

        var key = new PublicKey(bytes);
        if (!_accounts.ContainsKey(key) && key.Verify(ProofDigest(_run, account), proof))
        {
            _accounts.Add(key, account);
        }
    }
}
