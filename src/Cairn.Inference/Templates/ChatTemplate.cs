using Cairn.Base;

namespace Cairn.Inference;

/// <summary>One turn of a conversation.</summary>
/// <param name="Role">Who speaks: system, user, assistant, or what else the template knows.</param>
/// <param name="Content">What is said.</param>
public sealed record ChatMessage(string Role, string Content);

/// <summary>How a conversation becomes one text, in the part of the language of Jinja that published templates use (docs/serving.md names it).</summary>
/// <remarks>A template comes from whoever published the model. It reaches nothing but the conversation, and steps, depth, and what it reads and writes are bounded.
/// Immutable; safe to use from many threads at once.</remarks>
public sealed class ChatTemplate
{
    private const int SourceMax = 1 << 20;

    private readonly IReadOnlyList<TemplateStatement> _statements;

    private ChatTemplate(string source) => _statements = TemplateParser.Parse(source);

    /// <summary>Reads a template.</summary>
    /// <param name="source">From anywhere.</param>
    /// <exception cref="InputException">It is not a template of the known kind; the message names the line.</exception>
    public static ChatTemplate Parse(string source) =>
        source.Length <= SourceMax ? new(source) : throw new InputException($"the chat template cannot be used: it has {source.Length} characters, {SourceMax} are read");

    /// <summary>Makes one text of a conversation.</summary>
    /// <param name="messages">Its turns, in order.</param>
    /// <param name="addGenerationPrompt">True to end with the beginning of the assistant's turn.</param>
    /// <param name="beginName">The name of the token that begins a text; empty if there is none.</param>
    /// <param name="endName">The name of the token that ends one.</param>
    /// <param name="cancellation">Ends it soon: between two looks at it there is work for some millions of characters at most.</param>
    /// <exception cref="InputException">The template refuses the conversation (roles that do not take turns, for example), or does not come to an end.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public string Render(
        IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt, string beginName, string endName, CancellationToken cancellation = default)
    {
        var turns = messages.Select(message =>
        {
            var turn = new TemplateMap { ["role"] = message.Role, ["content"] = message.Content };
            return (object?)turn;
        }).ToList();
        return Render(new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["messages"] = turns,
            ["add_generation_prompt"] = addGenerationPrompt,
            ["bos_token"] = beginName,
            ["eos_token"] = endName,
        }, cancellation);
    }

    private string Render(Dictionary<string, object?> values, CancellationToken cancellation)
    {
        foreach (var (name, function) in TemplateFunctions.All)
        {
            values[name] = function;
        }

        var run = new TemplateRun(values, cancellation);
        TemplateStatement.ExecuteAll(run, _statements);
        return run.Output;
    }
}
