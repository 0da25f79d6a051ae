using System.Runtime.CompilerServices;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Exchange;

/// <summary>Objects in a bucket of any server that speaks S3, below a prefix. Large ones travel in pieces, several at once; a broken download goes on where it
/// stopped.</summary>
/// <remarks>A put is atomic by the server's own rule. Nothing that the server says is believed: sizes are bounded by the caller, contents compared by
/// <see cref="VerifiedFetch"/>. Cost of a put: an MD5 and a SHA-256 of the bytes, which the server compares.</remarks>
public sealed class S3Store : IObjectStore, IDisposable
{
    private const int PagesMax = 1000;
    private readonly S3Address _address;
    private readonly S3Options _options;
    private readonly AmazonS3Client _client;
    private readonly S3Upload _upload;

    /// <summary>Opens a store; nothing is sent yet.</summary>
    /// <param name="address">Where.</param>
    /// <param name="writer">The account that may write; null to read by the address's own account or as anybody.</param>
    /// <param name="line">The node's connections.</param>
    /// <param name="stranger">True if the address comes from somebody else.</param>
    public S3Store(S3Address address, S3Credentials? writer, S3Line line, bool stranger)
    {
        (_address, _options) = (address, line.Options);
        _client = new AmazonS3Client(CredentialsOf(writer ?? address.Reader), ConfigOf(address, line, stranger));
        _upload = new S3Upload(_client, address, _options);
    }

    /// <inheritdoc/>
    public string Name => S3Faults.Name(_address);

    /// <inheritdoc/>
    public Task<PutOutcome> PutAsync(ObjectKey key, ReadOnlyMemory<byte> bytes, CancellationToken cancel = default) =>
        PutAsync(key, () => _upload.PutAsync(NameOf(key), bytes, create: false, cancel), cancel);

    /// <inheritdoc/>
    public Task<PutOutcome> PutAsync(ObjectKey key, SafeFileHandle file, CancellationToken cancel = default) =>
        PutAsync(key, () => _upload.PutAsync(NameOf(key), file, cancel), cancel);

    /// <inheritdoc/>
    public Task<PutOutcome> CreateAsync(ObjectKey key, ReadOnlyMemory<byte> bytes, CancellationToken cancel = default) =>
        PutAsync(key, () => _upload.PutAsync(NameOf(key), bytes, create: true, cancel), cancel);

    /// <inheritdoc/>
    public Task<FetchOutcome> GetAsync(ObjectKey key, long bytesMax, CancellationToken cancel = default) =>
        new S3Download(_client, _address, _options, key, NameOf(key)).GetAsync(bytesMax, null, cancel);

    /// <inheritdoc/>
    public Task<FetchOutcome> GetAsync(ObjectKey key, long bytesMax, SafeFileHandle file, CancellationToken cancel = default) =>
        new S3Download(_client, _address, _options, key, NameOf(key)).GetAsync(bytesMax, file, cancel);

    /// <inheritdoc/>
    public Task<FetchOutcome> GetRangeAsync(ObjectKey key, long from, int count, CancellationToken cancel = default) =>
        new S3Download(_client, _address, _options, key, NameOf(key)).GetRangeAsync(from, count, cancel);

    /// <inheritdoc/>
    public async Task<bool> ExistsAsync(ObjectKey key, CancellationToken cancel = default)
    {
        using var limit = Limited(cancel);
        try
        {
            await _client.GetObjectMetadataAsync(_address.Bucket, NameOf(key), limit.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (S3Faults.IsOfTheWorld(e, cancel))
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public async Task<bool> DeleteAsync(ObjectKey key, CancellationToken cancel = default)
    {
        using var limit = Limited(cancel);
        try
        {
            await _client.DeleteObjectAsync(_address.Bucket, NameOf(key), limit.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (S3Faults.IsOfTheWorld(e, cancel))
        {
            return e is AmazonS3Exception { ErrorCode: "NoSuchKey" };
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectKey> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        var root = _address.Prefix.Length > 0 ? _address.Prefix + "/" : "";
        var request = new ListObjectsV2Request { BucketName = _address.Bucket, Prefix = root + prefix };
        ListObjectsV2Response? page;
        var pages = 0;
        do
        {
            page = await PageAsync(request, cancel).ConfigureAwait(false);
            foreach (var entry in page?.S3Objects ?? [])
            {
                if (entry.Key?.StartsWith(root, StringComparison.Ordinal) == true && ObjectKey.TryParse(entry.Key[root.Length..], out var key))
                {
                    yield return key;
                }
            }

            // A server that has always more to say is not listened to for ever.
            if (page?.NextContinuationToken == request.ContinuationToken || ++pages == PagesMax)
            {
                yield break;
            }

            request.ContinuationToken = page?.NextContinuationToken;
        }
        while (page?.IsTruncated == true);
    }

    /// <summary>Closes the connections.</summary>
    public void Dispose() => _client.Dispose();

    private async Task<PutOutcome> PutAsync(ObjectKey key, Func<Task> put, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        try
        {
            await put().ConfigureAwait(false);
            return PutOutcome.Stored;
        }
        catch (Exception e) when (S3Faults.IsOfTheWorld(e, cancel))
        {
            return S3Faults.OfPut(e, key, _address);
        }
    }

    private async Task<ListObjectsV2Response?> PageAsync(ListObjectsV2Request request, CancellationToken cancel)
    {
        using var limit = Limited(cancel);
        try
        {
            return await _client.ListObjectsV2Async(request, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (S3Faults.IsOfTheWorld(e, cancel))
        {
            return null;
        }
    }

    private CancellationTokenSource Limited(CancellationToken cancel)
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(_options.AnswerMax);
        return limit;
    }

    private string NameOf(ObjectKey key) => _address.Prefix.Length > 0 ? $"{_address.Prefix}/{key.Text}" : key.Text;

    /// <summary>How servers other than Amazon's want to be spoken to, and Amazon's does not mind.</summary>
    internal static AmazonS3Config ConfigOf(S3Address address, S3Line line, bool stranger)
    {
        var config = new AmazonS3Config
        {
            ForcePathStyle = true,
            AuthenticationRegion = address.Region,
            // Servers other than Amazon's refuse, or store as content, what the SDK adds by default.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            // Who asks decides how often: a store that does not answer is an outcome.
            MaxErrorRetry = 0,
            Timeout = Timeout.InfiniteTimeSpan,
            HttpClientFactory = line.For(stranger),
        };
        if (address.Endpoint is { } endpoint)
        {
            config.ServiceURL = $"{endpoint.Scheme}://{endpoint.Authority}";
        }
        else
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(address.Region);
        }

        return config;
    }

    private static AWSCredentials CredentialsOf(S3Credentials? account) =>
        account is null ? new AnonymousAWSCredentials() : new BasicAWSCredentials(account.AccessKey, account.SecretKey);
}
