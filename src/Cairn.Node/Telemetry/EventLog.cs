using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cairn.Node;

/// <summary>One line of the event log.</summary>
/// <param name="Time">When, UTC; for people, it decides nothing.</param>
/// <param name="Data">What.</param>
public sealed record EventLine(DateTimeOffset Time, RunEvent Data);

/// <summary>Appends events as JSON lines and passes them on to whoever watches. Safe from any thread; a torn last line of an earlier life is cut off.</summary>
public sealed class EventLog : IDisposable
{
    private readonly Lock _lock = new();
    private readonly FileStream _file;
    private readonly Action<RunEvent>? _watch;
    private readonly TimeProvider _time;

    /// <summary>Opens or creates the log.</summary>
    /// <param name="path">The file.</param>
    /// <param name="watch">Called for each event, in order; must be quick.</param>
    /// <param name="time">For the time stamps.</param>
    public EventLog(string path, Action<RunEvent>? watch, TimeProvider? time = null)
    {
        _watch = watch;
        _time = time ?? TimeProvider.System;
        _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, 1 << 14);
        CutTornLine();
    }

    /// <summary>Tells an event. Progress within a round is passed on but not written.</summary>
    /// <param name="happened">What happened.</param>
    public void Tell(RunEvent happened)
    {
        lock (_lock)
        {
            if (happened is not PeerTraining)
            {
                JsonSerializer.Serialize(_file, new EventLine(_time.GetUtcNow(), happened), EventJson.Default.EventLine);
                _file.WriteByte((byte)'\n');
                _file.Flush();
            }

            _watch?.Invoke(happened);
        }
    }

    /// <summary>Reads a log from the beginning; a line that cannot be read ends it.</summary>
    /// <param name="path">The file; may be missing.</param>
    public static IEnumerable<EventLine> Read(string path)
    {
        if (!File.Exists(path))
        {
            yield break;
        }

        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            EventLine? parsed;
            try
            {
                parsed = JsonSerializer.Deserialize(line, EventJson.Default.EventLine);
            }
            catch (JsonException)
            {
                yield break;
            }

            if (parsed is not null)
            {
                yield return parsed;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void CutTornLine()
    {
        var end = _file.Length;
        while (end > 0)
        {
            _file.Position = end - 1;
            if (_file.ReadByte() == '\n')
            {
                break;
            }

            end--;
        }

        _file.SetLength(end);
        _file.Position = end;
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(EventLine))]
internal sealed partial class EventJson : JsonSerializerContext;
