namespace Cairn.Data;

/// <summary>Why a document was left out.</summary>
public enum Loss
{
    /// <summary>It was not.</summary>
    None = 0,

    /// <summary>Too few words.</summary>
    Short = 1,

    /// <summary>Too many bytes.</summary>
    Long = 2,

    /// <summary>Its words are too short or too long on average to be words.</summary>
    Words = 3,

    /// <summary>Too little of it is letters.</summary>
    Symbols = 4,

    /// <summary>Too much of it was said before in the same document.</summary>
    Repetition = 5,

    /// <summary>The same words in the same order were there before.</summary>
    Exact = 6,

    /// <summary>Most of its runs of words were there before, in one document.</summary>
    Near = 7,
}

/// <summary>Simple rules of form, after those of Gopher (arXiv:2112.11446, A.1.1): lengths, symbols, repetition. What they leave out is counted by rule.</summary>
/// <remarks>Made for text whose words are parted by blanks; letters are those of ASCII and every byte beyond it, so that other scripts pass.</remarks>
public sealed record TextFilter
{
    /// <summary>Fewest words.</summary>
    public int WordsMin { get; init; } = 20;

    /// <summary>Most bytes.</summary>
    public int BytesMax { get; init; } = 1 << 20;

    /// <summary>Fewest bytes of a word on average.</summary>
    public double WordBytesMin { get; init; } = 3;

    /// <summary>Most bytes of a word on average: scripts of three bytes a letter have room.</summary>
    public double WordBytesMax { get; init; } = 30;

    /// <summary>The least part of all bytes but blanks that are letters or digits.</summary>
    public double LettersMin { get; init; } = 0.7;

    /// <summary>The largest part of its runs of five words that occurred earlier in the document.</summary>
    public double RepeatedMax { get; init; } = 0.3;

    /// <summary>Judges one document.</summary>
    /// <param name="text">UTF-8.</param>
    /// <param name="words">Its words.</param>
    public Loss Judge(ReadOnlySpan<byte> text, WordRuns words)
    {
        if (text.Length > BytesMax)
        {
            return Loss.Long;
        }

        if (words.Count < WordsMin)
        {
            return Loss.Short;
        }

        var average = (double)words.Bytes / words.Count;
        if (average < WordBytesMin || average > WordBytesMax)
        {
            return Loss.Words;
        }

        var blanks = 0L;
        foreach (var value in text)
        {
            blanks += value is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n' ? 1 : 0;
        }

        return words.Bytes < LettersMin * (text.Length - blanks) ? Loss.Symbols : words.RepeatedPart() > RepeatedMax ? Loss.Repetition : Loss.None;
    }
}
