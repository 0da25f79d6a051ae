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
        // To be asked first whether a body is welcome costs a way there and back for every object, and a second on servers that never heard of it.
        request.Headers.ExpectContinue = false;
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
        var bytesMax = BytesMaxOf(request, response);
        response.Content = new WrappedContent(response.Content, stream => new BoundedStream(stream, bytesMax), KnownContentHeaders.Contains);
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

    private sealed class BoundedStream(Stream inner, long bytesMax) : AnswerStream(inner)
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
