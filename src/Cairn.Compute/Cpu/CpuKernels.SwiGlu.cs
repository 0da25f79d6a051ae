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

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Row(float* gate, float* up, float* act, int ffn)
        {
            var whole = Lanes.Whole(ffn);
            for (var i = 0; i < whole; i += Lanes.Count)
            {
                Gated(Vector512.Load(gate + i), Vector512.Load(up + i)).Store(act + i);
            }

            if (whole < ffn)
            {
                var rest = ffn - whole;
                Lanes.StoreEnd(Gated(Lanes.LoadEnd(gate + whole, rest), Lanes.LoadEnd(up + whole, rest)), act + whole, rest);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector512<float> Gated(Vector512<float> gate, Vector512<float> up) =>
            gate / (Vector512<float>.One + LaneMath.Exp(-gate)) * up;
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

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Row(float* gateUp, float* dAct, float* dGateUp, int ffn)
        {
            var whole = Lanes.Whole(ffn);
            for (var i = 0; i < whole; i += Lanes.Count)
            {
                Slopes(Vector512.Load(gateUp + i), Vector512.Load(gateUp + ffn + i), Vector512.Load(dAct + i), out var dGate, out var dUp);
                dGate.Store(dGateUp + i);
                dUp.Store(dGateUp + ffn + i);
            }

            if (whole < ffn)
            {
                var rest = ffn - whole;
                Slopes(
                    Lanes.LoadEnd(gateUp + whole, rest), Lanes.LoadEnd(gateUp + ffn + whole, rest), Lanes.LoadEnd(dAct + whole, rest),
                    out var dGate, out var dUp);
                Lanes.StoreEnd(dGate, dGateUp + whole, rest);
                Lanes.StoreEnd(dUp, dGateUp + ffn + whole, rest);
            }
        }

        /// <summary>σ = 1/(1 + e^−g), silu = g·σ: dUp = d·silu, dGate = d·up·(σ + silu·(1 − σ)).</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Slopes(Vector512<float> gate, Vector512<float> up, Vector512<float> dAct, out Vector512<float> dGate, out Vector512<float> dUp)
        {
            var sigmoid = Vector512<float>.One / (Vector512<float>.One + LaneMath.Exp(-gate));
            var silu = gate * sigmoid;
            dUp = dAct * silu;
            dGate = dAct * up * Vector512.FusedMultiplyAdd(silu, Vector512<float>.One - sigmoid, sigmoid);
        }
    }
}
