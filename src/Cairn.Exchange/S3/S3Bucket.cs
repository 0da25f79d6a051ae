using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Cairn.Base;

namespace Cairn.Exchange;

/// <summary>Makes a bucket ready for a run: there, and readable by everybody.</summary>
public static class S3Bucket
{
    /// <summary>Creates the bucket of an address if it is not there, and lets everybody read and list it.</summary>
    /// <param name="address">Bucket and server; prefix and reader play no part.</param>
    /// <param name="owner">The account whose bucket it is to be.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="InputException">The server does not allow it, or does not answer.</exception>
    public static async Task CreateAsync(S3Address address, S3Credentials owner, CancellationToken cancel = default)
    {
        using var line = new S3Line(new S3Options(), allowPrivateHosts: true);
        using var client = new AmazonS3Client(new BasicAWSCredentials(owner.AccessKey, owner.SecretKey), S3Store.ConfigOf(address, line, stranger: false));
        try
        {
            await client.PutBucketAsync(new PutBucketRequest { BucketName = address.Bucket }, cancel).ConfigureAwait(false);
            var policy = new PutBucketPolicyRequest { BucketName = address.Bucket, Policy = PublicRead(address.Bucket) };
            await client.PutBucketPolicyAsync(policy, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (S3Faults.IsOfTheWorld(e, cancel))
        {
            throw new InputException($"cannot make {S3Faults.Name(address)} ready: {S3Faults.OfBucket(e, address)}", e);
        }
    }

    private static string PublicRead(string bucket) =>
        $$"""
        {
          "Version": "2012-10-17",
          "Statement": [{
            "Effect": "Allow",
            "Principal": "*",
            "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": ["arn:aws:s3:::{{bucket}}", "arn:aws:s3:::{{bucket}}/*"]
          }]
        }
        """;
}
