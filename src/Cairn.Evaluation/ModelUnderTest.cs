using Cairn.Base;
using Cairn.Compute;
using Cairn.Data;
using Cairn.Model;

namespace Cairn.Evaluation;

/// <summary>A model that is being examined.</summary>
public sealed class ModelUnderTest : IDisposable
{
    private readonly Tokenizer _tokenizer;
    private readonly LikelihoodScorer _scorer;
    private readonly Generator _generator;

    /// <summary>Takes the working memory.</summary>
    /// <param name="parameters">The model; stays the caller's.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="kernels">Computes; stays the caller's.</param>
    public ModelUnderTest(Parameters parameters, Tokenizer tokenizer, IKernels kernels)
    {
        _tokenizer = tokenizer;
        _scorer = new LikelihoodScorer(parameters, kernels);
        _generator = new Generator(parameters, kernels);
    }

    /// <summary>Scores a text.</summary>
    /// <param name="name">Of the text.</param>
    /// <param name="text">UTF-8, not empty.</param>
    /// <param name="progress">Told how many windows are done.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="InputException">A token has no row of the embedding.</exception>
    public TextScore Score(string name, ReadOnlySpan<byte> text, IProgress<int>? progress = null, CancellationToken cancellation = default) =>
        TextScore.Of(_scorer, _tokenizer, name, text, progress, cancellation);

    /// <summary>Answers a task.</summary>
    /// <param name="task">The questions.</param>
    /// <param name="examples">Text before each question: the task's description and examples with their answers.</param>
    /// <param name="progress">Told how many answers are scored or given.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="InputException">A token has no row of the embedding.</exception>
    public TaskScore Score(EvaluationTask task, FewShot examples, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        var texts = new List<ScoredText>();
        for (var i = 0; i < task.Items.Count; i++)
        {
            if (task.Items[i] is ChoiceItem item)
            {
                var before = examples.Before(task, i);
                texts.AddRange(item.Choices.Select(choice => ScoredText.Of(_tokenizer, before + choice.Context, choice.Continuation)));
            }
        }

        var likelihoods = _scorer.Score(texts, progress, cancellation);
        var (scores, next, answered) = (new List<ItemScore>(), 0, texts.Count);
        for (var i = 0; i < task.Items.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            switch (task.Items[i])
            {
                case ChoiceItem item:
                    scores.Add(Marked(item, likelihoods[next..(next + item.Choices.Count)]));
                    next += item.Choices.Count;
                    break;
                case OpenItem item:
                    var answer = Answer(examples.Before(task, i) + item.Prompt, item);
                    scores.Add(new ItemScore(item.Id, item.Judge(answer), null, null, answer));
                    progress?.Report(++answered);
                    break;
            }
        }

        return new TaskScore(task.Name, scores);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _scorer.Dispose();
        _generator.Dispose();
    }

    // Of equally likely answers the first counts, as in the harness.
    private static ItemScore Marked(ChoiceItem item, double[] likelihoods)
    {
        var perCharacter = likelihoods.Select((one, i) => one / item.Choices[i].Length).ToArray();
        List<Mark> marks = [new("acc", IsRight(likelihoods, item.Gold))];
        if (item.IsNormed)
        {
            marks.Add(new Mark("acc_norm", IsRight(perCharacter, item.Gold)));
        }

        return new ItemScore(item.Id, marks, likelihoods, item.Gold, null);
    }

    private static double IsRight(double[] measures, int gold) => Array.IndexOf(measures, measures.Max()) == gold ? 1 : 0;

    private string Answer(string prompt, OpenItem item)
    {
        var text = new System.Text.StringBuilder();
        var decoder = new StreamingDecoder(_tokenizer);
        var greedy = new SamplingSettings(Temperature: 0, TopP: 1, item.TokensMax, Seed: 0, _tokenizer.EosId);
        // As much of its end as leaves room for the answer; half of the context at least.
        var (ids, context) = (_tokenizer.Encode(prompt), _scorer.Context);
        var room = Math.Max(context - item.TokensMax, context / 2);
        foreach (var id in _generator.Generate(ids.Length > room ? ids[^room..] : ids, greedy))
        {
            text.Append(decoder.Append(id));
            if (EndOf(text.ToString(), item.Stops) is { } end)
            {
                return text.ToString(0, end);
            }
        }

        text.Append(decoder.Finish());
        return text.ToString(0, EndOf(text.ToString(), item.Stops) ?? text.Length);
    }

    private static int? EndOf(string text, IReadOnlyList<string> stops)
    {
        var ends = stops.Select(stop => text.IndexOf(stop, StringComparison.Ordinal)).Where(at => at >= 0).ToArray();
        return ends.Length > 0 ? ends.Min() : null;
    }
}
