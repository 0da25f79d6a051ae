using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Base;

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
    /// <exception cref="InputException">The file cannot be written.</exception>
    public EventLog(string path, Action<RunEvent>? watch, TimeProvider? time = null)
    {
        _watch = watch;
        _time = time ?? TimeProvider.System;
        try
        {
            _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
            CutTornLine();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"cannot write {path}: {e.Message} Check that this user may write there.", e);
        }
    }

    /// <summary>Tells an event. Progress within a round is passed on but not written.</summary>
    /// <param name="happened">What happened.</param>
    public void Tell(RunEvent happened)
    {
        lock (_lock)
        {
            if (happened is not PeerTraining)
            {
                Append([.. JsonSerializer.SerializeToUtf8Bytes(new EventLine(_time.GetUtcNow(), happened), EventJson.Default.EventLine), (byte)'\n']);
            }

            _watch?.Invoke(happened);
        }
    }

    /// <summary>Reads a log from the beginning; a line that cannot be read is passed over: the log decides nothing.</summary>
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
                continue;
            }

            if (parsed is not null)
            {
                yield return parsed;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    // A whole line or none: what a full disk left of one is cut off again.
    private void Append(byte[] line)
    {
        var start = _file.Position;
        try
        {
            _file.Write(line);
        }
        catch (IOException e)
        {
            CutAt(start);
            throw new InputException($"cannot write {_file.Name}: {e.Message} Free some space, then go on with --resume.", e);
        }
    }

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

        CutAt(end);
    }

    private void CutAt(long end)
    {
        _file.SetLength(end);
        _file.Position = end;
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(EventLine))]
internal sealed partial class EventJson : JsonSerializerContext;
