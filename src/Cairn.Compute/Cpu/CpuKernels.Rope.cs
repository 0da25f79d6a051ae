using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Cairn.Base;

namespace Cairn.Compute;

/// <content>Rotary position embedding.</content>
public sealed unsafe partial class CpuKernels
{
    /// <inheritdoc/>
    public void Rope(Span<float> qkv, RopeTable table, in AttentionShape shape, bool inverse)
    {
        Invariant.Check(qkv.Length == (long)shape.Rows * shape.QkvWidth && table.HeadDim == shape.HeadDim && table.Length >= shape.Length);
        fixed (float* rows = qkv, cos = table.Cos, sin = table.Sin)
        {
            var work = new RopeWork(rows, cos, sin, shape, inverse ? -1f : 1f);
            _pool.Run(ref work, Blocks(shape.Rows, RowBlock));
        }
    }

    private readonly struct RopeWork(float* qkv, float* cos, float* sin, AttentionShape shape, float sign) : IWork
    {
        public void Run(int item, int worker)
        {
            var end = Math.Min(shape.Rows, (item + 1) * RowBlock);
            var half = shape.HeadDim / 2;
            for (var r = item * RowBlock; r < end; r++)
            {
                var at = (nint)(r % shape.Length) * half;
                Row(qkv + ((nint)r * shape.QkvWidth), cos + at, sin + at, half, shape.Heads + shape.KvHeads, sign);
            }
        }

        private static void Row(float* pairs, float* cos, float* sin, int half, int heads, float sign)
        {
            var whole = Lanes.Whole(half);
            var rest = half - whole;
            var end = stackalloc float[4 * Lanes.Count];
            if (rest > 0)
            {
                Lanes.Pad(cos + whole, rest, end + (2 * Lanes.Count));
                Lanes.Pad(sin + whole, rest, end + (3 * Lanes.Count));
            }

            for (var head = 0; head < heads; head++, pairs += 2 * half)
            {
                Turn(pairs, pairs + half, cos, sin, whole, sign);
                if (rest > 0)
                {
                    Lanes.Pad(pairs + whole, rest, end);
                    Lanes.Pad(pairs + half + whole, rest, end + Lanes.Count);
                    Turn(end, end + Lanes.Count, end + (2 * Lanes.Count), end + (3 * Lanes.Count), Lanes.Count, sign);
                    Lanes.Unpad(end, rest, pairs + whole);
                    Lanes.Unpad(end + Lanes.Count, rest, pairs + half + whole);
                }
            }
        }

        /// <summary>(a, b) ← (a·cos − b·sin, b·cos + a·sin). Signs come in by products:
        /// negation of a vector is not the same operation at every width.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Turn(float* a, float* b, float* cos, float* sin, int count, float sign)
        {
            var (plus, minus) = (Vector512.Create(sign), Vector512.Create(-sign));
            for (var i = 0; i < count; i += Lanes.Count)
            {
                var (x, y) = (Vector512.Load(a + i), Vector512.Load(b + i));
                var (c, s) = (Vector512.Load(cos + i), Vector512.Load(sin + i));
                Vector512.FusedMultiplyAdd(x, c, y * (s * minus)).Store(a + i);
                Vector512.FusedMultiplyAdd(y, c, x * (s * plus)).Store(b + i);
            }
        }
    }
}
