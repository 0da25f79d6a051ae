using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Cairn.Compute;

/// <summary>What attention does to a row of scores. Scores after the diagonal become zeros as far as the products read (a group of 12 rows).</summary>
internal static unsafe class AttentionRows
{
    /// <summary>Replaces scores by e^(scale·(score − largest)).</summary>
    /// <param name="scores">A row; readable to 32 past <paramref name="length"/>.</param>
    /// <param name="length">Scores up to the diagonal; at least 1.</param>
    /// <param name="scale">1/√E.</param>
    /// <param name="sum">Their sum: at least about 1.</param>
    /// <returns>The log-sum-exp of the scaled scores.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Powers(float* scores, int length, float scale, out float sum)
    {
        // The last vector holds at least one score, so that the zeros behind it stay within the row.
        var whole = Lanes.Whole(length - 1);
        var below = Lanes.Below(whole, length);
        var last = Vector512.ConditionalSelect(below, Vector512.Load(scores + whole), Vector512.Create(float.NegativeInfinity));
        var highest = last;
        for (var i = 0; i < whole; i += Lanes.Count)
        {
            highest = Lanes.Larger(highest, Vector512.Load(scores + i));
        }

        var subtracted = Lanes.Largest(highest) * scale;
        var scales = Vector512.Create(scale);
        var subtractions = Vector512.Create(subtracted);
        var sums = Vector512<float>.Zero;
        for (var i = 0; i < whole; i += Lanes.Count)
        {
            var power = LaneMath.Exp((Vector512.Load(scores + i) * scales) - subtractions);
            power.Store(scores + i);
            sums += power;
        }

        last = LaneMath.Exp((last * scales) - subtractions);
        last.Store(scores + whole);
        Vector512<float>.Zero.Store(scores + whole + Lanes.Count);
        sum = Lanes.Sum(sums + last);
        return subtracted + LaneMath.Log(sum);
    }

    /// <summary>Replaces scores by the shares P = e^(scale·score − lse), and dP by dS = P∘(dP − δ)·scale.</summary>
    /// <param name="scores">A row; readable to 32 past <paramref name="length"/>.</param>
    /// <param name="dShares">The row's ⟨dO, V⟩, likewise.</param>
    /// <param name="length">Scores up to the diagonal; at least 1.</param>
    /// <param name="scale">1/√E.</param>
    /// <param name="lse">Of the forward pass.</param>
    /// <param name="delta">⟨dO, O⟩ of the row.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gradients(float* scores, float* dShares, int length, float scale, float lse, float delta)
    {
        // The last vector holds at least one score, so that the zeros behind it stay within the row.
        var whole = Lanes.Whole(length - 1);
        var below = Lanes.Below(whole, length);
        var scales = Vector512.Create(scale);
        var subtractions = Vector512.Create(lse);
        var deltas = Vector512.Create(delta);
        for (var i = 0; i < whole; i += Lanes.Count)
        {
            var share = LaneMath.Exp((Vector512.Load(scores + i) * scales) - subtractions);
            share.Store(scores + i);
            (share * (Vector512.Load(dShares + i) - deltas) * scales).Store(dShares + i);
        }

        var last = LaneMath.Exp((Vector512.Load(scores + whole) * scales) - subtractions);
        last = Vector512.ConditionalSelect(below, last, Vector512<float>.Zero);
        last.Store(scores + whole);
        var slope = last * (Vector512.Load(dShares + whole) - deltas) * scales;
        Vector512.ConditionalSelect(below, slope, Vector512<float>.Zero).Store(dShares + whole);
        Vector512<float>.Zero.Store(scores + whole + Lanes.Count);
        Vector512<float>.Zero.Store(dShares + whole + Lanes.Count);
    }

    /// <summary>⟨a, b⟩ over a head's width.</summary>
    public static float Dot(float* a, float* b, int length)
    {
        var whole = Lanes.Whole(length);
        var sums = Products(a, b, whole, Vector512<float>.Zero);
        if (whole < length)
        {
            var end = stackalloc float[2 * Lanes.Count];
            Lanes.Pad(a + whole, length - whole, end);
            Lanes.Pad(b + whole, length - whole, end + Lanes.Count);
            sums = Products(end, end + Lanes.Count, Lanes.Count, sums);
        }

        return Lanes.Sum(sums);
    }

    /// <summary>to = from · factor; from is padded to whole vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scale(float* from, float factor, float* to, int length)
    {
        var whole = Lanes.Whole(length);
        var factors = Vector512.Create(factor);
        for (var i = 0; i < whole; i += Lanes.Count)
        {
            (Vector512.Load(from + i) * factors).Store(to + i);
        }

        for (var i = whole; i < length; i++)
        {
            to[i] = from[i] * factor;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Vector512<float> Products(float* a, float* b, int count, Vector512<float> sums)
    {
        for (var i = 0; i < count; i += Lanes.Count)
        {
            sums = Vector512.FusedMultiplyAdd(Vector512.Load(a + i), Vector512.Load(b + i), sums);
        }

        return sums;
    }
}
