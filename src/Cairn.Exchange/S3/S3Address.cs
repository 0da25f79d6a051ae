using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Cairn.Exchange;

/// <summary>What an S3 server knows an account by.</summary>
/// <param name="AccessKey">The public half.</param>
/// <param name="SecretKey">Signs requests. Of an account that may only read a run's objects it may be published; of any other never.</param>
public sealed record S3Credentials(string AccessKey, string SecretKey)
{
    /// <summary>Names the account; the secret is left out, so that no log can give it away.</summary>
    public override string ToString() => $"account {AccessKey}";
}

/// <summary>Where a member's objects are on an S3 server, and with what anybody may read them: what it announces on the ledger. Specified in docs/stores.md.</summary>
/// <remarks>As text: <c>s3://bucket/prefix?endpoint=https://host&amp;region=us-east-1&amp;reader=key:secret</c>. Every part comes from a stranger and is bounded and
/// checked before it is used.</remarks>
public sealed record S3Address
{
    /// <summary>What the text begins with.</summary>
    public const string Scheme = "s3://";

    /// <summary>The most characters of the text.</summary>
    public const int TextMax = 400;

    private const string DefaultRegion = "us-east-1";

    /// <summary>The bucket: 3 to 63 of a–z, 0–9, '-' and '.'.</summary>
    public required string Bucket { get; init; }

    /// <summary>What all keys begin with: empty, or a valid key (<see cref="ObjectKey"/>) without a slash at its end.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>The server, http or https with a host and perhaps a port; null for that of Amazon in <see cref="Region"/>.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>The region that requests are signed for.</summary>
    public string Region { get; init; } = DefaultRegion;

    /// <summary>An account that may read and nothing else; null where everybody may read.</summary>
    public S3Credentials? Reader { get; init; }

    /// <summary>Reads an address from anywhere.</summary>
    /// <param name="text">The address.</param>
    /// <param name="address">The value, or null.</param>
    /// <param name="why">One sentence if it is none: which part, what it may be.</param>
    public static bool TryParse(string? text, [NotNullWhen(true)] out S3Address? address, out string why)
    {
        address = null;
        why = Read(text ?? "", out var read);
        if (why.Length == 0)
        {
            address = read;
        }

        return address is not null;
    }

    /// <summary>The canonical text, reader's account included: it is made to be published.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(Scheme).Append(Bucket);
        if (Prefix.Length > 0)
        {
            text.Append('/').Append(Prefix);
        }

        var separator = '?';
        void Add(string name, string value)
        {
            text.Append(separator).Append(name).Append('=').Append(value);
            separator = '&';
        }

        if (Endpoint is not null)
        {
            Add("endpoint", $"{Endpoint.Scheme}://{Endpoint.Authority}");
        }

        if (Region != DefaultRegion)
        {
            Add("region", Region);
        }

        if (Reader is not null)
        {
            Add("reader", $"{Uri.EscapeDataString(Reader.AccessKey)}:{Uri.EscapeDataString(Reader.SecretKey)}");
        }

        return text.ToString();
    }

    private static string Read(string text, out S3Address? address)
    {
        address = null;
        if (text.Length > TextMax || !text.StartsWith(Scheme, StringComparison.Ordinal))
        {
            return $"an S3 address has at most {TextMax} characters and begins with {Scheme}: s3://bucket/prefix?endpoint=https://host.";
        }

        var (path, query) = Cut(text[Scheme.Length..], '?');
        var (bucket, prefix) = Cut(path, '/');
        if (!IsBucket(bucket))
        {
            return $"'{bucket}' is no bucket: 3 to 63 of a–z, 0–9, '-' and '.', without '--' and '..'.";
        }

        if (prefix.Length > 0 && !ObjectKey.TryParse(prefix, out _))
        {
            return $"'{prefix}' is no prefix: parts of a–z, 0–9, '-', '_' and '.' with '/' between them.";
        }

        var read = new S3Address { Bucket = bucket, Prefix = prefix };
        foreach (var option in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = Cut(option, '=');
            var why = name switch
            {
                "endpoint" => ReadEndpoint(value, ref read),
                "region" => ReadRegion(value, ref read),
                "reader" => ReadReader(value, ref read),
                _ => $"'{name}' is no option of an S3 address: endpoint, region and reader are.",
            };
            if (why.Length > 0)
            {
                return why;
            }
        }

        address = read;
        return "";
    }

    private static string ReadEndpoint(string value, ref S3Address address)
    {
        // User names, paths and queries have no place in it: what a stranger says must not become part of a request that we sign.
        if (!Uri.TryCreate(value, UriKind.Absolute, out var endpoint) || endpoint.Scheme is not ("http" or "https")
            || endpoint.UserInfo.Length > 0 || endpoint.PathAndQuery != "/" || endpoint.Fragment.Length > 0 || endpoint.Host.Length == 0)
        {
            return $"'{value}' is no endpoint: http:// or https://, a host, and perhaps a port.";
        }

        address = address with { Endpoint = endpoint };
        return "";
    }

    private static string ReadRegion(string value, ref S3Address address)
    {
        if (value.Length is 0 or > 32 || value.Split('-').Any(word => word.Length == 0 || !word.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c))))
        {
            return $"'{value}' is no region: words of a–z and 0–9 with '-' between them, 32 characters at most.";
        }

        address = address with { Region = value };
        return "";
    }

    private static string ReadReader(string value, ref S3Address address)
    {
        var (key, secret) = Cut(value, ':');
        var reader = new S3Credentials(Uri.UnescapeDataString(key), Uri.UnescapeDataString(secret));
        if (reader.AccessKey.Length is 0 or > 128 || reader.SecretKey.Length is 0 or > 128 || !(reader.AccessKey + reader.SecretKey).All(c => c is > ' ' and <= '~'))
        {
            return "the reader is no account: an access key, ':', and a secret key, both with other signs than letters and digits as %XX.";
        }

        address = address with { Reader = reader };
        return "";
    }

    private static bool IsBucket(string name) =>
        name.Length is >= 3 and <= 63 && char.IsAsciiLetterOrDigit(name[0]) && char.IsAsciiLetterOrDigit(name[^1]) && !name.Contains("..", StringComparison.Ordinal)
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.')
        // Names of another kind of bucket, which is spoken to otherwise.
        && !name.Contains("--", StringComparison.Ordinal);

    private static (string Before, string After) Cut(string text, char at)
    {
        var place = text.IndexOf(at, StringComparison.Ordinal);
        return place < 0 ? (text, "") : (text[..place], text[(place + 1)..]);
    }
}
