using System.Diagnostics;
using Cairn.Base;
using Cairn.Data;
using Cairn.Formats;
using Cairn.Inference;
using Cairn.Model;

namespace Cairn.Web;

/// <summary>A model made ready to be served.</summary>
public sealed class ServedModel : IDisposable
{
    private readonly int _bytesPerTokenMax;

    private ServedModel(ModelFile file, string name, string version, BatchModel model, TimeSpan loading)
    {
        (Name, Version, Model, LoadTime) = (name, version, model, loading);
        (Tokenizer, Conversation, Ends, Generation) = (file.Tokenizer, Conversation.Of(file), Conversation.EndsOf(file), file.Generation);
        _bytesPerTokenMax = Enumerable.Range(0, Tokenizer.VocabularySize).Max(id => Tokenizer.BytesOf(id, keepSpecial: true).Length);
    }

    /// <summary>By which it is asked for.</summary>
    public string Name { get; }

    /// <summary>Which state of it this is, such as a checkpoint's; told with every answer.</summary>
    public string Version { get; }

    /// <summary>The model.</summary>
    public BatchModel Model { get; }

    /// <summary>How long it took to load.</summary>
    public TimeSpan LoadTime { get; }

    /// <summary>Where the way of speaking with it is from, in words.</summary>
    public string TemplateFrom => Conversation.From;

    /// <summary>The longest text in tokens, prompt and continuation together.</summary>
    public int LengthMax => Scheduler.LengthMax(Model);

    /// <summary>Ids of tokens that the model can read and write are below it; the tokenizer may know more.</summary>
    internal int Vocabulary => Model.Shape.Vocabulary;

    internal Tokenizer Tokenizer { get; }

    internal Conversation Conversation { get; }

    internal IReadOnlySet<int> Ends { get; }

    internal GenerationDefaults Generation { get; }

    /// <summary>Loads a model.</summary>
    /// <param name="file">Not needed afterwards.</param>
    /// <param name="name">By which it is asked for.</param>
    /// <param name="version">Which state of it this is.</param>
    /// <param name="options">How it is held.</param>
    /// <returns>The caller disposes it, or hands it to a server that does.</returns>
    /// <exception cref="InputException">The options do not fit the model, a number cannot be held so, or its chat template cannot be read.</exception>
    public static ServedModel Load(ModelFile file, string name, string version, BatchModelOptions options)
    {
        var clock = Stopwatch.StartNew();
        var model = BatchModel.Load(file, options);
        try
        {
            return new ServedModel(file, name, version, model, clock.Elapsed);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Model.Dispose();

    /// <summary>The tokens of a prompt that somebody composed whole: names of tokens in it become those tokens, and the one that begins texts comes first.</summary>
    internal int[] Encode(string prompt)
    {
        CheckLength(prompt.Length, "prompt");
        var ids = Tokenizer.Encode(prompt, allowSpecial: true);
        return Tokenizer.BosId is { } begin && (ids.Length == 0 || ids[0] != begin) ? [begin, .. ids] : OrBeginning(ids);
    }

    /// <summary>The tokens of a conversation; where its template makes nothing of it, those of an empty prompt.</summary>
    internal int[] Encode(IReadOnlyList<ChatMessage> messages, CancellationToken cancellation)
    {
        CheckLength(messages.Sum(message => (long)message.Content.Length), "messages");
        return OrBeginning(Conversation.Encode(messages, cancellation: cancellation));
    }

    /// <summary>Refuses a text that is too long whatever its tokens, before they are looked for.</summary>
    internal void CheckLength(long characters, string parameter)
    {
        // Every character has a byte at least.
        if (characters > (long)LengthMax * _bytesPerTokenMax)
        {
            throw ApiRefusal.TooLong(parameter, $"The longest text of this model has {LengthMax} tokens, and {characters} characters are more than that.");
        }
    }

    // Something has to stand before what is continued: the token that begins texts, or the one that ends the text before.
    private int[] OrBeginning(int[] ids) => ids.Length > 0 ? ids : [Tokenizer.BosId ?? Tokenizer.EosId];

    /// <summary>Refuses a prompt that the model cannot read: published tokenizers know more tokens than the model has rows for, where some were added without
    /// them.</summary>
    internal void CheckKnown(ReadOnlySpan<int> prompt, string parameter)
    {
        foreach (var id in prompt)
        {
            if ((uint)id >= (uint)Vocabulary)
            {
                throw ApiRefusal.Field(parameter, $"Token {id} of the prompt is none of this model's {Vocabulary}, though its tokenizer knows it.");
            }
        }
    }

    /// <summary>Refuses what does not fit.</summary>
    /// <param name="prompt">Tokens of the prompt.</param>
    /// <param name="tokensMax">Tokens wanted; 0 for as many as there is room.</param>
    /// <param name="parameter">The field of the prompt.</param>
    internal void CheckRoom(long prompt, int tokensMax, string parameter)
    {
        if (prompt + Math.Max(1, tokensMax) > LengthMax)
        {
            throw ApiRefusal.TooLong(parameter, $"The longest text of this model has {LengthMax} tokens: the prompt has {prompt}" +
                (tokensMax > 0 ? $" and {tokensMax} more are asked for." : ", which leaves no room for a continuation."));
        }
    }
}
