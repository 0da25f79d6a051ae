using System.Security.Cryptography;
using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>Verifies many signatures of few authors: the imported key of each is kept, which makes a check three times as fast as
/// <see cref="PublicKey.Verify"/>. For one thread at a time.</summary>
internal sealed class SignatureChecks
{
    private const int KeysMax = 1024;
    private readonly Dictionary<PublicKey, ECDsa?> _keys = [];
    private readonly byte[] _digest = new byte[Digest.Size];

    /// <summary>Same answer as <see cref="SignedOperation.Verify"/>.</summary>
    public bool Verify(SignedOperation operation, Digest run)
    {
        if (!_keys.TryGetValue(operation.Author, out var key))
        {
            // A flood of strangers' keys must not grow the table: the handles of dropped keys are freed with them.
            if (_keys.Count == KeysMax)
            {
                _keys.Clear();
            }

            key = Import(operation.Author);
            _keys[operation.Author] = key;
        }

        operation.OperationDigest(run).CopyTo(_digest);
        return key is not null && key.VerifyHash(_digest, operation.Signature, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    private static ECDsa? Import(PublicKey key)
    {
        try
        {
            var point = new ECPoint { X = key.Bytes[..32].ToArray(), Y = key.Bytes[32..].ToArray() };
            return ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = point });
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
