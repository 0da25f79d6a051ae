namespace Cairn.Data;

/// <summary>Cuts long texts into documents, so that a part of even a single book can be held out and all cores can encode it.</summary>
internal static class TextPieces
{
    /// <summary>Cuts a text.</summary>
    /// <param name="text">Valid UTF-8.</param>
    /// <param name="pieceBytes">What a piece should have; a text below twice as much stays whole.</param>
    /// <returns>The text in order without a gap: cut after a blank line where there is one, else after a line, else after a space, else between characters.</returns>
    public static IEnumerable<ReadOnlyMemory<byte>> Cut(ReadOnlyMemory<byte> text, int pieceBytes)
    {
        while (text.Length >= 2 * pieceBytes)
        {
            var at = FindCut(text.Span[..(2 * pieceBytes)], pieceBytes);
            if (text.Length - at < pieceBytes / 2)
            {
                break;
            }

            yield return text[..at];
            text = text[at..];
        }

        yield return text;
    }

    // The window is twice a piece; the cut lies in its second half.
    private static int FindCut(ReadOnlySpan<byte> window, int pieceBytes)
    {
        for (var from = pieceBytes; from < window.Length;)
        {
            var found = window[from..].IndexOf((byte)'\n');
            if (found < 0)
            {
                break;
            }

            from += found + 1;
            var next = from < window.Length && window[from] == '\r' ? from + 1 : from;
            if (next < window.Length && window[next] == '\n')
            {
                return next + 1;
            }
        }

        var at = window[pieceBytes..].LastIndexOf((byte)'\n');
        at = at < 0 ? window[pieceBytes..].LastIndexOf((byte)' ') : at;
        if (at >= 0)
        {
            return pieceBytes + at + 1;
        }

        var end = window.Length - 1;
        while ((window[end] & 0xC0) == 0x80)
        {
            end--;
        }

        return end;
    }
}
