using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Cairn.Web;

/// <summary>Answers as bytes, made once for all who ask for the same until the run changes.</summary>
internal sealed class Answers(RunBook book)
{
    private const int Kept = 64;
    private readonly Dictionary<string, byte[]> _made = new(StringComparer.Ordinal);
    private long _version = -1;

    /// <summary>Sends an answer that depends on nothing but what was read of the run.</summary>
    public Task SendAsync<T>(HttpContext context, JsonTypeInfo<T> type, Func<T?> make)
    {
        var key = context.Request.Path + context.Request.QueryString;
        long version;
        lock (book.Gate)
        {
            version = book.Version;
        }

        lock (_made)
        {
            if (_version == version && _made.TryGetValue(key, out var known))
            {
                return WriteAsync(context, known);
            }
        }

        if (make() is not { } view)
        {
            return RefuseAsync(context, StatusCodes.Status404NotFound, "There is nothing of that name or number here.");
        }

        var bytes = JsonSerializer.SerializeToUtf8Bytes(view, type);
        lock (_made)
        {
            if (_version != version || _made.Count >= Kept)
            {
                _made.Clear();
                _version = version;
            }

            _made[key] = bytes;
        }

        return WriteAsync(context, bytes);
    }

    /// <summary>Sends an answer that is made anew each time.</summary>
    public static Task SendNewAsync<T>(HttpContext context, JsonTypeInfo<T> type, T view) => WriteAsync(context, JsonSerializer.SerializeToUtf8Bytes(view, type));

    /// <summary>Says why there is no answer.</summary>
    public static Task RefuseAsync(HttpContext context, int status, string why)
    {
        context.Response.StatusCode = status;
        return SendNewAsync(context, ViewJson.Default.ErrorView, new ErrorView(why));
    }

    private static async Task WriteAsync(HttpContext context, byte[] bytes)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }
}
