using System.Net;
using Amazon.Runtime;
using Amazon.S3;

namespace Cairn.Exchange;

/// <summary>What an S3 server or the way to it says, as one of the outcomes of a store, with the remedy.</summary>
internal static class S3Faults
{
    /// <summary>True for whatever the world may do to a request; our own bugs pass through.</summary>
    public static bool IsOfTheWorld(Exception e, CancellationToken cancel) =>
        e is AmazonServiceException or AmazonClientException or HttpRequestException or IOException
        || (e is OperationCanceledException && !cancel.IsCancellationRequested);

    /// <summary>Why an object was not fetched.</summary>
    public static FetchOutcome OfFetch(Exception e, ObjectKey key, S3Address address)
    {
        if (e is not AmazonS3Exception s3)
        {
            return FetchOutcome.Failed(FetchStatus.Unreachable, $"{key} cannot be had from {Name(address)}: {Reason(e)}");
        }

        var (final, sentence) = Explain(s3, address);
        return s3 switch
        {
            { ErrorCode: "NoSuchKey" } or { StatusCode: HttpStatusCode.NotFound } => FetchOutcome.Failed(FetchStatus.Missing, $"{key} is not in {Name(address)}."),
            // Without the right to list, a server says this of what is not there as well.
            { ErrorCode: "AccessDenied" } => FetchOutcome.Failed(FetchStatus.Missing, $"{key} is not in {Name(address)}, or not for us: {sentence}"),
            _ => FetchOutcome.Failed(FetchStatus.Unreachable, $"{key} cannot be had from {Name(address)}: {sentence}{(final ? "" : " Asked again later.")}"),
        };
    }

    /// <summary>Why an object was not stored.</summary>
    public static PutOutcome OfPut(Exception e, ObjectKey key, S3Address address)
    {
        if (e is not AmazonS3Exception s3)
        {
            return new PutOutcome(PutStatus.Unreachable, $"{key} cannot be put into {Name(address)}: {Reason(e)}");
        }

        if (s3.StatusCode == HttpStatusCode.PreconditionFailed)
        {
            return new PutOutcome(PutStatus.Exists, $"{key} is in {Name(address)} already.");
        }

        var (final, sentence) = Explain(s3, address);
        return new PutOutcome(final ? PutStatus.Refused : PutStatus.Unreachable, $"{key} cannot be put into {Name(address)}: {sentence}");
    }

    /// <summary>Why a bucket could not be made ready.</summary>
    public static string OfBucket(Exception e, S3Address address) => e is AmazonS3Exception s3 ? Explain(s3, address).Sentence : Reason(e);

    /// <summary>The bucket and where it is, without the reader's account.</summary>
    public static string Name(S3Address address) =>
        $"bucket {address.Bucket}{(address.Prefix.Length > 0 ? $" under {address.Prefix}" : "")} at {address.Endpoint?.Authority ?? $"Amazon's {address.Region}"}";

    // Whether asking again is useless, and one sentence with the remedy.
    private static (bool Final, string Sentence) Explain(AmazonS3Exception e, S3Address address) => e.ErrorCode switch
    {
        "NoSuchBucket" => (true, $"there is no bucket {address.Bucket}: create it, or correct the address."),
        "InvalidAccessKeyId" => (true, "the server does not know the access key: correct it, or the endpoint."),
        "SignatureDoesNotMatch" => (true, "the secret key is not that of the access key: correct it."),
        "AccessDenied" => (true, "the account may not do that: give it the right to write there, or name another bucket."),
        "RequestTimeTooSkewed" => (true, "the clock of this machine is more than 15 minutes off: set it."),
        "PermanentRedirect" or "AuthorizationHeaderMalformed" or "IllegalLocationConstraintException" =>
            (true, $"the bucket is not in region {address.Region}: give the right one with region=. The server says: {e.Message}"),
        "QuotaExceeded" or "InsufficientStorage" => (false, "the store is full: make room."),
        "EntityTooLarge" => (true, "the store does not take objects of that size."),
        _ when (int)e.StatusCode is >= 400 and < 500 and not 408 and not 409 and not 429 => (true, $"{e.ErrorCode} ({(int)e.StatusCode}): {e.Message}"),
        _ => (false, $"the server answers {(int)e.StatusCode} {e.ErrorCode}."),
    };

    private static string Reason(Exception e)
    {
        if (e is OperationCanceledException)
        {
            return "no answer in time.";
        }

        var inner = e;
        while (inner.InnerException is { } next)
        {
            inner = next;
        }

        return inner.Message.TrimEnd('.') + ".";
    }
}
