using System.Text.Json;

namespace Cairn.Web;

/// <summary>One line of an event log.</summary>
/// <param name="Time">When.</param>
/// <param name="Kind">What kind of event.</param>
/// <param name="Data">Its fields; good until the next line is read.</param>
/// <param name="Place">Where the line lies.</param>
internal readonly record struct EventLine(DateTimeOffset Time, string Kind, JsonElement Data, EventPlace Place);

/// <summary>Where a line lies, so that it can be read again instead of being kept.</summary>
/// <param name="Log">In which log.</param>
/// <param name="At">First byte.</param>
/// <param name="Length">Bytes.</param>
internal readonly record struct EventPlace(EventTail Log, long At, int Length);

/// <summary>Follows an event log from its first line; each byte is read once. The log decides nothing, so what cannot be understood is passed over.</summary>
internal sealed class EventTail(string path)
{
    /// <summary>Longer lines are passed over.</summary>
    public const int LineMax = 1 << 20;

    private const int WindowBytes = 1 << 18;
    private readonly Queue<(long At, byte[] Line)> _lines = [];
    private EventLine? _shown;
    private JsonDocument? _document;
    private long _at;
    private byte[] _begun = [];
    private bool _tooLong;

    /// <summary>The next line that can be understood, without taking it; null if there is none now.</summary>
    public EventLine? Peek()
    {
        while (_shown is null && (_lines.Count > 0 || FillWindow()))
        {
            if (_lines.TryDequeue(out var next))
            {
                _shown = Parse(next.Line, new EventPlace(this, next.At, next.Line.Length), out _document);
            }
        }

        return _shown;
    }

    /// <summary>Takes the line that <see cref="Peek"/> showed; its fields are gone then.</summary>
    public void Take()
    {
        _document?.Dispose();
        (_shown, _document) = (null, null);
    }

    /// <summary>Reads a line again.</summary>
    /// <param name="place">Where it lay.</param>
    /// <param name="document">Holds the fields; the caller's to dispose.</param>
    public EventLine? Again(EventPlace place, out JsonDocument? document)
    {
        var bytes = new byte[place.Length];
        document = null;
        return ReadAt(place.At, bytes) == bytes.Length ? Parse(bytes, place, out document) : null;
    }

    // A log that is shorter than what was read of it has been begun anew.
    private void NoticeNewFile()
    {
        try
        {
            if (File.Exists(path) && new FileInfo(path).Length < _at)
            {
                (_at, _begun, _tooLong) = (0, [], false);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Perhaps the next time.
        }
    }

    private static EventLine? Parse(byte[] bytes, EventPlace place, out JsonDocument? document)
    {
        document = null;
        try
        {
            document = JsonDocument.Parse(bytes);
            var root = document.RootElement;
            if (root.Instant("time") is { } time && root.Child("data") is { } data && data.Text("event") is { } kind)
            {
                return new EventLine(time, kind, data, place);
            }
        }
        catch (JsonException)
        {
            // A torn or a foreign line.
        }

        document?.Dispose();
        document = null;
        return null;
    }

    private bool FillWindow()
    {
        var window = new byte[WindowBytes];
        var read = ReadAt(_at + _begun.Length, window);
        if (read == 0)
        {
            NoticeNewFile();
            return false;
        }

        var rest = (ReadOnlySpan<byte>)window.AsSpan(0, read);
        while (rest.IndexOf((byte)'\n') is >= 0 and var end)
        {
            byte[] line = [.. _begun, .. rest[..end]];
            if (!_tooLong && line.Length is > 0 and <= LineMax)
            {
                _lines.Enqueue((_at, line));
            }

            _at += line.Length + 1;
            (_begun, _tooLong) = ([], false);
            rest = rest[(end + 1)..];
        }

        _begun = [.. _begun, .. rest];
        if (_begun.Length > LineMax)
        {
            // Forget what was read of it, and its rest when that comes.
            _at += _begun.Length;
            (_begun, _tooLong) = ([], true);
        }

        return true;
    }

    private int ReadAt(long at, Span<byte> bytes)
    {
        try
        {
            if (!File.Exists(path))
            {
                return 0;
            }

            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var read = 0;
            while (read < bytes.Length && RandomAccess.Read(file, bytes[read..], at + read) is > 0 and var got)
            {
                read += got;
            }

            return read;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
