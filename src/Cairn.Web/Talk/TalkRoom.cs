using System.Text;
using System.Text.Json;
using Cairn.Base;
using Cairn.Compute;
using Cairn.Data;
using Cairn.Model;
using Microsoft.AspNetCore.Http;

namespace Cairn.Web;

/// <summary>What somebody says to a checkpoint.</summary>
/// <param name="Checkpoint">Which: the round after which it stands; −1 for the model before training.</param>
/// <param name="Prompt">How the text begins.</param>
/// <param name="Temperature">0 takes the likeliest token each time; higher is freer.</param>
/// <param name="Tokens">The most tokens to generate.</param>
/// <param name="Seed">Same seed, same text.</param>
internal sealed record TalkRequest(int Checkpoint, string Prompt, double Temperature, int Tokens, long Seed);

/// <summary>Lets people talk to the checkpoints of a run: two at a time, on one thread each, a few more may wait.</summary>
internal sealed class TalkRoom(RunBook book, RunSources sources) : IDisposable
{
    private const int AtOnce = 2;
    private const int WaitingMax = 6;
    private const int PromptMax = 4000;
    private const int TokensMax = 512;
    private const double TemperatureMax = 5;
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);
    private readonly SemaphoreSlim _places = new(AtOnce);
    private readonly TalkModels _models = new(book, sources);
    private int _waiting;

    /// <summary>Answers a request with text, as it comes.</summary>
    public async Task AnswerAsync(HttpContext context)
    {
        if (await ReadAsync(context) is not { } request)
        {
            return;
        }

        if (Interlocked.Increment(ref _waiting) > WaitingMax + AtOnce)
        {
            Interlocked.Decrement(ref _waiting);
            await Answers.RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, "Too many are talking just now: try again in a moment.");
            return;
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        patience.CancelAfter(Longest);
        var entered = false;
        try
        {
            await _places.WaitAsync(patience.Token);
            entered = true;
            await SpeakAsync(context, request, patience.Token);
        }
        catch (InputException e)
        {
            await Answers.RefuseAsync(context, StatusCodes.Status409Conflict, e.Message);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // It went away, or took too long: what was said stands.
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
            if (entered)
            {
                _places.Release();
            }
        }
    }

    public void Dispose()
    {
        _models.Dispose();
        // Who still talks gives its place back.
        if (_places.CurrentCount == AtOnce)
        {
            _places.Dispose();
        }
    }

    private static async Task<TalkRequest?> ReadAsync(HttpContext context)
    {
        TalkRequest? request = null;
        try
        {
            request = context.Request.HasJsonContentType()
                ? await JsonSerializer.DeserializeAsync(context.Request.Body, ViewJson.Default.TalkRequest, context.RequestAborted) : null;
        }
        catch (Exception e) when (e is JsonException or BadHttpRequestException)
        {
            // Refused below.
        }

        if (request is { Prompt.Length: <= PromptMax, Temperature: >= 0 and <= TemperatureMax, Tokens: >= 1 and <= TokensMax })
        {
            return request;
        }

        await Answers.RefuseAsync(
            context, StatusCodes.Status400BadRequest,
            $"Say as JSON: checkpoint, prompt (at most {PromptMax} characters), temperature (0 to {TemperatureMax}), tokens (1 to {TokensMax}), seed.");
        return null;
    }

    private async Task SpeakAsync(HttpContext context, TalkRequest request, CancellationToken cancellation)
    {
        using var lease = await Task.Run(() => _models.Rent(request.Checkpoint), cancellation);
        var tokenizer = lease.Tokenizer;
        using var kernels = new CpuKernels(1);
        using var generator = new Generator(lease.Parameters, kernels);
        var settings = new SamplingSettings(request.Temperature, 0.95, request.Tokens, (ulong)request.Seed, tokenizer.EosId);
        var prompt = request.Prompt.Length == 0 ? [tokenizer.EosId] : tokenizer.Encode(request.Prompt);
        context.Response.ContentType = "text/plain; charset=utf-8";
        var decoder = new StreamingDecoder(tokenizer);
        using var tokens = generator.Generate(prompt, settings).GetEnumerator();
        while (await Task.Run(tokens.MoveNext, cancellation))
        {
            await SendAsync(context, decoder.Append(tokens.Current), cancellation);
        }

        await SendAsync(context, decoder.Finish(), cancellation);
    }

    private static async Task SendAsync(HttpContext context, string piece, CancellationToken cancellation)
    {
        if (piece.Length > 0)
        {
            await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(piece), cancellation);
            await context.Response.Body.FlushAsync(cancellation);
        }
    }
}
