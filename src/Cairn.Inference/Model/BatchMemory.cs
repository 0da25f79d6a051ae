using Cairn.Base;
using Cairn.Compute;
using Cairn.Model;

namespace Cairn.Inference;

/// <summary>Working memory of a pass.</summary>
internal sealed class BatchMemory : IDisposable
{
    private readonly ModelShape _shape;
    private readonly FloatBuffer _stream;
    private readonly FloatBuffer _normed;
    private readonly FloatBuffer _inverseRms;
    private readonly FloatBuffer _qkv;
    private readonly FloatBuffer _attended;
    private readonly FloatBuffer _gateUp;
    private readonly FloatBuffer _activated;
    private FloatBuffer? _logits;

    /// <param name="shape">The model's.</param>
    /// <param name="rows">The most tokens of a pass.</param>
    public BatchMemory(ModelShape shape, int rows)
    {
        _shape = shape;
        _stream = new FloatBuffer(checked(rows * shape.Dim));
        _normed = new FloatBuffer(checked(rows * shape.Dim));
        _inverseRms = new FloatBuffer(rows);
        _qkv = new FloatBuffer(checked(rows * shape.QkvWidth));
        _attended = new FloatBuffer(checked(rows * shape.AttentionWidth));
        _gateUp = new FloatBuffer(checked(rows * 2 * shape.FeedForward));
        _activated = new FloatBuffer(checked(rows * shape.FeedForward));
    }

    /// <summary>One row of the residual stream.</summary>
    public Span<float> Stream(int row) => _stream.Slice(row * _shape.Dim, _shape.Dim);

    /// <summary>The first rows of everything.</summary>
    public BatchRows Of(int rows) => new()
    {
        Count = rows,
        Stream = _stream.Slice(0, rows * _shape.Dim),
        Normed = _normed.Slice(0, rows * _shape.Dim),
        InverseRms = _inverseRms.Slice(0, rows),
        Qkv = _qkv.Slice(0, rows * _shape.QkvWidth),
        Attended = _attended.Slice(0, rows * _shape.AttentionWidth),
        GateUp = _gateUp.Slice(0, rows * 2 * _shape.FeedForward),
        Activated = _activated.Slice(0, rows * _shape.FeedForward),
    };

    /// <summary>Logits of so many rows, in memory that grows to the most that were wanted.</summary>
    public Span<float> Logits(int rows)
    {
        var length = checked(rows * _shape.Vocabulary);
        if (_logits is null || _logits.Length < length)
        {
            _logits?.Dispose();
            _logits = new FloatBuffer(length);
        }

        return _logits.Slice(0, length);
    }

    /// <summary>The logits of one of them.</summary>
    public ReadOnlySpan<float> LogitsOf(int row)
    {
        Invariant.Check(row >= 0 && _logits is not null);
        return _logits.Slice(row * _shape.Vocabulary, _shape.Vocabulary);
    }

    public void Dispose()
    {
        foreach (var buffer in (FloatBuffer?[])[_stream, _normed, _inverseRms, _qkv, _attended, _gateUp, _activated, _logits])
        {
            buffer?.Dispose();
        }
    }
}

/// <summary>The rows of one pass.</summary>
internal readonly ref struct BatchRows
{
    /// <summary>How many (R).</summary>
    public int Count { get; init; }

    /// <summary>[R, D]: the residual stream.</summary>
    public Span<float> Stream { get; init; }

    /// <summary>[R, D].</summary>
    public Span<float> Normed { get; init; }

    /// <summary>[R].</summary>
    public Span<float> InverseRms { get; init; }

    /// <summary>[R, QkvWidth].</summary>
    public Span<float> Qkv { get; init; }

    /// <summary>[R, H·E].</summary>
    public Span<float> Attended { get; init; }

    /// <summary>[R, 2F].</summary>
    public Span<float> GateUp { get; init; }

    /// <summary>[R, F].</summary>
    public Span<float> Activated { get; init; }
}
