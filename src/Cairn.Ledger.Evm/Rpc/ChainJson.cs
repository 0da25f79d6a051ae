using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;
using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>Values as nodes of EVM chains write them in JSON: numbers and bytes as hexadecimal text. Anything else is a fault of the node.</summary>
internal static class ChainJson
{
    private const int DepthMax = 32;

    /// <summary>What a node says, read once: afterwards every text and every name in it can be asked for. (The reader of the platform takes halves of characters and
    /// bytes that are no UTF-8, and fails only where somebody looks.)</summary>
    /// <param name="said">Hostile bytes are fine.</param>
    /// <exception cref="JsonException">It is no JSON, too deep, or holds a text that is none.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> said)
    {
        if (!Utf8.IsValid(said.Span))
        {
            throw new JsonException("no UTF-8");
        }

        var reader = new Utf8JsonReader(said.Span, new JsonReaderOptions { MaxDepth = DepthMax });
        while (reader.Read())
        {
            if (!reader.ValueIsEscaped)
            {
                continue;
            }

            try
            {
                reader.GetString();
            }
            catch (InvalidOperationException e)
            {
                throw new JsonException("half a character", e);
            }
        }

        return JsonDocument.Parse(said, new JsonDocumentOptions { MaxDepth = DepthMax });
    }

    public static string Of(ulong number) => $"0x{number:x}";

    public static string Of(UInt128 number) => $"0x{number:x}";

    public static string Of(ReadOnlySpan<byte> bytes) => "0x" + Convert.ToHexStringLower(bytes);

    public static bool TryBytes(JsonElement element, int max, out byte[] bytes)
    {
        bytes = [];
        if (element.ValueKind != JsonValueKind.String || element.GetString() is not { } text || !text.StartsWith("0x", StringComparison.Ordinal) ||
            text.Length % 2 != 0 || (text.Length / 2) - 1 > max)
        {
            return false;
        }

        bytes = new byte[(text.Length / 2) - 1];
        return Convert.FromHexString(text.AsSpan(2), bytes, out _, out _) == System.Buffers.OperationStatus.Done;
    }

    public static byte[] Bytes(JsonElement element, int max, string what) => TryBytes(element, max, out var bytes) ? bytes : throw Bad(what);

    public static Digest Word(JsonElement element, string what) =>
        TryBytes(element, Digest.Size, out var bytes) && bytes.Length == Digest.Size ? new Digest(bytes) : throw Bad(what);

    public static EvmAddress Address(JsonElement element, string what) =>
        TryBytes(element, EvmAddress.Size, out var bytes) && bytes.Length == EvmAddress.Size ? new EvmAddress(bytes) : throw Bad(what);

    public static UInt128 Number(JsonElement element, string what) =>
        element.ValueKind == JsonValueKind.String && element.GetString() is { Length: > 2 and <= 34 } text && text.StartsWith("0x", StringComparison.Ordinal) &&
        UInt128.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            ? value : throw Bad(what);

    public static ulong UInt64(JsonElement element, string what) => Number(element, what) is var value && value <= ulong.MaxValue ? (ulong)value : throw Bad(what);

    public static JsonElement Field(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var field) ? field : throw Bad(name);

    public static ChainFaultException Bad(string what) => new(
        ChainFaultKind.BadAnswer, $"a node of the chain answers with something else than it was asked for ({what})");
}
