using System.Text;
using System.Threading.Channels;
using Cairn.Inference;
using Microsoft.AspNetCore.Http;

namespace Cairn.Web;

/// <summary>Answers one request: hands its continuations to the engine, and sends what comes of them. Readers that are slow hold up nobody: the text waits for
/// them, bounded by what they asked for, and their places are free as soon as it is written.</summary>
/// <param name="engine">Computes.</param>
/// <param name="asked">What is asked.</param>
/// <param name="form">How it is written.</param>
/// <param name="metrics">Counts.</param>
/// <param name="time">For the time to the first text.</param>
internal sealed class Answering(Engine engine, AskedCompletion asked, IAnswerForm form, ServeMetrics metrics, TimeProvider time)
{
    private readonly Channel<(int Index, ContinuationPart Part)> _parts =
        Channel.CreateUnbounded<(int, ContinuationPart)>(new UnboundedChannelOptions { SingleReader = true });

    private readonly List<Continuation> _continuations = [];
    private readonly long _began = time.GetTimestamp();
    private int _ended;
    private bool _told;

    /// <summary>Answers.</summary>
    /// <exception cref="OperationCanceledException">Whoever asked has left, or it took too long.</exception>
    public async Task AnswerAsync(HttpContext context, CancellationToken cancellation)
    {
        Begin();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, engine.Broken);
        try
        {
            await (asked.Streams ? StreamAsync(context, either.Token) : SendWholeAsync(context, either.Token));
        }
        finally
        {
            _continuations.ForEach(continuation => continuation.Cancel());
        }
    }

    private void Begin()
    {
        foreach (var prompt in asked.Prompts)
        {
            Continuation? first = null;
            for (var i = 0; i < asked.Count; i++)
            {
                var index = _continuations.Count;
                var tokensMax = asked.Settings.TokensMax > 0 ? asked.Settings.TokensMax : engine.Served.LengthMax - prompt.Length;
                // Each continuation of a prompt draws from a seed of its own.
                var settings = asked.Settings with { TokensMax = tokensMax, Seed = unchecked(asked.Settings.Seed + (ulong)i) };
                var continuation = new Continuation(
                    new ContinuationRequest(prompt, settings, engine.Served.Ends, asked.Stops, asked.LikeliestCount),
                    part => _parts.Writer.TryWrite((index, part)), first);
                first ??= continuation;
                _continuations.Add(continuation);
            }
        }

        engine.Add(_continuations);
    }

    private async Task StreamAsync(HttpContext context, CancellationToken cancellation)
    {
        var stream = new EventStream(context);
        var begun = new bool[_continuations.Count];
        while (_ended < _continuations.Count)
        {
            foreach (var (index, part) in await NextAsync(cancellation))
            {
                form.AddPart(stream, index, part, !begun[index]);
                begun[index] = true;
            }

            await stream.FlushAsync(cancellation);
        }

        if (asked.TellsUsage)
        {
            form.AddUsage(stream, Usage());
        }

        stream.AddEnd();
        await stream.FlushAsync(cancellation);
    }

    private async Task SendWholeAsync(HttpContext context, CancellationToken cancellation)
    {
        var whole = _continuations.ConvertAll(_ => new Gathered());
        while (_ended < _continuations.Count)
        {
            foreach (var (index, part) in await NextAsync(cancellation))
            {
                whole[index].Add(part);
            }
        }

        await form.SendAsync(context, whole.ConvertAll(one => one.ToPart()), Usage());
    }

    // All that is ready, of each continuation as one part.
    private async Task<List<(int Index, ContinuationPart Part)>> NextAsync(CancellationToken cancellation)
    {
        var ready = new SortedDictionary<int, Gathered>();
        var next = await _parts.Reader.ReadAsync(cancellation);
        do
        {
            if (next.Part.End == ContinuationEnd.Cancelled)
            {
                throw ApiRefusal.Leaving();
            }

            _ended += next.Part.End is null ? 0 : 1;
            if (!ready.TryGetValue(next.Index, out var gathered))
            {
                ready.Add(next.Index, gathered = new Gathered());
            }

            gathered.Add(next.Part);
        }
        while (_parts.Reader.TryRead(out next));
        if (!_told)
        {
            _told = true;
            metrics.Began(time.GetElapsedTime(_began));
        }

        return [.. ready.Select(one => (one.Key, one.Value.ToPart()))];
    }

    private UsageView Usage()
    {
        // What several continuations share of a prompt is no favour of the cache: only the first of each counts.
        var (prompt, generated) = (asked.Prompts.Sum(one => one.Length), _continuations.Sum(one => one.Generated));
        var shared = _continuations.Where((_, index) => index % asked.Count == 0).Sum(one => one.Shared);
        return new UsageView(prompt, generated, prompt + generated, new PromptDetails(shared));
    }

    /// <summary>Parts as they add up.</summary>
    private sealed class Gathered
    {
        private readonly StringBuilder _text = new();
        private readonly List<LikelihoodAt> _likelihoods = [];
        private ContinuationEnd? _end;

        public void Add(ContinuationPart part)
        {
            _text.Append(part.Text);
            _likelihoods.AddRange(part.Likelihoods);
            _end = part.End;
        }

        public ContinuationPart ToPart() => new(_text.ToString(), _likelihoods, _end);
    }
}
