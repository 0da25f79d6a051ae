using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Cairn.Web;

/// <summary>Reads bodies: each at most so large, and all that are being read at once together.</summary>
/// <param name="bytesMax">The largest body.</param>
internal sealed class BodyReader(int bytesMax)
{
    private const int AtOnce = 16;
    private const long PassedOverMax = 64 << 20;
    private static readonly TimeSpan PassedOverTimeMax = TimeSpan.FromSeconds(30);
    private long _held;

    /// <summary>Reads a body as JSON; the caller disposes it.</summary>
    /// <exception cref="ApiRefusal">It is too large, not JSON, or there is no room for it just now.</exception>
    public async Task<Body> ReadAsync(HttpContext context, CancellationToken cancellation)
    {
        if (context.Request.ContentLength > bytesMax)
        {
            throw ApiRefusal.TooLarge(bytesMax);
        }

        var body = new Body(this);
        try
        {
            await body.ReadAsync(context.Request.Body, cancellation);
            return body;
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    /// <summary>Reads what is left of a body and keeps nothing of it: most clients hear why they are refused only when they have sent everything. What is larger
    /// still, or comes too slowly, is cut off.</summary>
    public static async Task PassOverAsync(HttpContext context)
    {
        var piece = ArrayPool<byte>.Shared.Rent(1 << 14);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        patience.CancelAfter(PassedOverTimeMax);
        try
        {
            var passed = 0L;
            for (int read; passed < PassedOverMax && (read = await context.Request.Body.ReadAsync(piece, patience.Token)) > 0;)
            {
                passed += read;
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // It has left, or will have to hear it on a line that is cut.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    /// <summary>A body in memory.</summary>
    public sealed class Body(BodyReader reader) : IDisposable
    {
        private byte[] _bytes = [];
        private JsonDocument? _document;

        public JsonElement Root => _document!.RootElement;

        public void Dispose()
        {
            _document?.Dispose();
            Interlocked.Add(ref reader._held, -_bytes.Length);
            _bytes = [];
        }

        internal async Task ReadAsync(Stream stream, CancellationToken cancellation)
        {
            var count = 0;
            Grow(1 << 12, reader.BytesMax);
            for (int read; (read = await stream.ReadAsync(_bytes.AsMemory(count), cancellation)) > 0;)
            {
                count += read;
                if (count > reader.BytesMax)
                {
                    throw ApiRefusal.TooLarge(reader.BytesMax);
                }

                if (count == _bytes.Length)
                {
                    Grow(2 * _bytes.Length, reader.BytesMax);
                }
            }

            try
            {
                _document = JsonDocument.Parse(_bytes.AsMemory(0, count));
            }
            catch (JsonException e)
            {
                throw ApiRefusal.Bad($"The body is not JSON: {e.Message}");
            }
        }

        // One byte more than may be is read, to see that it is too many.
        private void Grow(int size, int bytesMax)
        {
            size = Math.Min(size, bytesMax + 1);
            if (Interlocked.Add(ref reader._held, size - _bytes.Length) > (long)AtOnce * bytesMax)
            {
                Interlocked.Add(ref reader._held, _bytes.Length - size);
                throw ApiRefusal.Busy("Too much is being sent just now: try again in a moment.");
            }

            Array.Resize(ref _bytes, size);
        }
    }

    private int BytesMax => bytesMax;
}
