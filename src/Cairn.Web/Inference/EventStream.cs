using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Cairn.Web;

/// <summary>Answers piece by piece, as server-sent events.</summary>
/// <param name="context">The request.</param>
internal sealed class EventStream(HttpContext context)
{
    private readonly ArrayBufferWriter<byte> _unsent = new();

    /// <summary>True once the first bytes went out: from then on a fault can only be told in the stream.</summary>
    public bool HasBegun => context.Response.HasStarted;

    /// <summary>Adds an event; it goes out with the next flush.</summary>
    public void Add<T>(JsonTypeInfo<T> type, T view)
    {
        _unsent.Write("data: "u8);
        using (var json = new Utf8JsonWriter(_unsent))
        {
            JsonSerializer.Serialize(json, view, type);
        }

        _unsent.Write("\n\n"u8);
    }

    /// <summary>Adds the end of the stream.</summary>
    public void AddEnd() => _unsent.Write("data: [DONE]\n\n"u8);

    /// <summary>Sends what was added; waits for readers that are slow.</summary>
    public async Task FlushAsync(CancellationToken cancellation)
    {
        if (!HasBegun)
        {
            context.Response.ContentType = "text/event-stream; charset=utf-8";
            context.Response.Headers.CacheControl = "no-cache";
        }

        await context.Response.Body.WriteAsync(_unsent.WrittenMemory, cancellation);
        await context.Response.Body.FlushAsync(cancellation);
        _unsent.ResetWrittenCount();
    }
}
