using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Cairn.Web;

/// <summary>Lets in whoever has one of the keys, in the same time whichever it is and however wrong it is. Keys are kept as digests and never written anywhere.</summary>
/// <param name="keys">None lets everybody in.</param>
internal sealed class KeyCheck(IReadOnlyList<string> keys)
{
    private const string Scheme = "Bearer ";
    private readonly byte[][] _digests = [.. keys.Select(key => SHA256.HashData(Encoding.UTF8.GetBytes(key)))];

    /// <summary>Refuses whoever has none.</summary>
    /// <exception cref="ApiRefusal">There are keys and the request has none of them.</exception>
    public void Check(HttpRequest request)
    {
        if (_digests.Length == 0)
        {
            return;
        }

        var given = request.Headers.Authorization.ToString();
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(given.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? given[Scheme.Length..].Trim() : ""));
        var known = false;
        foreach (var one in _digests)
        {
            known |= CryptographicOperations.FixedTimeEquals(one, digest);
        }

        if (!known)
        {
            throw ApiRefusal.NoKey(given.Length > 0);
        }
    }
}
