namespace Cairn.Exchange;

/// <summary>Holds the bodies of requests and answers to a rate, below whatever hashes, signs or retries them.</summary>
internal sealed class LimitedHandler(RateLimit? up, RateLimit? down, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private const int PieceBytes = 16 << 10;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (up is not null && request.Content is { } body)
        {
            request.Content = new WrappedContent(body, stream => new LimitedStream(stream, up), _ => true);
        }

        var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (down is not null)
        {
            response.Content = new WrappedContent(response.Content, stream => new LimitedStream(stream, down), _ => true);
        }

        return response;
    }

    // Read as the reader reads, in pieces, each paid for after it came: the window of the connection then slows the sender.
    private sealed class LimitedStream(Stream inner, RateLimit limit) : AnswerStream(inner)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await Inner.ReadAsync(buffer[..Math.Min(buffer.Length, PieceBytes)], cancellationToken).ConfigureAwait(false);
            await limit.PassAsync(read, cancellationToken).ConfigureAwait(false);
            return read;
        }

        // Lists and errors are parsed without waiting: small, and each piece paid for as any other.
        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = Inner.Read(buffer, offset, Math.Min(count, PieceBytes));
            limit.PassAsync(read, CancellationToken.None).AsTask().GetAwaiter().GetResult();
            return read;
        }
    }
}
