using System.Net;

namespace Cairn.Exchange;

/// <summary>A body with something between it and its reader.</summary>
internal sealed class WrappedContent : HttpContent
{
    private readonly HttpContent _inner;
    private readonly Func<Stream, Stream> _wrap;

    /// <summary>Wraps a body.</summary>
    /// <param name="inner">The body; disposed with this.</param>
    /// <param name="wrap">What stands between.</param>
    /// <param name="keeps">Which of its headers stay.</param>
    public WrappedContent(HttpContent inner, Func<Stream, Stream> wrap, Func<string, bool> keeps)
    {
        (_inner, _wrap) = (inner, wrap);
        foreach (var header in inner.Headers.Where(header => keeps(header.Key)))
        {
            Headers.TryAddWithoutValidation(header.Key, header.Value);
        }
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await using var source = _wrap(await _inner.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false));
        await source.CopyToAsync(stream, cancellationToken).ConfigureAwait(false);
    }

    protected override async Task<Stream> CreateContentReadStreamAsync() => _wrap(await _inner.ReadAsStreamAsync().ConfigureAwait(false));

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
