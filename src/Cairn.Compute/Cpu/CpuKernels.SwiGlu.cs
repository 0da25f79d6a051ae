using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Cairn.Base;

namespace Cairn.Compute;

/// <content>The gated unit of the feed-forward layer.</content>
public sealed unsafe partial class CpuKernels
{
    /// <inheritdoc/>
    public void SwiGlu(ReadOnlySpan<float> gateUpR2F, Span<float> actRF, int rows, int ffn)
    {
        Invariant.Check(gateUpR2F.Length == 2L * rows * ffn && actRF.Length == (long)rows * ffn);
        fixed (float* gateUp = gateUpR2F, act = actRF)
        {
            var work = new SwiGluWork(gateUp, act, rows, ffn);
            _pool.Run(ref work, Blocks(rows, RowBlock));
        }
    }

    /// <inheritdoc/>
    public void SwiGluBackward(ReadOnlySpan<float> gateUpR2F, ReadOnlySpan<float> dActRF, Span<float> dGateUpR2F, int rows, int ffn)
    {
        Invariant.Check(gateUpR2F.Length == 2L * rows * ffn && dActRF.Length == (long)rows * ffn && dGateUpR2F.Length == gateUpR2F.Length);
        fixed (float* gateUp = gateUpR2F, dAct = dActRF, dGateUp = dGateUpR2F)
        {
            var work = new SwiGluBackwardWork(gateUp, dAct, dGateUp, rows, ffn);
            _pool.Run(ref work, Blocks(rows, RowBlock));
        }
    }

    private readonly struct SwiGluWork(float* gateUp, float* act, int rows, int ffn) : IWork
    {
        public void Run(int item, int worker)
        {
            var end = Math.Min(rows, (item + 1) * RowBlock);
            for (var r = item * RowBlock; r < end; r++)
            {
                var gate = gateUp + ((nint)r * 2 * ffn);
                Row(gate, gate + ffn, act + ((nint)r * ffn), ffn);
            }
        }

        private static void Row(float* gate, float* up, float* act, int ffn)
        {
            var whole = Lanes.Whole(ffn);
            var rest = ffn - whole;
            Gate(gate, up, act, whole);
            if (rest > 0)
            {
                var end = stackalloc float[3 * Lanes.Count];
                Lanes.Pad(gate + whole, rest, end);
                Lanes.Pad(up + whole, rest, end + Lanes.Count);
                Gate(end, end + Lanes.Count, end + (2 * Lanes.Count), Lanes.Count);
                Lanes.Unpad(end + (2 * Lanes.Count), rest, act + whole);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Gate(float* gate, float* up, float* act, int count)
        {
            for (var i = 0; i < count; i += Lanes.Count)
            {
                var g = Vector512.Load(gate + i);
                (g / (Vector512<float>.One + LaneMath.Exp(-g)) * Vector512.Load(up + i)).Store(act + i);
            }
        }
    }

    private readonly struct SwiGluBackwardWork(float* gateUp, float* dAct, float* dGateUp, int rows, int ffn) : IWork
    {
        public void Run(int item, int worker)
        {
            var end = Math.Min(rows, (item + 1) * RowBlock);
            for (var r = item * RowBlock; r < end; r++)
            {
                var at = (nint)r * 2 * ffn;
                Row(gateUp + at, dAct + ((nint)r * ffn), dGateUp + at, ffn);
            }
        }

        private static void Row(float* gateUp, float* dAct, float* dGateUp, int ffn)
        {
            var whole = Lanes.Whole(ffn);
            var rest = ffn - whole;
            Slopes(gateUp, gateUp + ffn, dAct, dGateUp, dGateUp + ffn, whole);
            if (rest > 0)
            {
                var end = stackalloc float[5 * Lanes.Count];
                float* dGate = end + (3 * Lanes.Count), dUp = end + (4 * Lanes.Count);
                Lanes.Pad(gateUp + whole, rest, end);
                Lanes.Pad(gateUp + ffn + whole, rest, end + Lanes.Count);
                Lanes.Pad(dAct + whole, rest, end + (2 * Lanes.Count));
                Slopes(end, end + Lanes.Count, end + (2 * Lanes.Count), dGate, dUp, Lanes.Count);
                Lanes.Unpad(dGate, rest, dGateUp + whole);
                Lanes.Unpad(dUp, rest, dGateUp + ffn + whole);
            }
        }

        /// <summary>σ = 1/(1 + e^−g), silu = g·σ: dUp = d·silu, dGate = d·up·(σ + silu·(1 − σ)).</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Slopes(float* gate, float* up, float* dAct, float* dGate, float* dUp, int count)
        {
            for (var i = 0; i < count; i += Lanes.Count)
            {
                var (g, d) = (Vector512.Load(gate + i), Vector512.Load(dAct + i));
                var sigmoid = Vector512<float>.One / (Vector512<float>.One + LaneMath.Exp(-g));
                var silu = g * sigmoid;
                (d * Vector512.Load(up + i) * Vector512.FusedMultiplyAdd(silu, Vector512<float>.One - sigmoid, sigmoid)).Store(dGate + i);
                (d * silu).Store(dUp + i);
            }
        }
    }
}
