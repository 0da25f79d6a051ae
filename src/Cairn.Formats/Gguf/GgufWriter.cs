using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Cairn.Base;
using Cairn.Data;
using Cairn.Model;

namespace Cairn.Formats;

/// <summary>Writes a model as a GGUF file (version 3) of the family "llama", tensor by tensor: one tensor is all the memory that it takes.</summary>
internal sealed class GgufWriter
{
    private const int Alignment = 32;
    private readonly ModelFile _model;
    private readonly NumberType _type;
    private readonly Stream _stream;
    private readonly ArrayBufferWriter<byte> _values = new();
    private int _count;

    private GgufWriter(ModelFile model, NumberType type, Stream stream) => (_model, _type, _stream) = (model, type, stream);

    /// <summary>Writes a model.</summary>
    /// <param name="model">Any.</param>
    /// <param name="type">Of the matrices; where their rows are no whole blocks of it, a finer one takes its place.</param>
    /// <param name="stream">Receives the file; stays open.</param>
    /// <exception cref="InputException">A number does not fit the type, or the tokenizer cannot be said in GGUF.</exception>
    public static void Write(ModelFile model, NumberType type, Stream stream)
    {
        new GgufWriter(model, type, stream).Write();
    }

    /// <summary>How a tensor is stored when a type is asked for.</summary>
    public static NumberType TypeOf(ParameterTensor tensor, NumberType wanted, ParameterLayout layout)
    {
        if (!tensor.IsMatrix)
        {
            return NumberType.F32;
        }

        // Logits are what errors of the head and the embedding move first.
        wanted = wanted == NumberType.Q4K && (tensor == layout.Embedding || tensor == layout.Head) ? NumberType.Q80 : wanted;
        foreach (var type in (ReadOnlySpan<NumberType>)[wanted, NumberType.Q80, NumberType.F16])
        {
            if (tensor.Columns % NumberTypes.BlockLength(type) == 0)
            {
                return type;
            }
        }

        return NumberType.F16;
    }

    private void Write()
    {
        WriteModel();
        new GgufTokenizerWriter(_model, this).Write();
        var divisors = _model.Shape.RopeScaling is { Llama3: not null } scaling ? scaling.Divisors(_model.Shape.HeadDim, _model.Shape.RopeTheta) : null;
        var table = Table(divisors?.Length ?? 0, out var count);
        var head = new byte[24];
        "GGUF"u8.CopyTo(head);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(4), 3);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(8), count);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(16), _count);
        _stream.Write(head);
        _stream.Write(_values.WrittenSpan);
        _stream.Write(table.WrittenSpan);
        Pad(head.Length + _values.WrittenCount + table.WrittenCount);
        if (divisors is not null)
        {
            WriteNumbers(NumberType.F32, [.. divisors.Select(divisor => (float)divisor)], divisors.Length);
        }

        foreach (var tensor in _model.Layout.Tensors)
        {
            WriteTensor(tensor);
        }
    }

    private void WriteModel()
    {
        var shape = _model.Shape;
        Text("general.architecture", "llama");
        Text("general.name", Path.GetFileNameWithoutExtension(Path.TrimEndingDirectorySeparator(_model.Path)));
        UInt32("general.file_type", _type switch { NumberType.F32 => 0, NumberType.F16 => 1, NumberType.Q80 => 7, NumberType.Q4K => 14, _ => 32 });
        UInt32("general.quantization_version", 2);
        UInt32("general.alignment", Alignment);
        UInt32("llama.vocab_size", shape.Vocabulary);
        UInt32("llama.context_length", shape.Context);
        UInt32("llama.embedding_length", shape.Dim);
        UInt32("llama.block_count", shape.Layers);
        UInt32("llama.feed_forward_length", shape.FeedForward);
        UInt32("llama.attention.head_count", shape.Heads);
        UInt32("llama.attention.head_count_kv", shape.KvHeads);
        UInt32("llama.attention.key_length", shape.HeadDim);
        UInt32("llama.attention.value_length", shape.HeadDim);
        UInt32("llama.rope.dimension_count", shape.HeadDim);
        Real("llama.attention.layer_norm_rms_epsilon", shape.NormEpsilon);
        Real("llama.rope.freq_base", (float)shape.RopeTheta);
        if (shape.RopeScaling?.Llama3 is { } blend)
        {
            UInt32(GgufNames.OriginalContext, (int)blend.OriginalContext);
            Real(GgufNames.LowFrequency, (float)blend.LowFrequency);
            Real(GgufNames.HighFrequency, (float)blend.HighFrequency);
        }
        else if (shape.RopeScaling is { } linear)
        {
            Text("llama.rope.scaling.type", "linear");
            Real("llama.rope.scaling.factor", (float)linear.Factor);
        }
    }

    // Names, sides (the fastest first), types and places of all tensors.
    private ArrayBufferWriter<byte> Table(int divisors, out int count)
    {
        var table = new ArrayBufferWriter<byte>();
        var (at, made) = (0L, 0);
        void Entry(string name, NumberType type, int rows, int columns, bool matrix)
        {
            Bytes(table, Encoding.UTF8.GetBytes(name));
            Number(table, matrix ? 2 : 1, 4);
            Number(table, columns, 8);
            if (matrix)
            {
                Number(table, rows, 8);
            }

            Number(table, (long)type, 4);
            Number(table, at, 8);
            at += (NumberTypes.Bytes(type, (long)rows * columns) + Alignment - 1) / Alignment * Alignment;
            made++;
        }

        if (divisors > 0)
        {
            Entry(GgufNames.Divisors, NumberType.F32, 1, divisors, matrix: false);
        }

        foreach (var tensor in _model.Layout.Tensors)
        {
            Entry(GgufNames.Of(tensor), TypeOf(tensor, _type, _model.Layout), tensor.Rows, tensor.Columns, tensor.IsMatrix);
        }

        count = made;
        return table;
    }

    private void WriteTensor(ParameterTensor tensor)
    {
        var values = new float[checked((int)tensor.Length)];
        _model.Read(tensor, values);
        if (GgufNames.HeadsOf(tensor, _model.Shape) > 0)
        {
            var ordered = new float[values.Length];
            for (var row = 0; row < tensor.Rows; row++)
            {
                values.AsSpan(row * tensor.Columns, tensor.Columns).CopyTo(ordered.AsSpan(GgufNames.RowOf(row, _model.Shape.HeadDim) * tensor.Columns));
            }

            values = ordered;
        }

        try
        {
            WriteNumbers(TypeOf(tensor, _type, _model.Layout), values, tensor.Columns);
        }
        catch (AggregateException e) when (e.InnerException is InputException fault)
        {
            throw new InputException($"tensor '{tensor.Name}' cannot be written: {fault.Message}", fault);
        }
    }

    private void WriteNumbers(NumberType type, float[] values, int columns)
    {
        var bytes = new byte[NumberTypes.Bytes(type, values.Length)];
        var rowBytes = (int)NumberTypes.Bytes(type, columns);
        Parallel.For(0, values.Length / columns, row =>
            NumberCodec.Encode(type, values.AsSpan(row * columns, columns), bytes.AsSpan(row * rowBytes, rowBytes)));
        _stream.Write(bytes);
        Pad(bytes.Length);
    }

    private void Pad(long written) => _stream.Write(new byte[(int)(-written & (Alignment - 1))]);

    public void Text(string name, string value)
    {
        Key(name, GgufKind.Text);
        Bytes(_values, Encoding.UTF8.GetBytes(value));
    }

    public void UInt32(string name, int value)
    {
        Key(name, GgufKind.UInt32);
        Number(_values, value, 4);
    }

    public void Flag(string name, bool value)
    {
        Key(name, GgufKind.Bool);
        Number(_values, value ? 1 : 0, 1);
    }

    public void Texts(string name, IReadOnlyList<byte[]> values)
    {
        Array(name, GgufKind.Text, values.Count);
        foreach (var value in values)
        {
            Bytes(_values, value);
        }
    }

    public void Numbers(string name, IEnumerable<int> values, int count)
    {
        Array(name, GgufKind.Int32, count);
        foreach (var value in values)
        {
            Number(_values, value, 4);
        }
    }

    public void Reals(string name, float[] values)
    {
        Array(name, GgufKind.Float32, values.Length);
        foreach (var value in values)
        {
            Number(_values, BitConverter.SingleToInt32Bits(value), 4);
        }
    }

    private void Real(string name, float value)
    {
        Key(name, GgufKind.Float32);
        Number(_values, BitConverter.SingleToInt32Bits(value), 4);
    }

    private void Array(string name, GgufKind kind, int count)
    {
        Key(name, GgufKind.Array);
        Number(_values, (long)kind, 4);
        Number(_values, count, 8);
    }

    private void Key(string name, GgufKind kind)
    {
        Bytes(_values, Encoding.UTF8.GetBytes(name));
        Number(_values, (long)kind, 4);
        _count++;
    }

    private static void Bytes(ArrayBufferWriter<byte> to, ReadOnlySpan<byte> bytes)
    {
        Number(to, bytes.Length, 8);
        to.Write(bytes);
    }

    private static void Number(ArrayBufferWriter<byte> to, long value, int bytes)
    {
        Span<byte> all = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(all, value);
        to.Write(all[..bytes]);
    }
}
