using System.Text;
using Cairn.Base;
using Cairn.Data;
using Cairn.Formats;

namespace Cairn.Inference;

/// <summary>How one speaks with a model: turns become tokens by its own template, or where it has none by a plain one.</summary>
/// <remarks>Whatever somebody says stays words: the name of a token in it, such as the end of a turn, never becomes that token. Immutable; safe to use from many
/// threads at once.</remarks>
public sealed class Conversation
{
    private const string ChatMl =
        "{{ bos_token }}{% for message in messages %}{{ '<|im_start|>' ~ message.role ~ '\n' ~ message.content ~ '<|im_end|>\n' }}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    private const string Plain =
        "{{ bos_token }}{% for message in messages %}{{ message.content if message.role == 'system' else message.role | capitalize ~ ': ' ~ message.content }}"
        + "{{ '\n' }}{% endfor %}"
        + "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}";

    // No character of any text: Unicode keeps it free for uses such as this.
    private const char Barrier = '\uFDD0';

    // The tokens that end a turn in published templates; of a model's vocabulary those end its answers that it has.
    private static readonly string[] EndsOfTurn =
        ["<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<end_of_turn>", "<|end|>", "<|end_of_turn|>", "<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>"];

    private readonly Tokenizer _tokenizer;
    private readonly ChatTemplate _template;
    private readonly string _begin;

    private Conversation(Tokenizer tokenizer, string source, string from)
    {
        (_tokenizer, _template, From) = (tokenizer, ChatTemplate.Parse(source), from);
        _begin = tokenizer.BosId is { } begin ? Encoding.UTF8.GetString(tokenizer.BytesOf(begin, keepSpecial: true)) : "";
    }

    /// <summary>Whose template it is, in words.</summary>
    public string From { get; }

    /// <summary>Texts that end an answer where the model has no token for it.</summary>
    public IReadOnlyList<string> Stops { get; private init; } = [];

    /// <summary>Finds out how one speaks with a model.</summary>
    /// <param name="file">The model.</param>
    /// <exception cref="InputException">It has a template that cannot be read.</exception>
    public static Conversation Of(ModelFile file) => Of(file.Tokenizer, file.ChatTemplate);

    /// <summary>The tokens that end a text of a model or a turn in it.</summary>
    /// <param name="file">The model.</param>
    public static IReadOnlySet<int> EndsOf(ModelFile file)
    {
        var ends = new HashSet<int>(file.Generation.OtherEnds) { file.Tokenizer.EosId };
        if (file.Generation.EndToken is { } end)
        {
            ends.Add(end);
        }

        ends.UnionWith(EndsOfTurn.Select(file.Tokenizer.SpecialId).Where(id => id >= 0));
        return ends;
    }

    /// <summary>The tokens of a conversation.</summary>
    /// <param name="messages">At least one turn.</param>
    /// <param name="addGenerationPrompt">True to end with the beginning of the assistant's turn.</param>
    /// <param name="cancellation">Ends the work of the template.</param>
    /// <exception cref="InputException">The template refuses the conversation.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public int[] Encode(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt = true, CancellationToken cancellation = default)
    {
        var end = Encoding.UTF8.GetString(_tokenizer.BytesOf(_tokenizer.EosId, keepSpecial: true));
        var turns = messages.Select(message => new ChatMessage(_tokenizer.Break(message.Role, Barrier), _tokenizer.Break(message.Content, Barrier))).ToList();
        return _tokenizer.EncodeComposed(_template.Render(turns, addGenerationPrompt, _begin, end, cancellation), Barrier);
    }

    internal static Conversation Of(Tokenizer tokenizer, string? template) =>
        template is not null ? new Conversation(tokenizer, template, "the model's own template")
        : tokenizer.SpecialId("<|im_start|>") >= 0 && tokenizer.SpecialId("<|im_end|>") >= 0
            ? new Conversation(tokenizer, ChatMl, "ChatML's template, as the model has its tokens and none of its own")
        : new Conversation(tokenizer, Plain, "a plain template, as the model has none of its own") { Stops = ["\nUser:"] };
}
