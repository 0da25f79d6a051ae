using Cairn.Data;
using Cairn.Model;

namespace Cairn.Inference;

/// <summary>Why a continuation ended.</summary>
public enum ContinuationEnd
{
    /// <summary>The model ended it, or a stop text came.</summary>
    Stop,

    /// <summary>It is as long as was asked for, or as the context.</summary>
    Length,

    /// <summary>Whoever asked wants no more.</summary>
    Cancelled,
}

/// <summary>A token with its probability.</summary>
/// <param name="Token">Its id.</param>
/// <param name="LogProbability">The natural logarithm of what the model gave it, before any setting of sampling.</param>
public readonly record struct TokenLikelihood(int Token, double LogProbability);

/// <summary>A generated token with what might have stood in its place.</summary>
/// <param name="Chosen">The token.</param>
/// <param name="Likeliest">The likeliest tokens at its place, the likeliest first.</param>
public sealed record LikelihoodAt(TokenLikelihood Chosen, IReadOnlyList<TokenLikelihood> Likeliest);

/// <summary>What has become ready of a continuation.</summary>
/// <param name="Text">Whole characters; empty while one or a stop text may be incomplete.</param>
/// <param name="Likelihoods">Of the tokens whose text begins here, where they were asked for.</param>
/// <param name="End">Null as long as it goes on.</param>
public readonly record struct ContinuationPart(string Text, IReadOnlyList<LikelihoodAt> Likelihoods, ContinuationEnd? End);

/// <summary>What is asked of a continuation.</summary>
/// <param name="Prompt">At least one token, each below the vocabulary.</param>
/// <param name="Settings">How tokens are chosen and how many at most, at least 1; its end token is not looked at.</param>
/// <param name="Ends">The tokens that end it; they are not handed out.</param>
/// <param name="Stops">Texts that end it; they are not handed out, wherever they are cut into tokens.</param>
/// <param name="LikeliestCount">How many of the likeliest tokens are told for each; null tells no probability at all.</param>
public sealed record ContinuationRequest(
    int[] Prompt, SamplingSettings Settings, IReadOnlySet<int> Ends, IReadOnlyList<string> Stops, int? LikeliestCount = null);

/// <summary>A text that a model continues for somebody.</summary>
/// <param name="request">What is asked.</param>
/// <param name="tell">Called by the thread that steps, with each part as it becomes ready; must not wait. The last part has an end.</param>
/// <param name="after">Another with the same prompt that is computed first, so that its pages can be shared; or null.</param>
public sealed class Continuation(ContinuationRequest request, Action<ContinuationPart> tell, Continuation? after = null)
{
    private volatile bool _cancelled;
    private volatile int _generated;
    private volatile int _shared;

    /// <summary>What is asked.</summary>
    public ContinuationRequest Request => request;

    /// <summary>Tokens generated, the end token not counted.</summary>
    public int Generated => _generated;

    /// <summary>Tokens of the prompt that were there already when it began.</summary>
    public int Shared => _shared;

    internal bool IsCancelled => _cancelled;

    internal Continuation? After => after;

    /// <summary>In which order they came.</summary>
    internal long Number { get; set; }

    /// <summary>Prompt and what was generated.</summary>
    internal List<int> Tokens { get; } = [.. request.Prompt];

    /// <summary>Its keys and values, while it has a place.</summary>
    internal CachedText? Text { get; set; }

    /// <summary>True once the prompt was computed, or never will be.</summary>
    internal bool IsUnderWay { get; set; }

    /// <summary>Tokens that are to be computed.</summary>
    internal int Pending => Tokens.Count - (Text?.Length ?? 0);

    /// <summary>True once it had a place.</summary>
    internal bool HasBegun => Sampler is not null;

    internal Sampler? Sampler { get; set; }

    internal StoppedText? Output { get; set; }

    /// <summary>Ends it at the next step; whoever calls need not be the thread that steps.</summary>
    public void Cancel() => _cancelled = true;

    internal void Begin(Tokenizer tokenizer, SamplingSpace space)
    {
        Sampler ??= new Sampler(request.Settings, space, request.Prompt);
        Output ??= new StoppedText(tokenizer, request.Stops);
    }

    internal void NoteShared(int count) => _shared = count;

    internal void Add(int token)
    {
        Tokens.Add(token);
        _generated++;
    }

    internal void Tell(ContinuationPart part) => tell(part);
}
