using System.Net;

namespace Cairn.Exchange;

/// <summary>What of a server's answer reaches the code that reads it: the few headers that are needed, no redirect, and no more bytes than were asked for. Servers are
/// strangers', and that code was written for one that is not.</summary>
internal sealed class StrictHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private const int ListBytesMax = 4 << 20;
    private const int OtherBytesMax = 64 << 10;
    private static readonly HashSet<string> KnownHeaders = new(StringComparer.OrdinalIgnoreCase) { "ETag", "Accept-Ranges", "Connection", "Transfer-Encoding" };
    private static readonly HashSet<string> KnownContentHeaders = new(StringComparer.OrdinalIgnoreCase) { "Content-Length", "Content-Range", "Content-Type" };

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if ((int)response.StatusCode is >= 300 and < 400 and not (int)HttpStatusCode.NotModified)
        {
            // Nobody sends us elsewhere.
            var status = response.StatusCode;
            response.Dispose();
            throw new HttpRequestException($"the server answers {(int)status} and names another place, where we do not go", null, status);
        }

        foreach (var header in response.Headers.Select(header => header.Key).Where(name => !KnownHeaders.Contains(name)).ToList())
        {
            response.Headers.Remove(header);
        }

        response.TrailingHeaders.Clear();
        response.Content = new BoundedContent(response.Content, BytesMaxOf(request, response));
        return response;
    }

    private static long BytesMaxOf(HttpRequestMessage request, HttpResponseMessage response)
    {
        if (!response.IsSuccessStatusCode)
        {
            return OtherBytesMax;
        }

        var range = request.Headers.Range?.Ranges.FirstOrDefault();
        return range is { From: { } from, To: { } to } ? to - from + 1
            : request.Method == HttpMethod.Get ? ListBytesMax
            : OtherBytesMax;
    }

    private sealed class BoundedContent : HttpContent
    {
        private readonly HttpContent _inner;
        private readonly long _bytesMax;

        public BoundedContent(HttpContent inner, long bytesMax)
        {
            (_inner, _bytesMax) = (inner, bytesMax);
            foreach (var header in inner.Headers.Where(header => KnownContentHeaders.Contains(header.Key)))
            {
                Headers.TryAddWithoutValidation(header.Key, header.Value);
            }
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await using var source = await CreateContentReadStreamAsync().ConfigureAwait(false);
            await source.CopyToAsync(stream).ConfigureAwait(false);
        }

        protected override async Task<Stream> CreateContentReadStreamAsync() =>
            new BoundedStream(await _inner.ReadAsStreamAsync().ConfigureAwait(false), _bytesMax);

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

    private sealed class BoundedStream(Stream inner, long bytesMax) : ReadingStream(inner)
    {
        private long _left = bytesMax;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await Inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            return Counted(read);
        }

        public override int Read(byte[] buffer, int offset, int count) => Counted(Inner.Read(buffer, offset, count));

        private int Counted(int read)
        {
            _left -= read;
            return _left >= 0 ? read : throw new IOException("the server sends more than it was asked for");
        }
    }
}
