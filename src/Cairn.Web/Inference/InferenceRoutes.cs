using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cairn.Web;

/// <summary>Which address gives what, and what holds for all: the key, faults in the form that clients know, limits on number and time.</summary>
/// <param name="room">The model.</param>
/// <param name="options">Limits.</param>
/// <param name="stopping">Cancelled when the server is being stopped.</param>
internal sealed class InferenceRoutes(ModelRoom room, InferenceOptions options, ServeMetrics metrics, CancellationToken stopping)
{
    private static readonly string[] Paths = ["/v1/models", "/v1/completions", "/v1/chat/completions", "/tokenize", "/detokenize", "/health", "/healthz", "/metrics"];
    private readonly BodyReader _bodies = new(options.BodyBytesMax);
    private readonly KeyCheck _keys = new(options.Keys);
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly long _created = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
    private int _inHouse;

    public void Map(WebApplication app)
    {
        app.Use(TellFaultsAsync);
        app.MapGet("/health", HealthAsync);
        app.MapGet("/healthz", HealthAsync);
        app.MapGet("/metrics", context => metrics.SendAsync(context, room, Volatile.Read(ref _inHouse)));
        app.MapGet("/v1/models", context => Answers.SendNewAsync(context, ApiJson.Default.ServedModelsView, new ServedModelsView("list", [Served()])));
        app.MapGet("/v1/models/{name}", context => (string)context.Request.RouteValues["name"]! is var name && name == room.Current.Served.Name
            ? Answers.SendNewAsync(context, ApiJson.Default.ServedModelView, Served())
            : throw ApiRefusal.NoModel(name, room.Current.Served.Name));
        app.MapPost("/v1/completions", context => ContinueAsync(context, "cmpl", AskedCompletion.OfText, (head, asked) =>
            new CompletionForm(head, asked.Echoes, asked.Count, asked.LikeliestCount is not null)));
        app.MapPost("/v1/chat/completions", context => ContinueAsync(context, "chatcmpl", AskedCompletion.OfChat, (head, asked) =>
            new ChatForm(head, asked.LikeliestCount is not null)));
        app.MapPost("/tokenize", context => WithinLimitsAsync(context, TokenRoutes.TokenizeAsync));
        app.MapPost("/detokenize", context => WithinLimitsAsync(context, TokenRoutes.DetokenizeAsync));
        app.MapFallback(context => throw (Paths.Contains(context.Request.Path.Value!)
            ? ApiRefusal.NoMethod(context.Request.Path.Value!) : ApiRefusal.NoRoute(context.Request.Path.Value!)));
    }

    private Task HealthAsync(HttpContext context) => Answers.SendNewAsync(
        context, ApiJson.Default.HealthView, new HealthView("ok", room.Current.Served.Name, room.Current.Served.Version));

    private ServedModelView Served() => room.Current.Served is var served
        ? new ServedModelView(served.Name, "model", _created, "cairn", served.LengthMax, served.Version) : throw new InvalidOperationException();

    private Task ContinueAsync(
        HttpContext context, string prefix, Func<JsonElement, ServedModel, CancellationToken, AskedCompletion> read,
        Func<AnswerHead, AskedCompletion, IAnswerForm> formOf) =>
        WithinLimitsAsync(context, async (http, body, lease, cancellation) =>
        {
            var asked = await Task.Run(() => read(body.Root, lease.Served, cancellation), cancellation);
            // The text is tokens now.
            body.Dispose();
            var more = (asked.Prompts.Count * asked.Count) - 1;
            if (Interlocked.Add(ref _inHouse, more) > PlacesMax)
            {
                Interlocked.Add(ref _inHouse, -more);
                throw Full();
            }

            try
            {
                var form = formOf(new AnswerHead(prefix, lease.Served, _time.GetUtcNow().ToUnixTimeSeconds()), asked);
                await new Answering(lease.Engine, asked, form, metrics, _time).AnswerAsync(http, cancellation);
            }
            finally
            {
                Interlocked.Add(ref _inHouse, -more);
            }
        });

    private int PlacesMax => options.Parallel + options.WaitingMax;

    private static ApiRefusal Full() => ApiRefusal.Busy("As many are served and wait as can be: try again in a moment.");

    // One more in the house, for so long at most.
    private async Task WithinLimitsAsync(HttpContext context, Func<HttpContext, BodyReader.Body, ModelRoom.Lease, CancellationToken, Task> answer)
    {
        try
        {
            if (Interlocked.Increment(ref _inHouse) > PlacesMax)
            {
                throw Full();
            }

            using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
            patience.CancelAfter(options.RequestTimeMax);
            try
            {
                using var body = await _bodies.ReadAsync(context, patience.Token);
                using var lease = room.Rent();
                await answer(context, body, lease, patience.Token);
            }
            catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
            {
                throw stopping.IsCancellationRequested || room.Failed.IsCompleted ? ApiRefusal.Leaving() : ApiRefusal.TooSlow(options.RequestTimeMax.TotalSeconds);
            }
        }
        finally
        {
            Interlocked.Decrement(ref _inHouse);
        }
    }

    private async Task TellFaultsAsync(HttpContext context, RequestDelegate next)
    {
        var began = _time.GetTimestamp();
        var path = context.Request.Path.Value!;
        try
        {
            if (path is not ("/health" or "/healthz"))
            {
                _keys.Check(context.Request);
            }

            await next(context);
        }
        catch (Exception e) when (e is OperationCanceledException or (IOException and not BadHttpRequestException))
        {
            // It has left.
            context.Abort();
            context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
        }
        catch (Exception e) when (RefusalOf(e) is { } refusal)
        {
            await TellAsync(context, refusal);
        }
        finally
        {
            metrics.Answered(Array.Find(Paths, known => known == path) ?? "other", context.Response.StatusCode, _time.GetElapsedTime(began));
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
