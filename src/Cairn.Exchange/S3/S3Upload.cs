using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Amazon.S3;
using Amazon.S3.Model;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Exchange;

/// <summary>Sends objects: small ones at once, large ones in pieces, several at a time. The server sees a checksum of every piece.</summary>
internal sealed class S3Upload(AmazonS3Client client, S3Address address, S3Options options)
{
    /// <summary>Sends an object.</summary>
    /// <param name="name">Its key on the server.</param>
    /// <param name="bytes">All of it.</param>
    /// <param name="create">True to leave alone what is there.</param>
    /// <param name="cancel">Gives up; the server then holds nothing of it.</param>
    public Task PutAsync(string name, ReadOnlyMemory<byte> bytes, bool create, CancellationToken cancel) =>
        // Not every server knows a condition on what is sent in pieces; on a whole object those do that matter.
        create || bytes.Length <= options.PartBytes
            ? PutWholeAsync(name, bytes, create, cancel)
            : PutInPartsAsync(name, bytes.Length, (at, count, put) => put(bytes.Slice((int)at, count)), cancel);

    /// <summary>Sends an object from a file; in memory are the pieces on the way.</summary>
    /// <param name="name">Its key on the server.</param>
    /// <param name="file">All of it.</param>
    /// <param name="cancel">Gives up; the server then holds nothing of it.</param>
    public Task PutAsync(string name, SafeFileHandle file, CancellationToken cancel)
    {
        var size = RandomAccess.GetLength(file);
        return size <= options.PartBytes
            ? WithPieceAsync(0, (int)size, bytes => PutWholeAsync(name, bytes, create: false, cancel))
            : PutInPartsAsync(name, size, WithPieceAsync, cancel);

        async Task WithPieceAsync(long at, int count, Func<ReadOnlyMemory<byte>, Task> put)
        {
            var piece = ArrayPool<byte>.Shared.Rent(count);
            try
            {
                for (var filled = 0; filled < count;)
                {
                    var read = RandomAccess.Read(file, piece.AsSpan(filled, count - filled), at + filled);
                    filled += read > 0 ? read : throw new IOException($"the file to be sent as {name} has become shorter");
                }

                await put(piece.AsMemory(0, count)).ConfigureAwait(false);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(piece);
            }
        }
    }

    private async Task PutWholeAsync(string name, ReadOnlyMemory<byte> bytes, bool create, CancellationToken cancel)
    {
        using var limit = Limited(bytes.Length, cancel);
        await client.PutObjectAsync(
            new PutObjectRequest
            {
                BucketName = address.Bucket,
                Key = name,
                InputStream = StreamOf(bytes),
                MD5Digest = Md5(bytes),
                IfNoneMatch = create ? "*" : null,
                UseChunkEncoding = false,
            },
            limit.Token).ConfigureAwait(false);
    }

    private async Task PutInPartsAsync(string name, long size, Func<long, int, Func<ReadOnlyMemory<byte>, Task>, Task> withPiece, CancellationToken cancel)
    {
        string id;
        using (var limit = Limited(0, cancel))
        {
            var begun = await client.InitiateMultipartUploadAsync(
                new InitiateMultipartUploadRequest { BucketName = address.Bucket, Key = name }, limit.Token).ConfigureAwait(false);
            id = begun.UploadId;
        }

        try
        {
            var tags = new PartETag[(size + options.PartBytes - 1) / options.PartBytes];
            var atOnce = new ParallelOptions { MaxDegreeOfParallelism = options.PartsAtOnce, CancellationToken = cancel };
            await Parallel.ForAsync(0, tags.Length, atOnce, async (part, stop) =>
            {
                var at = (long)part * options.PartBytes;
                await withPiece(
                    at, (int)Math.Min(options.PartBytes, size - at),
                    async bytes => tags[part] = await PutPartAsync(name, id, part + 1, bytes, stop).ConfigureAwait(false)).ConfigureAwait(false);
            }).ConfigureAwait(false);
            using var limit = Limited(options.AssemblingMax(size), cancel);
            await client.CompleteMultipartUploadAsync(
                new CompleteMultipartUploadRequest
                {
                    BucketName = address.Bucket,
                    Key = name,
                    UploadId = id,
                    PartETags = [.. tags],
                },
                limit.Token).ConfigureAwait(false);
        }
        catch
        {
            await AbortAsync(name, id).ConfigureAwait(false);
            throw;
        }
    }

    private async Task<PartETag> PutPartAsync(string name, string id, int number, ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        using var limit = Limited(bytes.Length, cancel);
        var sent = await client.UploadPartAsync(
            new UploadPartRequest
            {
                BucketName = address.Bucket,
                Key = name,
                UploadId = id,
                PartNumber = number,
                PartSize = bytes.Length,
                InputStream = StreamOf(bytes),
                MD5Digest = Md5(bytes),
                UseChunkEncoding = false,
            },
            limit.Token).ConfigureAwait(false);
        return new PartETag(number, sent.ETag);
    }

    // Pieces of what was given up are paid for until they are dropped; a server that does not answer drops them by its own rule.
    private async Task AbortAsync(string name, string id)
    {
        using var limit = Limited(0, CancellationToken.None);
        try
        {
            await client.AbortMultipartUploadAsync(
                new AbortMultipartUploadRequest { BucketName = address.Bucket, Key = name, UploadId = id }, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (S3Faults.IsOfTheWorld(e, CancellationToken.None))
        {
            // What failed before says more.
        }
    }

    private CancellationTokenSource Limited(long bytes, CancellationToken cancel) => Limited(options.SendingMax(bytes), cancel);

    private static CancellationTokenSource Limited(TimeSpan most, CancellationToken cancel)
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(most);
        return limit;
    }

    private static MemoryStream StreamOf(ReadOnlyMemory<byte> bytes) =>
        MemoryMarshal.TryGetArray(bytes, out var array)
            ? new MemoryStream(array.Array!, array.Offset, array.Count, writable: false)
            : new MemoryStream(bytes.ToArray(), writable: false);

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA5351", Justification = "A checksum that S3 defines; contents are compared by SHA-256.")]
    private static string Md5(ReadOnlyMemory<byte> bytes) => Convert.ToBase64String(MD5.HashData(bytes.Span));
}
