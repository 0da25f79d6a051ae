using Microsoft.AspNetCore.Http;

namespace Cairn.Web;

/// <summary>What stands around every answer: the key is asked for, whatever goes wrong is told in the form that clients know, and the answer is counted by what was
/// told.</summary>
/// <param name="keys">Who is let in.</param>
/// <param name="metrics">Counts.</param>
/// <param name="faulted">Told of faults that are the server's own; null tells nobody.</param>
internal sealed class FaultTelling(KeyCheck keys, ServeMetrics metrics, Action<Exception>? faulted)
{
    private readonly TimeProvider _time = TimeProvider.System;

    /// <summary>Answers a request, or tells why not. Throws nothing that the answer to it throws.</summary>
    public async Task AnswerAsync(HttpContext context, RequestDelegate next)
    {
        var began = _time.GetTimestamp();
        var path = context.Request.Path.Value!;
        try
        {
            if (path is not ("/health" or "/healthz"))
            {
                keys.Check(context.Request);
            }

            await next(context);
        }
        catch (Exception e) when (e is OperationCanceledException or (IOException and not BadHttpRequestException))
        {
            // It has left.
            context.Abort();
            context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
        }
        catch (Exception e)
        {
            await TellAsync(context, RefusalOf(e) ?? Own(e));
        }
        finally
        {
            metrics.Answered(Array.Find(InferenceRoutes.Paths, known => known == path) ?? "other", context.Response.StatusCode, _time.GetElapsedTime(began));
        }
    }

    private static ApiRefusal? RefusalOf(Exception fault) => fault switch
    {
        ApiRefusal refusal => refusal,
        Base.InputException input => ApiRefusal.Bad(input.Message),
        BadHttpRequestException bad => new ApiRefusal(bad.StatusCode, "invalid_request_error", null, null, bad.Message),
        // Text in a body that is not Unicode shows when it is asked for.
        InvalidOperationException { Source: { } source } when source.StartsWith("System.Text.Json", StringComparison.Ordinal) =>
            ApiRefusal.Bad("A text in the body is not Unicode."),
        _ => null,
    };

    // A bug of ours in one request: whoever asked hears that it is none of his, whoever runs the server hears what it was, and the others are served.
    private ApiRefusal Own(Exception fault)
    {
        faulted?.Invoke(fault);
        return ApiRefusal.Fault();
    }

    private static async Task TellAsync(HttpContext context, ApiRefusal refusal)
    {
        if (context.Response.HasStarted)
        {
            // In the middle of a stream only the stream can say it; it has no end then.
            var stream = new EventStream(context);
            stream.Add(ApiJson.Default.ApiErrorView, refusal.View);
            using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            await stream.FlushAsync(soon.Token).ContinueWith(_ => { }, TaskScheduler.Default);
            context.Abort();
            return;
        }

        if (refusal.Status != StatusCodes.Status401Unauthorized)
        {
            await BodyReader.PassOverAsync(context);
        }

        context.Response.Clear();
        context.Response.StatusCode = refusal.Status;
        if (refusal.RetryAfter is { } seconds)
        {
            context.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        await Answers.SendNewAsync(context, ApiJson.Default.ApiErrorView, refusal.View);
    }
}
