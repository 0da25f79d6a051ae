using System.Globalization;
using System.Text.Json;

namespace Cairn.Web;

/// <summary>The fields of a request, each read with its bounds: what is wrong is refused with the field's name.</summary>
/// <param name="root">The body; must outlive this.</param>
internal readonly struct RequestFields(JsonElement root)
{
    /// <summary>A text, or null.</summary>
    public string? Text(string name) => Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString()
        : throw ApiRefusal.Field(name, $"'{name}' must be a text.");

    /// <summary>True or false.</summary>
    public bool Flag(string name) => Find(name) is { } value && (value.ValueKind is JsonValueKind.True or JsonValueKind.False
        ? value.GetBoolean() : throw ApiRefusal.Field(name, $"'{name}' must be true or false."));

    /// <summary>A whole number within bounds, or null.</summary>
    public int? Whole(string name, int least, int most) => Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= least && number <= most ? number
        : throw ApiRefusal.Field(name, $"'{name}' must be a whole number from {least} to {most}.");

    /// <summary>A number within bounds, or null.</summary>
    public double? Number(string name, double least, double most) => Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number >= least && number <= most ? number
        : throw ApiRefusal.Field(name, string.Create(CultureInfo.InvariantCulture, $"'{name}' must be a number from {least} to {most}."));

    /// <summary>Any whole number of 64 bits, or null.</summary>
    public ulong? Seed(string name) => Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? (ulong)number
        : value.ValueKind == JsonValueKind.Number && value.TryGetUInt64(out var large) ? large
        : throw ApiRefusal.Field(name, $"'{name}' must be a whole number.");

    /// <summary>One text or a list of texts.</summary>
    public IReadOnlyList<string> Texts(string name, int countMax, int lengthMax)
    {
        var texts = Find(name) switch
        {
            null => [],
            { ValueKind: JsonValueKind.String } one => [one.GetString()!],
            { ValueKind: JsonValueKind.Array } many when many.GetArrayLength() <= countMax && many.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String) =>
                many.EnumerateArray().Select(item => item.GetString()!).ToList(),
            _ => throw ApiRefusal.Field(name, $"'{name}' must be a text or a list of at most {countMax} texts."),
        };
        return texts.TrueForAll(text => text.Length > 0 && text.Length <= lengthMax) ? texts
            : throw ApiRefusal.Field(name, $"Each text of '{name}' must have 1 to {lengthMax} characters.");
    }

    /// <summary>Numbers by token.</summary>
    public IReadOnlyDictionary<int, double> Biases(string name, int vocabulary)
    {
        var biases = new Dictionary<int, double>();
        if (Find(name) is not { } value)
        {
            return biases;
        }

        foreach (var entry in value.ValueKind == JsonValueKind.Object ? value.EnumerateObject() : throw ApiRefusal.Field(name, $"'{name}' must be numbers by token id."))
        {
            if (!int.TryParse(entry.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var token) || token >= vocabulary
                || entry.Value.ValueKind != JsonValueKind.Number || !entry.Value.TryGetDouble(out var bias) || bias is < -100 or > 100)
            {
                throw ApiRefusal.Field(name, $"'{name}' must give token ids below {vocabulary} numbers from -100 to 100.");
            }

            biases[token] = bias;
        }

        return biases;
    }

    /// <summary>Refuses what is not done here, unless it is null, false, or one of the harmless values.</summary>
    public void Refuse(string name, params ReadOnlySpan<string> harmless)
    {
        if (Find(name) is { } value && value.ValueKind != JsonValueKind.False && !harmless.Contains(value.GetRawText())
            && !(value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0))
        {
            throw new ApiRefusal(400, "invalid_request_error", "unsupported_parameter", name, $"'{name}' is not known here.");
        }
    }

    /// <summary>The value of a field; null counts as none.</summary>
    public JsonElement? Find(string name) =>
        root.ValueKind != JsonValueKind.Object ? throw ApiRefusal.Bad("The body must be a JSON object.")
        : root.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
}
