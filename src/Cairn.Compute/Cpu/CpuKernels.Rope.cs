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

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Row(float* pairs, float* cos, float* sin, int half, int heads, float sign)
        {
            var whole = Lanes.Whole(half);
            var rest = half - whole;
            var signs = Vector512.Create(sign);
            for (var head = 0; head < heads; head++, pairs += 2 * half)
            {
                for (var i = 0; i < whole; i += Lanes.Count)
                {
                    Turn(Vector512.Load(pairs + i), Vector512.Load(pairs + half + i), Vector512.Load(cos + i), Vector512.Load(sin + i) * signs, out var a, out var b);
                    a.Store(pairs + i);
                    b.Store(pairs + half + i);
                }

                if (rest > 0)
                {
                    Turn(
                        Lanes.LoadEnd(pairs + whole, rest), Lanes.LoadEnd(pairs + half + whole, rest),
                        Lanes.LoadEnd(cos + whole, rest), Lanes.LoadEnd(sin + whole, rest) * signs, out var a, out var b);
                    Lanes.StoreEnd(a, pairs + whole, rest);
                    Lanes.StoreEnd(b, pairs + half + whole, rest);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Turn(
            Vector512<float> a, Vector512<float> b, Vector512<float> cos, Vector512<float> sin, out Vector512<float> turnedA, out Vector512<float> turnedB)
        {
            // The sign comes in by a product: negation of a vector is not the same operation at every width.
            turnedA = Vector512.FusedMultiplyAdd(a, cos, b * sin * Vector512.Create(-1f));
            turnedB = Vector512.FusedMultiplyAdd(b, cos, a * sin);
        }
    }
}
