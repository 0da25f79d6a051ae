using System.Text.Json;
using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>A place in a JSON file of the user, which knows its own name: whatever is wrong there becomes one sentence that says where.</summary>
/// <param name="File">The path of the file.</param>
/// <param name="Name">Such as <c>vectors[3].in.kappa</c>.</param>
/// <param name="Value">What stands there.</param>
internal readonly record struct JsonField(string File, string Name, JsonElement Value)
{
    /// <summary>A member that must be there.</summary>
    public JsonField this[string member] => Find(member) ?? throw Wrong($"has no '{member}'");

    /// <summary>A member that may be missing.</summary>
    public JsonField? Find(string member)
    {
        Must(JsonValueKind.Object, "an object");
        return Value.TryGetProperty(member, out var value) ? new JsonField(File, Name.Length == 0 ? member : $"{Name}.{member}", value) : null;
    }

    /// <summary>A whole number within a range. Written as a number or, as some programs do, as a text.</summary>
    public long Integer(long min, long max)
    {
        var number = Value.ValueKind switch
        {
            JsonValueKind.Number when Value.TryGetInt64(out var plain) => plain,
            JsonValueKind.String when long.TryParse(Value.GetString(), out var written) => written,
            _ => (long?)null,
        };
        return number is { } found && found >= min && found <= max ? found : throw Wrong($"is {Shown()}, must be a whole number from {min} to {max}");
    }

    /// <summary>True or false.</summary>
    public bool Flag() => Value.ValueKind is JsonValueKind.True or JsonValueKind.False
        ? Value.GetBoolean()
        : throw Wrong($"is {Shown()}, must be true or false");

    /// <summary>A list, each entry by a function of its place.</summary>
    /// <param name="read">Reads one.</param>
    /// <param name="count">How many there must be; null for any number.</param>
    public T[] List<T>(Func<JsonField, T> read, int? count = null)
    {
        Must(JsonValueKind.Array, "a list");
        if (count is { } wanted && Value.GetArrayLength() != wanted)
        {
            throw Wrong($"has {Value.GetArrayLength()} entries, must have {wanted}");
        }

        var result = new T[Value.GetArrayLength()];
        var at = 0;
        foreach (var entry in Value.EnumerateArray())
        {
            result[at] = read(new JsonField(File, $"{Name}[{at}]", entry));
            at++;
        }

        return result;
    }

    /// <summary>The refusal: file, place and what is wrong there.</summary>
    public InputException Wrong(string what) => new($"{File} holds no vectors that can be checked: {(Name.Length == 0 ? "it" : Name)} {what}.");

    private void Must(JsonValueKind kind, string what)
    {
        if (Value.ValueKind != kind)
        {
            throw Wrong($"is {Shown()}, must be {what}");
        }
    }

    private string Shown()
    {
        var text = Value.ValueKind is JsonValueKind.Object ? "an object" : Value.ValueKind is JsonValueKind.Array ? "a list" : Value.GetRawText();
        return text.Length <= 40 ? text : text[..40] + "…";
    }
}
