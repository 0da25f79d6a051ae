using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Base;

namespace Cairn.Node;

/// <summary>A finished cell.</summary>
/// <param name="Key">Everything it follows from: see <see cref="LabSetting.KeyOf"/>.</param>
/// <param name="Method">Which method.</param>
/// <param name="H">Inner steps per round; null for a method that communicates every step.</param>
/// <param name="Seed">Which seed.</param>
/// <param name="OuterSteps">Communications of the cell.</param>
/// <param name="LossFinal">Held-out loss at the end, nats per token; NaN if training diverged.</param>
/// <param name="BitsPerByteFinal">The same in bits per byte.</param>
/// <param name="BytesPerPeer">What one peer sent in all, in the mean over peers.</param>
/// <param name="Curve">Held-out loss over tokens, over fewer samples than the final one.</param>
/// <param name="Base">Digest of the parameters at the end.</param>
/// <param name="Seconds">Time it took; decides nothing.</param>
internal sealed record CellResult(
    string Key, string Method, int? H, ulong Seed, int OuterSteps, double LossFinal, double BitsPerByteFinal, double BytesPerPeer,
    IReadOnlyList<CurvePoint> Curve, string Base, double Seconds);

/// <summary>The finished cells of a folder, one JSON line each, durable as they come in: what a restart need not compute again.</summary>
internal sealed class CellFile : IDisposable
{
    private readonly FileStream _file;
    private readonly Dictionary<string, CellResult> _cells = new(StringComparer.Ordinal);

    /// <summary>Opens or creates the file; a line that was torn by the death of a process is cut off.</summary>
    /// <param name="path">Where; the folder exists.</param>
    /// <exception cref="InputException">It cannot be written.</exception>
    public CellFile(string path)
    {
        try
        {
            _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
            Read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Refusal(path, e);
        }
    }

    /// <summary>A cell that was finished earlier, or null.</summary>
    public CellResult? Find(string key) => _cells.GetValueOrDefault(key);

    /// <summary>Keeps a cell. For one caller at a time.</summary>
    /// <exception cref="InputException">The disk is full.</exception>
    public void Add(CellResult cell)
    {
        var start = _file.Position;
        try
        {
            _file.Write([.. JsonSerializer.SerializeToUtf8Bytes(cell, CellJson.Default.CellResult), (byte)'\n']);
            _file.Flush(flushToDisk: true);
        }
        catch (IOException e)
        {
            _file.SetLength(start);
            throw Refusal(_file.Name, e);
        }

        _cells[cell.Key] = cell;
    }

    public void Dispose() => _file.Dispose();

    private static InputException Refusal(string path, Exception e) =>
        new($"cannot write {path}: {e.Message} Free some space or choose another --out, then give the same command again.", e);

    // A line that cannot be read is a cell that is computed again.
    private void Read()
    {
        var bytes = new byte[_file.Length];
        _file.ReadExactly(bytes);
        var end = bytes.AsSpan().LastIndexOf((byte)'\n') + 1;
        _file.SetLength(end);
        _file.Position = end;
        for (var rest = bytes.AsSpan(0, end); rest.Length > 0;)
        {
            var length = rest.IndexOf((byte)'\n');
            if (TryParse(rest[..length]) is { Key: not null } cell)
            {
                _cells[cell.Key] = cell;
            }

            rest = rest[(length + 1)..];
        }
    }

    private static CellResult? TryParse(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, CellJson.Default.CellResult);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(CellResult))]
internal sealed partial class CellJson : JsonSerializerContext;
