using System.Text.Json;
using Cairn.Base;

namespace Cairn.Model;

/// <summary>The small JSON files that let Hugging Face's LlamaForCausalLM (and what reads its folders) load our checkpoints, and let us
/// load theirs.</summary>
public static class HuggingFaceConfig
{
    private const int BytesMax = 1 << 20;
    private static readonly JsonWriterOptions _indented = new() { Indented = true };

    /// <summary>Writes config.json.</summary>
    /// <param name="stream">Receives the file; stays open.</param>
    /// <param name="shape">The model's shape.</param>
    /// <param name="generation">Gives the special tokens.</param>
    /// <param name="numbers">How the parameters are stored: float32, bfloat16 or float16.</param>
    public static void WriteConfig(Stream stream, ModelShape shape, GenerationDefaults generation, string numbers = "float32")
    {
        using var json = new Utf8JsonWriter(stream, _indented);
        json.WriteStartObject();
        json.WriteStartArray("architectures");
        json.WriteStringValue("LlamaForCausalLM");
        json.WriteEndArray();
        json.WriteBoolean("attention_bias", false);
        json.WriteNumber("attention_dropout", 0.0);
        WriteTokens(json, generation);
        json.WriteNumber("head_dim", shape.HeadDim);
        json.WriteString("hidden_act", "silu");
        json.WriteNumber("hidden_size", shape.Dim);
        json.WriteNumber("initializer_range", 0.02);
        json.WriteNumber("intermediate_size", shape.FeedForward);
        json.WriteNumber("max_position_embeddings", shape.Context);
        json.WriteBoolean("mlp_bias", false);
        json.WriteString("model_type", "llama");
        json.WriteNumber("num_attention_heads", shape.Heads);
        json.WriteNumber("num_hidden_layers", shape.Layers);
        json.WriteNumber("num_key_value_heads", shape.KvHeads);
        json.WriteNumber("rms_norm_eps", shape.NormEpsilon);
        WriteRopeScaling(json, shape.RopeScaling);
        json.WriteNumber("rope_theta", shape.RopeTheta);
        json.WriteBoolean("tie_word_embeddings", shape.TiedHead);
        json.WriteString("torch_dtype", numbers);
        json.WriteBoolean("use_cache", true);
        json.WriteNumber("vocab_size", shape.Vocabulary);
        json.WriteEndObject();
    }

    /// <summary>Writes generation_config.json.</summary>
    /// <param name="stream">Receives the file; stays open.</param>
    /// <param name="generation">What it says.</param>
    public static void WriteGeneration(Stream stream, GenerationDefaults generation)
    {
        using var json = new Utf8JsonWriter(stream, _indented);
        json.WriteStartObject();
        WriteTokens(json, generation);
        json.WriteBoolean("do_sample", generation.Temperature > 0);
        json.WriteNumber("temperature", generation.Temperature);
        json.WriteNumber("top_p", generation.TopP);
        json.WriteEndObject();
    }

    /// <summary>Reads config.json.</summary>
    /// <param name="stream">From anywhere; at most 1 MiB is read.</param>
    /// <returns>A valid shape.</returns>
    /// <exception cref="InputException">It is not the configuration of a Llama that we can build; all faults at once.</exception>
    public static ModelShape ReadConfig(Stream stream) => Read(stream, "config.json", Shape);

    /// <summary>Reads generation_config.json; what is missing or odd becomes the default.</summary>
    /// <param name="stream">From anywhere; at most 1 MiB is read.</param>
    /// <exception cref="InputException">It is not JSON.</exception>
    public static GenerationDefaults ReadGeneration(Stream stream) => Read(stream, "generation_config.json", Generation);

    private static ModelShape Shape(Fields fields)
    {
        fields.Refuse("model_type", value => value.ValueKind != JsonValueKind.String || value.GetString() != "llama", "only llama is known");
        fields.Refuse("hidden_act", value => value.ValueKind != JsonValueKind.String || value.GetString() != "silu", "only silu is known");
        fields.Refuse("attention_bias", value => value.ValueKind == JsonValueKind.True, "biases are not known");
        fields.Refuse("mlp_bias", value => value.ValueKind == JsonValueKind.True, "biases are not known");
        var (theta, scaling) = ReadRope(fields);
        var heads = fields.Int("num_attention_heads", null);
        var shape = new ModelShape(
            fields.Int("vocab_size", null), fields.Int("hidden_size", null), fields.Int("num_hidden_layers", null), heads,
            fields.Int("num_key_value_heads", heads), fields.Int("intermediate_size", null), fields.Int("max_position_embeddings", null),
            theta, (float)fields.Number("rms_norm_eps", 1e-6), fields.Flag("tie_word_embeddings", false), RopeScaling: scaling);
        if (heads > 0 && fields.Int("head_dim", shape.Dim / heads) is var width && (shape.Dim % heads != 0 || width != shape.Dim / heads))
        {
            shape = shape with { HeadWidth = width };
        }

        var faults = fields.Faults.Count > 0 ? fields.Faults : shape.Faults();
        return faults.Count == 0 ? shape : throw new InputException("config.json cannot be used: " + string.Join("; ", faults));
    }

    private static GenerationDefaults Generation(Fields fields)
    {
        var defaults = new GenerationDefaults();
        var ends = fields.Ints("eos_token_id");
        return new GenerationDefaults(
            fields.Ints("bos_token_id") is [var begin, ..] ? begin : null, ends is [var end, ..] ? end : null,
            fields.Number("temperature", defaults.Temperature), fields.Number("top_p", defaults.TopP))
        {
            OtherEnds = ends.Length > 1 ? ends[1..] : [],
        };
    }

    // Older files have rope_theta and rope_scaling, newer ones both in rope_parameters.
    private static (double Theta, RopeScaling? Scaling) ReadRope(Fields fields)
    {
        var both = fields.Inside("rope_parameters");
        var scaling = both ?? fields.Inside("rope_scaling");
        var theta = (both ?? fields).Number("rope_theta", 10_000);
        if (scaling is null || scaling.Text("rope_type") is "default")
        {
            return (theta, null);
        }

        switch (scaling.Text("rope_type") ?? scaling.Text("type"))
        {
            case "llama3":
                return (theta, new RopeScaling(
                    scaling.Number("factor", 0),
                    new RopeBlend(
                        scaling.Number("low_freq_factor", 0), scaling.Number("high_freq_factor", 0), scaling.Number("original_max_position_embeddings", 0))));
            case "linear":
                return (theta, new RopeScaling(scaling.Number("factor", 0)));
            case null when both is not null:
                return (theta, null);
            default:
                fields.Faults.Add("rope_scaling is of a type that is not known: only llama3 and linear are");
                return (theta, null);
        }
    }

    private static void WriteRopeScaling(Utf8JsonWriter json, RopeScaling? scaling)
    {
        if (scaling is null)
        {
            json.WriteNull("rope_scaling");
            return;
        }

        json.WriteStartObject("rope_scaling");
        json.WriteNumber("factor", scaling.Factor);
        if (scaling.Llama3 is { } blend)
        {
            json.WriteNumber("high_freq_factor", blend.HighFrequency);
            json.WriteNumber("low_freq_factor", blend.LowFrequency);
            json.WriteNumber("original_max_position_embeddings", blend.OriginalContext);
        }

        json.WriteString("rope_type", scaling.Llama3 is null ? "linear" : "llama3");
        json.WriteEndObject();
    }

    private static void WriteTokens(Utf8JsonWriter json, GenerationDefaults generation)
    {
        WriteToken(json, "bos_token_id", generation.BeginToken);
        if (generation.OtherEnds.Count == 0)
        {
            WriteToken(json, "eos_token_id", generation.EndToken);
            return;
        }

        json.WriteStartArray("eos_token_id");
        foreach (var id in (IEnumerable<int>)[.. generation.EndToken is { } end ? [end] : (int[])[], .. generation.OtherEnds])
        {
            json.WriteNumberValue(id);
        }

        json.WriteEndArray();
    }

    private static void WriteToken(Utf8JsonWriter json, string name, int? token)
    {
        if (token is { } id)
        {
            json.WriteNumber(name, id);
        }
        else
        {
            json.WriteNull(name);
        }
    }

    private static T Read<T>(Stream stream, string name, Func<Fields, T> read)
    {
        var bytes = new byte[BytesMax + 1];
        var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        if (length > BytesMax)
        {
            throw new InputException($"{name} is larger than {BytesMax} bytes; it is not a model's configuration");
        }

        try
        {
            using var document = JsonDocument.Parse(bytes.AsMemory(0, length));
            return read(new Fields(document.RootElement));
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            // The second kind is how the reader reports text that is not UTF-8, when the text is asked for.
            throw new InputException($"{name} is not JSON; fetch it again", fault);
        }
    }

    /// <summary>Reads typed fields and collects what is wrong with them.</summary>
    private sealed class Fields(JsonElement root, List<string>? faults = null)
    {
        public List<string> Faults { get; } = faults ?? (root.ValueKind == JsonValueKind.Object ? [] : ["it is not an object"]);

        public int Int(string name, int? otherwise)
        {
            if (Find(name) is { } value)
            {
                if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number))
                {
                    return number;
                }
            }
            else if (otherwise is { } given)
            {
                return given;
            }

            Faults.Add($"{name} is missing or not a whole number");
            return 0;
        }

        public double Number(string name, double otherwise)
        {
            if (Find(name) is not { } value)
            {
                return otherwise;
            }

            if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number))
            {
                return number;
            }

            Faults.Add($"{name} is not a number");
            return otherwise;
        }

        /// <summary>One whole number or a list of them; what is none is left out.</summary>
        public int[] Ints(string name) => Find(name) is not { } value ? []
            : value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Where(IsId).Select(id => id.GetInt32())]
            : IsId(value) ? [value.GetInt32()]
            : [];

        public string? Text(string name) => Find(name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

        /// <summary>The fields of an object inside; its faults are this one's. Null if there is none.</summary>
        public Fields? Inside(string name)
        {
            if (Find(name) is not { } value)
            {
                return null;
            }

            if (value.ValueKind == JsonValueKind.Object)
            {
                return new Fields(value, Faults);
            }

            Faults.Add($"{name} is not an object");
            return null;
        }

        public bool Flag(string name, bool otherwise) => Find(name)?.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => otherwise,
        };

        public void Refuse(string name, Func<JsonElement, bool> wrong, string why)
        {
            if (Find(name) is { } value && wrong(value))
            {
                Faults.Add($"{name} is {value.GetRawText()}: {why}");
            }
        }

        private static bool IsId(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var id) && id >= 0;

        // A null counts as absent.
        private JsonElement? Find(string name) =>
            root.ValueKind == JsonValueKind.Object && root.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
                ? value
                : null;
    }
}
