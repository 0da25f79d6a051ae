using Cairn.Base;
using Cairn.Data;
using Cairn.Model;

namespace Cairn.Inference;

/// <summary>What a scheduler has done and is doing.</summary>
/// <param name="Running">Continuations with a place in the cache.</param>
/// <param name="Waiting">Continuations without one.</param>
/// <param name="PromptTokens">Tokens of prompts that were computed, those computed again included.</param>
/// <param name="SharedTokens">Tokens that another text had computed already.</param>
/// <param name="GeneratedTokens">Tokens generated.</param>
/// <param name="PutBack">How often a continuation lost its place to an older one.</param>
/// <param name="Steps">Passes over the model.</param>
/// <param name="FreeTokens">Tokens for which there is room in the cache.</param>
public sealed record SchedulerState(
    int Running, int Waiting, long PromptTokens, long SharedTokens, long GeneratedTokens, long PutBack, long Steps, int FreeTokens);

/// <summary>Continues many texts with one model: each step is one pass in which every running text gets its next token, and the prompts of new ones are read in
/// pieces beside them.
/// Who comes is let in between two steps, who has left makes room at the next.</summary>
/// <remarks>Places are given in the order of coming. Where the cache is full the newest loses its place, and what it had is computed again later: the oldest can
/// always go on, so everything ends. What a text becomes does not depend on any of this. No clock and no thread: one caller at a time steps.</remarks>
/// <param name="model">Used by this scheduler alone; stays the caller's.</param>
/// <param name="tokenizer">The model's.</param>
/// <param name="parallel">The most texts at once; 1 to 256.</param>
public sealed class Scheduler(BatchModel model, Tokenizer tokenizer, int parallel)
{
    private readonly List<Continuation> _running = [];
    private readonly List<Continuation> _waiting = [];
    private readonly List<BatchPiece> _pieces = [];
    private readonly List<Continuation> _planned = [];
    private readonly SamplingSpace _space = new(model.Shape.Vocabulary);
    private SchedulerState _state = new(0, 0, 0, 0, 0, 0, 0, model.FreeTokens);
    private long _number;

    /// <summary>As of the last step; may be read by any thread.</summary>
    public SchedulerState State => Volatile.Read(ref _state);

    /// <summary>The longest text, prompt and continuation together.</summary>
    public static int LengthMax(BatchModel model) => Math.Min(model.Context, model.CacheTokens);

    /// <summary>Finds that a request is one that can be continued; may be called by any thread, so that whoever made it hears of a fault, and not the thread that
    /// steps.</summary>
    /// <param name="request">Its prompt has at least one token, each below the model's vocabulary; with the most tokens it has at most <see cref="LengthMax"/>.</param>
    public void Check(ContinuationRequest request)
    {
        var (prompt, settings) = (request.Prompt, request.Settings);
        Invariant.Check(prompt.Length > 0 && settings.TokensMax > 0 && prompt.Length + (long)settings.TokensMax <= LengthMax(model));
        Invariant.Check(Array.TrueForAll(prompt, token => (uint)token < (uint)model.Shape.Vocabulary));
    }

    /// <summary>Takes a continuation in.</summary>
    /// <param name="continuation">New; what it asks passes <see cref="Check"/>.</param>
    public void Add(Continuation continuation)
    {
        Check(continuation.Request);
        continuation.Number = _number++;
        _waiting.Add(continuation);
    }

    /// <summary>Makes one pass.</summary>
    /// <returns>False if there was nothing to do.</returns>
    public bool Step()
    {
        DropCancelled();
        LetIn();
        Plan();
        if (_pieces.Count > 0)
        {
            model.Run([.. _pieces]);
            for (var i = 0; i < _pieces.Count; i++)
            {
                if (_pieces[i].WantsLogits)
                {
                    Advance(_planned[i], model.Logits(i));
                }
            }
        }

        Note(state => state with
        {
            Running = _running.Count,
            Waiting = _waiting.Count,
            Steps = state.Steps + Math.Sign(_pieces.Count),
            FreeTokens = model.FreeTokens,
        });
        return _pieces.Count > 0;
    }

    /// <summary>Ends everything.</summary>
    public void CancelAll()
    {
        foreach (var continuation in _running.Concat(_waiting).ToList())
        {
            End(continuation, "", [], ContinuationEnd.Cancelled);
        }
    }

    private void DropCancelled()
    {
        foreach (var continuation in _running.Concat(_waiting).Where(one => one.IsCancelled).ToList())
        {
            End(continuation, "", [], ContinuationEnd.Cancelled);
        }
    }

    private void LetIn()
    {
        while (_running.Count < parallel && _waiting.Find(one => one.After is null or { IsUnderWay: true }) is { } next)
        {
            var text = model.Open();
            var shared = model.Share(text, next.Tokens.ToArray());
            // Beside its own text, a page for each of the others: else it would be put back at once.
            var room = next.Tokens.Count - shared + (BatchModel.PageTokens * _running.Count);
            if (_running.Count > 0 && model.FreeTokens < room)
            {
                model.Close(text);
                return;
            }

            next.Text = text;
            if (!next.HasBegun)
            {
                // Who was put back finds above all what it has computed itself: that was no favour of another.
                next.NoteShared(shared);
                Note(state => state with { SharedTokens = state.SharedTokens + shared });
            }

            next.Begin(tokenizer, _space);
            _waiting.Remove(next);
            _running.Insert(_running.FindLastIndex(one => one.Number < next.Number) + 1, next);
        }
    }

    // The oldest first. Whoever has one token to compute gets its row in any case, prompts get what is left.
    private void Plan()
    {
        _pieces.Clear();
        _planned.Clear();
        var left = BatchModel.RowsMax - _running.Count(one => one.Pending == 1);
        for (var i = 0; i < _running.Count; i++)
        {
            var next = _running[i];
            var count = next.Pending == 1 ? 1 : Math.Min(left, next.Pending);
            if (count == 0)
            {
                continue;
            }

            if (!MakeRoom(next, count))
            {
                // It was the newest itself.
                return;
            }

            left -= next.Pending == 1 ? 0 : count;
            _pieces.Add(new BatchPiece(next.Text!, next.Tokens.GetRange(next.Text!.Length, count).ToArray(), count == next.Pending));
            _planned.Add(next);
            Note(state => state with { PromptTokens = state.PromptTokens + (next.Pending == 1 && next.IsUnderWay ? 0 : count) });
        }
    }

    private bool MakeRoom(Continuation next, int count)
    {
        while (!model.Reserve(next.Text!, count))
        {
            var newest = _running[^1];
            Invariant.Check(_running.Count > 1);
            model.Close(newest.Text!);
            newest.Text = null;
            _running.RemoveAt(_running.Count - 1);
            _waiting.Insert(_waiting.FindLastIndex(one => one.Number < newest.Number) + 1, newest);
            Note(state => state with { PutBack = state.PutBack + 1 });
            if (newest == next)
            {
                return false;
            }
        }

        return true;
    }

    private void Advance(Continuation one, ReadOnlySpan<float> logits)
    {
        one.IsUnderWay = true;
        var token = one.Sampler!.Choose(logits);
        var request = one.Request;
        if (request.Ends.Contains(token))
        {
            Finish(one, "", [], ContinuationEnd.Stop);
            return;
        }

        one.Add(token);
        Note(state => state with { GeneratedTokens = state.GeneratedTokens + 1 });
        var (text, likelihoods) = one.Output!.Append(token, request.LikeliestCount is { } count ? Likelihoods.Of(logits, token, count) : null);
        if (one.Output.IsStopped)
        {
            End(one, text, likelihoods, ContinuationEnd.Stop);
        }
        else if (one.Generated == request.Settings.TokensMax)
        {
            Finish(one, text, likelihoods, ContinuationEnd.Length);
        }
        else if (text.Length > 0 || likelihoods.Count > 0)
        {
            one.Tell(new ContinuationPart(text, likelihoods, null));
        }
    }

    private void Finish(Continuation one, string text, IReadOnlyList<LikelihoodAt> likelihoods, ContinuationEnd end)
    {
        var (rest, more) = one.Output!.Finish();
        End(one, text + rest, [.. likelihoods, .. more], one.Output.IsStopped ? ContinuationEnd.Stop : end);
    }

    private void End(Continuation one, string text, IReadOnlyList<LikelihoodAt> likelihoods, ContinuationEnd end)
    {
        if (one.Text is { } cached)
        {
            model.Close(cached);
            one.Text = null;
        }

        one.IsUnderWay = true;
        _ = _running.Remove(one) || _waiting.Remove(one);
        one.Tell(new ContinuationPart(text, likelihoods, end));
    }

    private void Note(Func<SchedulerState, SchedulerState> change) => Volatile.Write(ref _state, change(_state));
}
