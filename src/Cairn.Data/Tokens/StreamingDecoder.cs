using System.Text;

namespace Cairn.Data;

/// <summary>Turns ids into text one by one as a model speaks, holding back the bytes of a character that is not yet complete.</summary>
public sealed class StreamingDecoder
{
    private readonly Tokenizer _tokenizer;
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();

    /// <summary>Begins with nothing held back.</summary>
    /// <param name="tokenizer">The tokenizer of the ids.</param>
    public StreamingDecoder(Tokenizer tokenizer)
    {
        _tokenizer = tokenizer;
    }

    /// <summary>Adds an id.</summary>
    /// <param name="id">Below the size of the vocabulary; special tokens add nothing.</param>
    /// <returns>The text that is now complete, often one piece of a word; empty inside a character of several bytes.</returns>
    public string Append(int id) => Convert(_tokenizer.BytesOf(id, keepSpecial: false), flush: false);

    /// <summary>Ends the text.</summary>
    /// <returns>U+FFFD if an incomplete character was held back, else nothing.</returns>
    public string Finish() => Convert(default, flush: true);

    private string Convert(ReadOnlySpan<byte> bytes, bool flush)
    {
        var characters = new char[_utf8.GetCharCount(bytes, flush)];
        var count = _utf8.GetChars(bytes, characters, flush);
        return new string(characters, 0, count);
    }
}
