using System.Net;

namespace Cairn.Exchange;

/// <summary>Holds the bodies of requests and answers to a rate, below whatever hashes, signs or retries them.</summary>
internal sealed class LimitedHandler(RateLimit? up, RateLimit? down, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (up is not null && request.Content is { } body)
        {
            request.Content = new LimitedContent(body, up);
        }

        var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (down is not null)
        {
            response.Content = new LimitedContent(response.Content, down);
        }

        return response;
    }

    private sealed class LimitedContent : HttpContent
    {
        private const int PieceBytes = 16 << 10;
        private readonly HttpContent _inner;
        private readonly RateLimit _limit;

        public LimitedContent(HttpContent inner, RateLimit limit)
        {
            (_inner, _limit) = (inner, limit);
            foreach (var header in inner.Headers)
            {
                Headers.TryAddWithoutValidation(header.Key, header.Value);
            }
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            await SerializeToStreamAsync(stream, context, CancellationToken.None).ConfigureAwait(false);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await using var source = await _inner.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            var buffer = new byte[PieceBytes];
            while (await source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and var read)
            {
                await _limit.PassAsync(read, cancellationToken).ConfigureAwait(false);
                await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
            }
        }

        protected override async Task<Stream> CreateContentReadStreamAsync() =>
            new LimitedStream(await _inner.ReadAsStreamAsync().ConfigureAwait(false), _limit, PieceBytes);

        protected override bool TryComputeLength(out long length)
        {
            length = _inner.Headers.ContentLength ?? 0;
            return _inner.Headers.ContentLength is not null;
        }

        protected override void Dispose(bool disposing)
        {
            _inner.Dispose();
            base.Dispose(disposing);
        }
    }

    // Read as the reader reads, in pieces, each paid for after it came: the window of the connection then slows the sender.
    private sealed class LimitedStream(Stream inner, RateLimit limit, int pieceBytes) : ReadingStream(inner)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await Inner.ReadAsync(buffer[..Math.Min(buffer.Length, pieceBytes)], cancellationToken).ConfigureAwait(false);
            await limit.PassAsync(read, cancellationToken).ConfigureAwait(false);
            return read;
        }

        // Lists and errors are parsed without waiting: small, and each piece paid for as any other.
        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = Inner.Read(buffer, offset, Math.Min(count, pieceBytes));
            limit.PassAsync(read, CancellationToken.None).AsTask().GetAwaiter().GetResult();
            return read;
        }
    }
}
