using Cairn.Base;
using Cairn.Model;

namespace Cairn.Formats;

/// <summary>A model in a GGUF file of the family "llama".</summary>
internal sealed class GgufModel : ModelFile
{
    private readonly FileBytes _file;
    private readonly GgufHead _head;
    private readonly Dictionary<string, StoredTensor> _tensors;

    private GgufModel(FileBytes file) : base(file.Path)
    {
        _file = Map(file);
        try
        {
            _head = GgufHead.Read(file);
            _tensors = _head.Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
            Layout = new ParameterLayout(ReadShape());
            Compare();
            var tokenizer = GgufTokenizer.Read(_head, file.Path);
            Tokenizer = Fit(tokenizer);
            ChatTemplate = _head.Text("tokenizer.chat_template");
            Generation = new GenerationDefaults(tokenizer.BosId, tokenizer.EosId) { OtherEnds = GgufTokenizer.OtherEnds(_head, tokenizer) };
        }
        catch
        {
            Close();
            throw;
        }
    }

    public override string Format => "GGUF";

    public override IReadOnlyList<StoredTensor> Tensors => _head.Tensors;

    /// <summary>Opens a file.</summary>
    /// <exception cref="InputException">It is not a model that can be built.</exception>
    public static new GgufModel Open(string path) => new(FileBytes.Open(path));

    /// <summary>Opens what is in memory.</summary>
    internal static GgufModel Of(string path, byte[] bytes) => new(FileBytes.Of(path, bytes));

    public override void Read(ParameterTensor tensor, Span<float> values)
    {
        var stored = _tensors[GgufNames.Of(tensor)];
        if (GgufNames.HeadsOf(tensor, Shape) == 0)
        {
            stored.Decode(_file, values);
            return;
        }

        var theirs = new float[values.Length];
        stored.Decode(_file, theirs);
        for (var row = 0; row < tensor.Rows; row++)
        {
            theirs.AsSpan(GgufNames.RowOf(row, Shape.HeadDim) * tensor.Columns, tensor.Columns).CopyTo(values[(row * tensor.Columns)..]);
        }
    }

    private ModelShape ReadShape()
    {
        if (_head.Text("general.architecture") is not "llama" and var other)
        {
            throw Refused($"it is a model of the family '{other}', only llama is known");
        }

        var (dim, heads) = (Need("embedding_length"), Need("attention.head_count"));
        var vocabulary = _tensors.TryGetValue("token_embd.weight", out var embedding) ? embedding.Rows : throw Refused("tensor 'token_embd.weight' is missing");
        var theta = _head.Real("llama.rope.freq_base") ?? 10_000;
        var shape = new ModelShape(
            vocabulary, dim, Need("block_count"), heads, Want("attention.head_count_kv", heads), Need("feed_forward_length"), Need("context_length"), theta,
            (float)(_head.Real("llama.attention.layer_norm_rms_epsilon") ?? 0), !_tensors.ContainsKey("output.weight"));
        var headDim = Want("attention.key_length", heads > 0 ? dim / heads : 0);
        if (Want("attention.value_length", headDim) != headDim || Want("rope.dimension_count", headDim) != headDim)
        {
            throw Refused("its keys, values and rotated parts differ in width");
        }

        shape = heads > 0 && (dim % heads != 0 || headDim != dim / heads) ? shape with { HeadWidth = headDim } : shape;
        shape = shape.Faults().Count == 0 ? shape with { RopeScaling = ReadScaling(shape) } : shape;
        return shape.Faults() is { Count: > 0 } faults ? throw Refused(string.Join("; ", faults)) : shape;
    }

    private RopeScaling? ReadScaling(ModelShape shape)
    {
        var kind = _head.Text("llama.rope.scaling.type") ?? "none";
        var factor = _head.Real("llama.rope.scaling.factor") ?? 1;
        if (kind is not ("none" or "linear"))
        {
            throw Refused($"its rotary positions are scaled by '{kind}', which is not known");
        }

        if (_tensors.TryGetValue(GgufNames.Divisors, out var stored))
        {
            if (kind == "linear" || stored.Length != shape.HeadDim / 2)
            {
                throw Refused($"its '{GgufNames.Divisors}' does not fit its heads");
            }

            var divisors = new float[stored.Length];
            stored.Decode(_file, divisors);
            RopeBlend? said = _head.Real(GgufNames.LowFrequency) is { } low && _head.Real(GgufNames.HighFrequency) is { } high
                && _head.Real(GgufNames.OriginalContext) is { } original ? new RopeBlend(low, high, original) : null;
            return RopeFit.Find(divisors, shape.HeadDim, shape.RopeTheta, said)
                ?? throw Refused($"its '{GgufNames.Divisors}' is not the scaling of Llama 3.1, and no other is known");
        }

        return kind == "linear" && factor != 1 ? new RopeScaling(factor) : null;
    }

    private void Compare()
    {
        foreach (var tensor in Layout.Tensors)
        {
            var name = GgufNames.Of(tensor);
            if (!_tensors.TryGetValue(name, out var stored))
            {
                throw Refused($"tensor '{name}' is missing");
            }

            if (stored.Rows != tensor.Rows || stored.Columns != tensor.Columns)
            {
                throw Refused($"tensor '{name}' has {stored.Rows} rows of {stored.Columns}, this model has {tensor.Rows} of {tensor.Columns}");
            }
        }

        if (_tensors.Count - (_tensors.ContainsKey(GgufNames.Divisors) ? 1 : 0) != Layout.Tensors.Count)
        {
            var known = Layout.Tensors.Select(GgufNames.Of).Append(GgufNames.Divisors).ToHashSet(StringComparer.Ordinal);
            throw Refused($"tensor '{_tensors.Keys.First(name => !known.Contains(name))}' does not belong to this model");
        }
    }

    private int Need(string name) => Want(name, null) ?? throw Refused($"value 'llama.{name}' is missing or out of range");

    private int Want(string name, int otherwise) => Want(name, (int?)otherwise) ?? otherwise;

    private int? Want(string name, int? otherwise) =>
        _head.Number($"llama.{name}") is { } value ? (value is >= 0 and <= int.MaxValue ? (int)value : throw Refused($"value 'llama.{name}' is {value}")) : otherwise;

    private InputException Refused(string reason) => new($"{_file.Path} cannot be used: {reason}; fetch the file again or choose another.");
}
