using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Base;
using Cairn.Simulation;

namespace Cairn.Cli.Attacks;

/// <summary>The finished runs of an attack table, one JSON line each, durable as they come in: what a restart need not compute again.</summary>
internal sealed class AttackFile : IDisposable
{
    private readonly FileStream _file;
    private readonly Dictionary<string, AttackResult> _known = new(StringComparer.Ordinal);

    /// <summary>Opens or creates the file; a line that was torn by the death of a process is cut off, and its run computed again.</summary>
    /// <param name="path">Where; the folder exists.</param>
    /// <exception cref="InputException">It cannot be written.</exception>
    public AttackFile(string path)
    {
        try
        {
            _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
            var bytes = new byte[_file.Length];
            _file.ReadExactly(bytes);
            var end = bytes.AsSpan().LastIndexOf((byte)'\n') + 1;
            _file.SetLength(end);
            _file.Position = end;
            foreach (var line in bytes.AsSpan(0, end).Split((byte)'\n'))
            {
                if (TryParse(bytes.AsSpan(line)) is { Key: not null, Case: not null } result)
                {
                    _known[result.Key] = result;
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"cannot write {path}: {e.Message} Free some space or choose another --out, then give the same command again.", e);
        }
    }

    /// <summary>A run that was finished earlier, or null.</summary>
    public AttackResult? Find(string key) => _known.GetValueOrDefault(key);

    /// <summary>Keeps a run. For one caller at a time.</summary>
    /// <exception cref="InputException">The disk is full.</exception>
    public void Add(AttackResult result)
    {
        var start = _file.Position;
        try
        {
            _file.Write([.. JsonSerializer.SerializeToUtf8Bytes(result, AttackJson.Default.AttackResult), (byte)'\n']);
            _file.Flush(flushToDisk: true);
        }
        catch (IOException e)
        {
            _file.SetLength(start);
            throw new InputException($"cannot write {_file.Name}: {e.Message} Free some space, then give the same command again.", e);
        }

        _known[result.Key] = result;
    }

    public void Dispose() => _file.Dispose();

    private static AttackResult? TryParse(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, AttackJson.Default.AttackResult);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>What <c>lab attacks --json</c> prints and results.json holds.</summary>
/// <param name="Setting">What all runs share.</param>
/// <param name="Rows">The table.</param>
internal sealed record AttackReport(AttackSetting Setting, IReadOnlyList<AttackRow> Rows);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(AttackResult))]
[JsonSerializable(typeof(AttackReport))]
internal sealed partial class AttackJson : JsonSerializerContext;
