using System.Buffers;
using Amazon.S3;
using Amazon.S3.Model;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Exchange;

/// <summary>One download: the first piece tells the size, which is held against the limit before anything is allocated; the other pieces come several at a time, all of
/// the same version of the object; a piece that breaks off goes on where it stopped.</summary>
internal sealed class S3Download(AmazonS3Client client, S3Address address, S3Options options, ObjectKey key, string name)
{
    private const int TriesOfPiece = 4;
    private string? _version;

    /// <summary>Fetches the object.</summary>
    /// <param name="bytesMax">The most bytes to accept.</param>
    /// <param name="file">Receives it, piece by piece; null to have it in memory.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<FetchOutcome> GetAsync(long bytesMax, SafeFileHandle? file, CancellationToken cancel)
    {
        bytesMax = file is null ? Math.Min(bytesMax, Array.MaxLength) : bytesMax;
        // However it is cut, broken off and taken up again: there is so much time for one object.
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(options.AnswerMax + options.ReceivingMax(bytesMax));
        for (var tries = 1; ; tries++)
        {
            try
            {
                _version = null;
                return await FetchAsync(bytesMax, file, limit.Token).ConfigureAwait(false);
            }
            catch (AmazonS3Exception e) when (e.StatusCode == System.Net.HttpStatusCode.PreconditionFailed && tries < TriesOfPiece)
            {
                // Replaced between two pieces: the new one from its beginning.
            }
            catch (Exception e) when (S3Faults.IsOfTheWorld(e, cancel))
            {
                return S3Faults.OfFetch(e, key, address);
            }
        }
    }

    /// <summary>Fetches a part of the object.</summary>
    /// <param name="from">First byte.</param>
    /// <param name="count">How many.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<FetchOutcome> GetRangeAsync(long from, int count, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(options.AnswerMax + options.ReceivingMax(count));
        try
        {
            var bytes = GC.AllocateUninitializedArray<byte>(count);
            await GoOnAsync(bytes, from, 0, limit.Token).ConfigureAwait(false);
            return FetchOutcome.Found(bytes);
        }
        catch (AmazonS3Exception e) when (e.StatusCode == System.Net.HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            return FetchOutcome.Failed(FetchStatus.Corrupt, $"{key} ends before what was asked for.");
        }
        catch (Exception e) when (S3Faults.IsOfTheWorld(e, cancel))
        {
            return S3Faults.OfFetch(e, key, address);
        }
    }

    private async Task<FetchOutcome> FetchAsync(long bytesMax, SafeFileHandle? file, CancellationToken cancel)
    {
        byte[] bytes;
        long size;
        using (var first = await AskAsync(0, Math.Max(1, bytesMax < options.PartBytes ? bytesMax + 1 : options.PartBytes), cancel).ConfigureAwait(false))
        {
            if ((first is null ? 0 : SizeOf(first)) is not { } told)
            {
                return FetchOutcome.Failed(FetchStatus.Corrupt, $"{key}: the server does not say how long it is.");
            }

            if (told > bytesMax)
            {
                return FetchOutcome.Failed(FetchStatus.TooLarge, $"{key} has {told} bytes, {bytesMax} are allowed.");
            }

            (size, _version) = (told, first?.ETag);
            bytes = file is null ? GC.AllocateUninitializedArray<byte>((int)size) : [];
            if (file is not null)
            {
                RandomAccess.SetLength(file, size);
            }

            if (first is null || size == 0)
            {
                return FetchOutcome.Found(bytes);
            }

            await PieceAsync(0, first, cancel).ConfigureAwait(false);
        }

        var pieces = (int)((size + options.PartBytes - 1) / options.PartBytes);
        if (pieces > 1)
        {
            await Parallel.ForAsync(
                1, pieces, new ParallelOptions { MaxDegreeOfParallelism = options.PartsAtOnce, CancellationToken = cancel },
                async (piece, stop) => await PieceAsync((long)piece * options.PartBytes, null, stop).ConfigureAwait(false)).ConfigureAwait(false);
        }

        return FetchOutcome.Found(bytes);

        async Task PieceAsync(long at, GetObjectResponse? answer, CancellationToken stop)
        {
            var count = (int)Math.Min(options.PartBytes, size - at);
            if (file is null)
            {
                await FillAsync(bytes.AsMemory((int)at, count), at, answer, stop).ConfigureAwait(false);
                return;
            }

            var rented = ArrayPool<byte>.Shared.Rent(count);
            try
            {
                await FillAsync(rented.AsMemory(0, count), at, answer, stop).ConfigureAwait(false);
                await RandomAccess.WriteAsync(file, rented.AsMemory(0, count), at, stop).ConfigureAwait(false);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }

    private async Task FillAsync(Memory<byte> piece, long at, GetObjectResponse? answer, CancellationToken cancel)
    {
        var read = answer is null ? 0 : await ReadAsync(answer, piece, cancel).ConfigureAwait(false);
        await GoOnAsync(piece, at, read, cancel).ConfigureAwait(false);
    }

    // From a place to the end of a piece, asking again for what is missing when a connection breaks. The piece begins at a place of the object.
    private async Task GoOnAsync(Memory<byte> piece, long start, int from, CancellationToken cancel)
    {
        for (var tries = 1; from < piece.Length; tries++)
        {
            try
            {
                using var answer = await AskAsync(start + from, piece.Length - from, cancel).ConfigureAwait(false)
                    ?? throw new IOException("it has become shorter");
                from += await ReadAsync(answer, piece[from..], cancel).ConfigureAwait(false);
            }
            catch (Exception e) when (tries < TriesOfPiece && e is not (AmazonS3Exception or OperationCanceledException) && S3Faults.IsOfTheWorld(e, cancel))
            {
                // The line, not the server: what is here is kept.
            }

            if (from < piece.Length && tries >= TriesOfPiece)
            {
                throw new IOException($"cut off after {start + from} bytes, {piece.Length - from} before the end of a piece, {tries} times");
            }
        }
    }

    // Null for an empty object, of which no range can be asked for.
    private async Task<GetObjectResponse?> AskAsync(long from, long count, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(options.AnswerMax);
        try
        {
            return await client.GetObjectAsync(
                new GetObjectRequest
                {
                    BucketName = address.Bucket,
                    Key = name,
                    ByteRange = new ByteRange(from, from + count - 1),
                    EtagToMatch = _version,
                },
                limit.Token).ConfigureAwait(false);
        }
        catch (AmazonS3Exception e) when (e.StatusCode == System.Net.HttpStatusCode.RequestedRangeNotSatisfiable && from == 0)
        {
            return null;
        }
    }

    // How many bytes came before the end or the break. A body must keep coming: what there is in all is bounded, and so is every wait for more.
    private async Task<int> ReadAsync(GetObjectResponse answer, Memory<byte> into, CancellationToken cancel)
    {
        var (at, began) = (0, TimeProvider.System.GetTimestamp());
        try
        {
            while (at < into.Length)
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
                var left = options.ReceivingMax(into.Length) - TimeProvider.System.GetElapsedTime(began);
                limit.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero);
                if (await answer.ResponseStream.ReadAsync(into[at..], limit.Token).ConfigureAwait(false) is not (> 0 and var read))
                {
                    break;
                }

                at += read;
            }
        }
        catch (Exception e) when (at > 0 && e is IOException or HttpRequestException)
        {
            // What came counts; the rest is asked for again.
        }

        return at;
    }

    // "bytes 0-8388607/20971520", or the plain length from a server that sent the whole.
    private static long? SizeOf(GetObjectResponse answer)
    {
        var range = answer.ContentRange;
        if (string.IsNullOrEmpty(range))
        {
            return answer.ContentLength >= 0 ? answer.ContentLength : null;
        }

        return long.TryParse(range[(range.LastIndexOf('/') + 1)..], out var size) && size >= 0 ? size : null;
    }
}
