using System.Security.Cryptography;
using System.Text;
using Cairn.Base;
using Microsoft.AspNetCore.Http;

namespace Cairn.Web;

/// <summary>Lets in whoever has one of the keys, in the same time whichever it is and however wrong it is. Keys are kept as digests and never written anywhere.</summary>
internal sealed class KeyCheck
{
    private const string Scheme = "Bearer ";
    private readonly byte[][] _digests;

    /// <param name="keys">None lets everybody in. A key is not blank and has no blanks at its ends: a blank one would be that of whoever has none.</param>
    public KeyCheck(IReadOnlyList<string> keys)
    {
        Invariant.Check(keys.All(key => key.Length > 0 && key.Trim() == key));
        _digests = [.. keys.Select(key => SHA256.HashData(Encoding.UTF8.GetBytes(key)))];
    }

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
