using Cairn.Base;

namespace Cairn.Data;

/// <summary>Reads text as it comes, however much there is: what is in memory is one record, or one window of text.</summary>
internal static class StreamedText
{
    private const int RecordBytesMax = 64 << 20;
    private const int WindowBytes = 1 << 20;
    private const int PieceBytes = 64 << 10;

    /// <summary>The texts of JSON lines.</summary>
    /// <param name="path">Named in a refusal.</param>
    /// <param name="stream">Unpacked.</param>
    /// <param name="field">The field that holds the text.</param>
    public static IEnumerable<ReadOnlyMemory<byte>> Records(string path, Stream stream, string field)
    {
        var (buffer, line) = (new byte[WindowBytes], 0);
        // What is not read yet lies from start to filled; up to searched it holds no end of a line.
        var (start, searched, filled) = (0, 0, 0);
        for (var ended = false; !ended || filled > start;)
        {
            var length = buffer.AsSpan(searched, filled - searched).IndexOf((byte)'\n');
            if (length < 0 && !ended)
            {
                buffer = MakeRoom(path, line, buffer, start, filled);
                (searched, start, filled) = (filled - start, 0, filled - start);
                var read = ReadSome(path, stream, buffer.AsSpan(filled));
                (filled, ended) = (filled + read, read == 0);
                continue;
            }

            line++;
            var end = length < 0 ? filled : searched + length;
            var record = buffer.AsMemory(start, end - start);
            var json = line == 1 && record.Span.StartsWith("\uFEFF"u8) ? record[3..] : record;
            if (json.Span.IndexOfAnyExcept(" \t\r"u8) >= 0 && JsonRecords.ReadText(path, line, json.Span, field) is { Length: > 0 } text)
            {
                yield return text;
            }

            start = Math.Min(end + 1, filled);
            searched = start;
        }
    }

    // Once a window and not once a record: the rest is moved to the front, into a larger buffer if a record fills this one, and into a small one after a long record.
    private static byte[] MakeRoom(string path, int line, byte[] buffer, int start, int filled)
    {
        var rest = filled - start;
        if (rest > RecordBytesMax)
        {
            throw new InputException($"{path} line {line + 1} is longer than {RecordBytesMax} bytes: leave it out or cut it.");
        }

        var size = rest == buffer.Length ? 2 * buffer.Length : rest < WindowBytes ? WindowBytes : buffer.Length;
        var to = size == buffer.Length ? buffer : new byte[size];
        buffer.AsSpan(start, rest).CopyTo(to);
        return to;
    }

    /// <summary>Plain text in pieces, cut where <see cref="TextPieces"/> cuts.</summary>
    /// <param name="path">Named in a refusal.</param>
    /// <param name="stream">Unpacked.</param>
    public static IEnumerable<ReadOnlyMemory<byte>> Pieces(string path, Stream stream)
    {
        var (window, filled, ended, first) = (new byte[4 * PieceBytes], 0, false, true);
        while (!ended || filled > 0)
        {
            while (!ended && filled < window.Length)
            {
                var read = ReadSome(path, stream, window.AsSpan(filled));
                (filled, ended) = (filled + read, read == 0);
            }

            CheckWindow(path, window.AsSpan(0, filled), ended);
            // All but the last piece of a window stand whatever follows: a cut looks no further than twice a piece.
            var text = window.AsMemory(0, filled);
            var pieces = TextPieces.Cut(text, PieceBytes).ToList();
            var used = 0;
            foreach (var piece in ended ? pieces : pieces.SkipLast(1))
            {
                used += piece.Length;
                var whole = first && piece.Span.StartsWith("\uFEFF"u8) ? piece[3..] : piece;
                first = false;
                if (whole.Span.IndexOfAnyExcept(" \t\r\n"u8) >= 0)
                {
                    yield return Checked(path, whole.ToArray());
                }
            }

            window.AsSpan(used, filled - used).CopyTo(window);
            filled -= used;
        }
    }

    // Before it is cut between characters; the last one may not be whole yet.
    private static void CheckWindow(string path, ReadOnlySpan<byte> window, bool ended)
    {
        var end = window.Length;
        for (var back = 1; !ended && back <= Math.Min(3, window.Length); back++)
        {
            if (window[^back] >= 0xC0)
            {
                end = window.Length - back;
                break;
            }
        }

        if (!System.Text.Unicode.Utf8.IsValid(window[..end]))
        {
            throw new InputException($"{path} holds what is no UTF-8 text: convert it, or leave it out.");
        }
    }

    /// <summary>A text that is one.</summary>
    /// <exception cref="InputException">It is no UTF-8, or holds a zero.</exception>
    public static byte[] Checked(string path, byte[] text) =>
        !text.AsSpan().Contains((byte)0) && System.Text.Unicode.Utf8.IsValid(text) ? text
            : throw new InputException($"{path} holds what is no UTF-8 text: convert it, or leave it out.");

    private static int ReadSome(string path, Stream stream, Span<byte> buffer)
    {
        try
        {
            return stream.Read(buffer);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or ZstdSharp.ZstdException)
        {
            throw new InputException($"{path} cannot be read to its end: {e.Message} Fetch it again, or leave it out.", e);
        }
    }
}
