using System.Net;
using Amazon.S3;
using Cairn.Base;

namespace Cairn.Exchange;

/// <summary>What an S3 server or the way to it says, as one of the outcomes of a store, with the remedy.</summary>
internal static class S3Faults
{
    private const int ShownMax = 200;

    /// <summary>True for whatever the world may do to a request. That is everything but our own mistakes and our own giving up: what a hostile server sends makes the
    /// code that reads it throw whatever it likes.</summary>
    public static bool IsOfTheWorld(Exception e, CancellationToken cancel) =>
        e is not InvariantViolation && !(e is OperationCanceledException && cancel.IsCancellationRequested);

    /// <summary>Why an object was not fetched.</summary>
    public static FetchOutcome OfFetch(Exception e, ObjectKey key, S3Address address)
    {
        if (e is not AmazonS3Exception s3)
        {
            var status = e is OperationCanceledException or TimeoutException ? FetchStatus.Silent : FetchStatus.Unreachable;
            return FetchOutcome.Failed(status, $"{key} cannot be had from {Name(address)}: {Reason(e)}");
        }

        var (final, sentence) = Explain(s3, address);
        return s3 switch
        {
            { ErrorCode: "NoSuchKey" } or { StatusCode: HttpStatusCode.NotFound } => FetchOutcome.Failed(FetchStatus.Missing, $"{key} is not in {Name(address)}."),
            // Without the right to list, a server says this of what is not there as well.
            { ErrorCode: "AccessDenied" } => FetchOutcome.Failed(
                FetchStatus.Missing, $"{key} is not in {Name(address)}, or not for us: its owner must let everybody read there, or name an account that may."),
            _ => FetchOutcome.Failed(FetchStatus.Unreachable, $"{key} cannot be had from {Name(address)}: {sentence}{(final ? "" : " Asked again later.")}"),
        };
    }

    /// <summary>Why an object was not stored.</summary>
    public static PutOutcome OfPut(Exception e, ObjectKey key, S3Address address)
    {
        if (IsRedirect(e))
        {
            return new PutOutcome(PutStatus.Refused, $"{key} cannot be put into {Name(address)}: the bucket is elsewhere; give its region= and endpoint=.");
        }

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
    public static string OfBucket(Exception e, S3Address address) =>
        IsRedirect(e) ? "it is elsewhere; give its region= and endpoint=." : e is AmazonS3Exception s3 ? Explain(s3, address).Sentence : Reason(e);

    /// <summary>The bucket and where it is, without the reader's account.</summary>
    public static string Name(S3Address address) =>
        $"bucket {address.Bucket}{(address.Prefix.Length > 0 ? $" under {address.Prefix}" : "")} at {address.Endpoint?.Authority ?? $"Amazon's {address.Region}"}";

    private static bool IsRedirect(Exception? e)
    {
        for (; e is not null; e = e.InnerException)
        {
            if (e is HttpRequestException { StatusCode: { } status } && (int)status is >= 300 and < 400)
            {
                return true;
            }
        }

        return false;
    }

    // Whether asking again is useless, and one sentence with the remedy.
    private static (bool Final, string Sentence) Explain(AmazonS3Exception e, S3Address address) => e.ErrorCode switch
    {
        "NoSuchBucket" => (true, $"there is no bucket {address.Bucket}: create it, or correct the address."),
        "InvalidAccessKeyId" => (true, "the server does not know the access key: correct it, or the endpoint."),
        "SignatureDoesNotMatch" => (true, "the secret key is not that of the access key: correct it."),
        "AccessDenied" => (true, "the account may not do that: give it the right to write there, or name another bucket."),
        "RequestTimeTooSkewed" => (true, "the clock of this machine is more than 15 minutes off: set it."),
        "PermanentRedirect" or "AuthorizationHeaderMalformed" or "IllegalLocationConstraintException" =>
            (true, $"the bucket is not in region {address.Region}: give the right one with region=. The server says: {Clean(e.Message)}"),
        "QuotaExceeded" or "InsufficientStorage" => (false, "the store is full: make room."),
        "EntityTooLarge" => (true, "the store does not take objects of that size."),
        "InvalidBucketName" or "MethodNotAllowed" or "NotImplemented" => (true, $"the server does not do that: {Clean(e.ErrorCode)}, {Clean(e.Message)}"),
        // Everything else may pass: a busy server, a line that was too slow, a proxy's page of its own.
        _ => (false, $"the server answers {(int)e.StatusCode} {Clean(e.ErrorCode)}."),
    };

    // What a stranger wrote is shown to people and kept in logs: printable, and not much of it.
    private static string Clean(string? text) => string.Concat((text ?? "").Take(ShownMax).Select(c => c is >= ' ' and <= '~' ? c : '?'));

    private static string Reason(Exception e)
    {
        if (e is OperationCanceledException or TimeoutException)
        {
            return "no answer in time.";
        }

        var inner = e;
        while (inner.InnerException is { } next)
        {
            inner = next;
        }

        return Clean(inner.Message).TrimEnd('.') + ".";
    }
}
