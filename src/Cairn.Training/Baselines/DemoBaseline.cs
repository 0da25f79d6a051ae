using Cairn.Base;
using Cairn.Compute;
using Cairn.Model;

namespace Cairn.Training;

/// <summary>The numbers of <see cref="DemoBaseline"/>.</summary>
/// <param name="Decay">β: what of the momentum is kept from step to step; the released code's 0.999.</param>
/// <param name="Keep">Coefficients sent of a block of 4096; of a smaller block as many in proportion, rounded up.</param>
public sealed record DemoSettings(float Decay = 0.999f, int Keep = 64);

/// <summary>Decoupled momentum (DeMo, arXiv:2411.19870), simulated by one process worker after worker: every step each worker sends the largest DCT
/// coefficients of its momentum, and all step by the sign of what came together.</summary>
/// <remarks>Alg. 1 of the paper: m ← β·m + g; q = the k largest of DCT(m) in each block; m ← m − IDCT(q); Q = IDCT(mean of all q); θ ← θ − η·sign(Q). As
/// the transform is linear and orthonormal the momentum is kept as coefficients, which saves each worker the way back. Choices where paper and code leave
/// some or differ: the mean divides by all workers; no decay of the parameters; gradients are not clipped, since a sign has no size; values travel as bf16
/// (round half to even), and what the rounding took away stays in the momentum. Tier T2 with the CPU kernels.</remarks>
public sealed class DemoBaseline : IDisposable
{
    private const int BlockMax = 4096;
    private const int BitsPerIndex = 12;
    private const int BitsPerValue = 16;

    private readonly Transformer _transformer;
    private readonly LearningRateSchedule _schedule;
    private readonly DemoSettings _settings;
    private readonly CosineTransform[] _transforms;
    private readonly FloatBuffer[] _momenta;
    private readonly FloatBuffer _gradients;
    private readonly FloatBuffer _mean;
    private readonly FloatBuffer _scratch;
    private readonly FloatBuffer _dense;
    private readonly float[] _block = new float[BlockMax];
    private readonly int[] _places = new int[BlockMax];
    private readonly int[] _tokens;
    private readonly int[] _targets;
    private readonly int _batch;
    private readonly int _length;

    /// <summary>Begins at given parameters.</summary>
    /// <param name="transformer">For training; stays the caller's.</param>
    /// <param name="parameters">Trained in place; stay the caller's.</param>
    /// <param name="workers">How many; at least 1.</param>
    /// <param name="settings">The method's numbers.</param>
    /// <param name="schedule">The rate η of every step: by how much each parameter moves.</param>
    /// <param name="batch">Sequences per worker and step.</param>
    /// <param name="length">Tokens per sequence.</param>
    public DemoBaseline(
        Transformer transformer, Parameters parameters, int workers, DemoSettings settings, LearningRateSchedule schedule, int batch, int length)
    {
        Invariant.Check(workers > 0 && settings.Keep is > 0 and <= BlockMax && settings.Decay is >= 0 and < 1);
        (_transformer, _settings, _schedule, _batch, _length, Parameters) = (transformer, settings, schedule, batch, length, parameters);
        var layout = parameters.Layout;
        _transforms = [.. layout.Tensors.Select(tensor => new CosineTransform(tensor.Rows, tensor.Columns))];
        _momenta = [.. Enumerable.Range(0, workers).Select(_ => Parameters.NewBuffer(layout))];
        (_gradients, _mean) = (Parameters.NewBuffer(layout), Parameters.NewBuffer(layout));
        (_scratch, _dense) = (Parameters.NewBuffer(layout), Parameters.NewBuffer(layout));
        (_tokens, _targets) = (new int[batch * length], new int[batch * length]);
        var values = _transforms.Sum(transform => (long)transform.BlockCount * KeepOf(transform));
        BytesPerStep = ((values * BitsPerIndex) + 7) / 8 + (values * BitsPerValue / 8);
    }

    /// <summary>What is trained.</summary>
    public Parameters Parameters { get; }

    /// <summary>What one worker sends in one step: 12 bits of place and 16 bits of value for each coefficient.</summary>
    public long BytesPerStep { get; }

    /// <summary>Steps taken so far.</summary>
    public long StepsTaken { get; private set; }

    /// <summary>One step of all workers.</summary>
    /// <param name="batchesOf">Gives the batch of a worker; asked for step 0.</param>
    /// <returns>Mean loss of the workers' batches before the step, nats per token.</returns>
    public double Step(Func<int, BatchSource> batchesOf)
    {
        var loss = 0.0;
        _mean.Span.Clear();
        for (var worker = 0; worker < _momenta.Length; worker++)
        {
            batchesOf(worker)(0, _tokens, _targets);
            loss += _transformer.ForwardBackward(Parameters, _gradients, _tokens, _targets, _batch, _length);
            for (var tensor = 0; tensor < _transforms.Length; tensor++)
            {
                Send(tensor, _momenta[worker]);
            }
        }

        var rate = (float)_schedule.At(StepsTaken++);
        for (var tensor = 0; tensor < _transforms.Length; tensor++)
        {
            Move(tensor, rate);
        }

        return loss / _momenta.Length;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var buffer in _momenta.Concat([_gradients, _mean, _scratch, _dense]))
        {
            buffer.Dispose();
        }
    }

    private int KeepOf(CosineTransform transform) => ((_settings.Keep * transform.BlockRows * transform.BlockColumns) + BlockMax - 1) / BlockMax;

    // The worker's momentum takes the gradient in; its largest coefficients go over into the mean.
    private void Send(int tensor, FloatBuffer momenta)
    {
        var (transform, place) = (_transforms[tensor], Parameters.Layout.Tensors[tensor]);
        var momentum = place.In(momenta);
        var coefficients = place.In(_dense);
        transform.Forward(_transformer.Kernels, place.In(_gradients), place.In(_scratch), coefficients);
        for (var i = 0; i < momentum.Length; i++)
        {
            momentum[i] = (_settings.Decay * momentum[i]) + coefficients[i];
        }

        for (var block = 0; block < transform.BlockCount; block++)
        {
            SendBlock(transform, place.Columns, momentum[transform.OriginOf(block)..], place.In(_mean)[transform.OriginOf(block)..]);
        }
    }

    // Both spans begin at the block's first element; its rows lie a row of the tensor apart.
    private void SendBlock(CosineTransform transform, int stride, Span<float> momentum, Span<float> mean)
    {
        var columns = transform.BlockColumns;
        var block = _block.AsSpan(0, transform.BlockRows * columns);
        for (var row = 0; row < transform.BlockRows; row++)
        {
            momentum.Slice(row * stride, columns).CopyTo(block[(row * columns)..]);
        }

        var places = _places.AsSpan(0, KeepOf(transform));
        LargestOfBlock.Find(block, places);
        var part = 1f / _momenta.Length;
        foreach (var index in places)
        {
            var element = (index / columns * stride) + (index % columns);
            var sent = ToBf16(momentum[element]);
            momentum[element] -= sent;
            mean[element] += sent * part;
        }
    }

    private void Move(int tensor, float rate)
    {
        var place = Parameters.Layout.Tensors[tensor];
        var parameters = Parameters[place];
        var direction = place.In(_dense);
        _transforms[tensor].Inverse(_transformer.Kernels, place.In(_mean), place.In(_scratch), direction);
        for (var i = 0; i < parameters.Length; i++)
        {
            parameters[i] -= direction[i] > 0 ? rate : direction[i] < 0 ? -rate : 0;
        }
    }

    // The nearest number that has the upper 16 bits alone, ties to even.
    private static float ToBf16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsFinite(value) ? BitConverter.UInt32BitsToSingle((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000) : value;
    }
}
