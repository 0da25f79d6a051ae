using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cairn.Web;

/// <summary>Which address gives what, and what holds for all: limits on number and time. Keys and faults are the matter of <see cref="FaultTelling"/>.</summary>
/// <param name="room">The model.</param>
/// <param name="options">Limits.</param>
/// <param name="stopping">Cancelled when the server is being stopped.</param>
internal sealed class InferenceRoutes(ModelRoom room, InferenceOptions options, ServeMetrics metrics, CancellationToken stopping)
{
    /// <summary>The addresses that have a name of their own among the figures.</summary>
    public static readonly string[] Paths =
        ["/v1/models", "/v1/completions", "/v1/chat/completions", "/tokenize", "/detokenize", "/health", "/healthz", "/metrics"];

    private readonly BodyReader _bodies = new(options.BodyBytesMax);
    private readonly FaultTelling _faults = new(new KeyCheck(options.Keys), metrics, options.Faulted);
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly long _created = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
    private int _inHouse;

    public void Map(WebApplication app)
    {
        app.Use(_faults.AnswerAsync);
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
        // The usual pattern passes over what looks like the name of a file.
        app.MapFallback("{*path}", context => throw (Paths.Contains(context.Request.Path.Value!)
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
            var together = asked.Prompts.Count * asked.Count;
            if (together > PlacesMax)
            {
                throw ApiRefusal.Field("n", $"{together} continuations are asked for: {PlacesMax} have a place here, those that wait among them.");
            }

            var more = together - 1;
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
}
