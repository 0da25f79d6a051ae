using System.Runtime.CompilerServices;

namespace Cairn.Data;

/// <summary>Cuts text into the pieces ("words") inside which byte pairs merge. No token ever spans two of them.</summary>
/// <remarks>The pattern is the one of Llama 3 (digits in groups of up to three) or Qwen 2 (digits one by one), read left to right, first alternative that
/// matches:
/// <list type="number">
/// <item>an English contraction ('s 't 're 've 'm 'll 'd, any case);</item>
/// <item>letters, with at most one character before them that is no letter, number or line end (as a rule the space);</item>
/// <item>up to three (or one) numbers;</item>
/// <item>others (no letter, number or white space), with at most one space before them and any line ends after;</item>
/// <item>white space up to its last line end;</item>
/// <item>white space except its last character if text follows;</item>
/// <item>white space.</item>
/// </list>
/// It is scanned by hand: a regular expression engine is some ten times slower and cannot read invalid UTF-8.</remarks>
internal sealed class PreTokenizer
{
    private const string Head = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|";
    private const string Tail = @"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private readonly int _numbersMax;
    private readonly bool _plain;

    private PreTokenizer(string pattern, int numbersMax, bool plain = false)
    {
        Pattern = pattern;
        _numbersMax = numbersMax;
        _plain = plain;
    }

    /// <summary>As in GPT-2, which is older: only a space joins what follows it, numbers are as long as they are, a line end is a space like others, and contractions
    /// are written small.</summary>
    public static PreTokenizer Plain { get; } =
        new(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", int.MaxValue, plain: true);

    /// <summary>Numbers in groups of up to three (Llama 3): the pattern that is trained here.</summary>
    public static PreTokenizer Threes { get; } = new(Head + @"\p{N}{1,3}" + Tail, 3);

    /// <summary>Numbers one by one (Qwen 2).</summary>
    public static PreTokenizer Ones { get; } = new(Head + @"\p{N}" + Tail, 1);

    /// <summary>The same pattern as a regular expression, as tokenizer.json declares it.</summary>
    public string Pattern { get; }

    /// <summary>The scanner of a declared pattern.</summary>
    /// <param name="pattern">From tokenizer.json.</param>
    /// <returns>Null for a pattern that is not scanned here.</returns>
    public static PreTokenizer? ForPattern(string? pattern) =>
        pattern == Threes.Pattern ? Threes : pattern == Ones.Pattern ? Ones : pattern == Plain.Pattern ? Plain : null;

    /// <summary>The scanner of a family of byte tokens.</summary>
    /// <param name="family">Not <see cref="TokenizerFamily.SentencePiece"/>.</param>
    public static PreTokenizer For(TokenizerFamily family) =>
        family == TokenizerFamily.Gpt2 ? Plain : family == TokenizerFamily.Llama3 ? Threes : Ones;

    /// <summary>The family that cuts text in this way.</summary>
    public TokenizerFamily Family => _plain ? TokenizerFamily.Gpt2 : _numbersMax == 3 ? TokenizerFamily.Llama3 : TokenizerFamily.Qwen2;

    /// <summary>Where the word that begins at a place ends.</summary>
    /// <param name="text">Any bytes.</param>
    /// <param name="start">A place inside the text at which a word begins.</param>
    /// <returns>The place after it, beyond <paramref name="start"/>.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public int End(ReadOnlySpan<byte> text, int start)
    {
        var kind = CharacterClass.At(text, start, out var length);
        var at = start + length;
        if (_plain)
        {
            return PlainEnd(text, start, at, kind);
        }

        switch (kind)
        {
            case CharacterKind.Letter:
                return EndOfLetters(text, at);
            case CharacterKind.Number:
                return EndOfNumbers(text, at);
            case CharacterKind.LineEnd:
                return EndOfSpaces(text, start);
        }

        var next = at < text.Length ? CharacterClass.At(text, at, out length) : CharacterKind.LineEnd;
        if (kind == CharacterKind.Other)
        {
            var contraction = text[start] == '\'' ? Contraction(text, at) : 0;
            return contraction > 0 ? at + contraction : next == CharacterKind.Letter ? EndOfLetters(text, at + length) : EndOfOthers(text, at);
        }

        return next == CharacterKind.Letter ? EndOfLetters(text, at + length)
            : next == CharacterKind.Other && text[start] == ' ' ? EndOfOthers(text, at)
            : EndOfSpaces(text, start);
    }

    private static int PlainEnd(ReadOnlySpan<byte> text, int start, int at, CharacterKind kind)
    {
        // Small letters alone; the long s, which folds to s, is none of them.
        if (text[start] == '\'' && at < text.Length && text[at] is >= (byte)'a' and <= (byte)'z' && Contraction(text, at) is > 0 and var contraction
            && (contraction == 1 || text[at + 1] is >= (byte)'a' and <= (byte)'z'))
        {
            return at + contraction;
        }

        if (text[start] == ' ' && at < text.Length)
        {
            kind = CharacterClass.At(text, at, out _);
        }

        if (kind is not (CharacterKind.Space or CharacterKind.LineEnd))
        {
            return EndOfKind(text, at, kind);
        }

        var (last, end) = (start, start);
        while (end < text.Length && CharacterClass.At(text, end, out var length) is CharacterKind.Space or CharacterKind.LineEnd)
        {
            last = end;
            end += length;
        }

        return end == text.Length || last == start ? end : last;
    }

    private static int EndOfKind(ReadOnlySpan<byte> text, int at, CharacterKind kind)
    {
        while (at < text.Length && CharacterClass.At(text, at, out var length) == kind)
        {
            at += length;
        }

        return at;
    }

    private static int EndOfLetters(ReadOnlySpan<byte> text, int at)
    {
        while (at < text.Length && CharacterClass.At(text, at, out var length) == CharacterKind.Letter)
        {
            at += length;
        }

        return at;
    }

    private int EndOfNumbers(ReadOnlySpan<byte> text, int at)
    {
        for (var count = 1; count < _numbersMax && at < text.Length && CharacterClass.At(text, at, out var length) == CharacterKind.Number; count++)
        {
            at += length;
        }

        return at;
    }

    private static int EndOfOthers(ReadOnlySpan<byte> text, int at)
    {
        while (at < text.Length && CharacterClass.At(text, at, out var length) == CharacterKind.Other)
        {
            at += length;
        }

        while (at < text.Length && text[at] is (byte)'\r' or (byte)'\n')
        {
            at++;
        }

        return at;
    }

    private static int EndOfSpaces(ReadOnlySpan<byte> text, int start)
    {
        var (at, last, lineEnd) = (start, start, -1);
        while (at < text.Length)
        {
            var kind = CharacterClass.At(text, at, out var length);
            if (kind is not (CharacterKind.Space or CharacterKind.LineEnd))
            {
                break;
            }

            last = at;
            at += length;
            lineEnd = kind == CharacterKind.LineEnd ? at : lineEnd;
        }

        return lineEnd > 0 ? lineEnd : at == text.Length || last == start ? at : last;
    }

    // Length of a contraction after its apostrophe. U+017F (long s) folds to s without regard to case, as in the regular expression.
    private static int Contraction(ReadOnlySpan<byte> text, int at)
    {
        if (at >= text.Length)
        {
            return 0;
        }

        var first = text[at] | 0x20;
        if (first is 's' or 't' or 'm' or 'd')
        {
            return 1;
        }

        if (at + 1 >= text.Length)
        {
            return 0;
        }

        var second = text[at + 1];
        return (first, second | 0x20) is ('r', 'e') or ('v', 'e') or ('l', 'l') || (text[at], second) is (0xC5, 0xBF) ? 2 : 0;
    }
}
