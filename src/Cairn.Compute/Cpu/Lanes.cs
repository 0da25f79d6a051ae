using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Cairn.Compute;

/// <summary>Sixteen fp32 lanes whatever the machine offers: one AVX-512 register, two of AVX2 or four of 128 bits. Every operation used here is an IEEE
/// operation lane by lane, and lanes are joined by a fixed tree, so that the width
/// never shows in the bits.</summary>
/// <remarks>A kernel's loop takes whole vectors only and calls nothing (a call would push its constants out of the registers); the end of a row goes through the
/// same loop in a padded copy.</remarks>
internal static unsafe class Lanes
{
    /// <summary>How many.</summary>
    public const int Count = 16;

    /// <summary>The next multiple of 16.</summary>
    public static int RoundUp(int length) => (length + (Count - 1)) & ~(Count - 1);

    /// <summary>How many of <paramref name="length"/> numbers fill whole vectors.</summary>
    public static int Whole(int length) => length & ~(Count - 1);

    /// <summary>Copies the end of a row (fewer than 16 numbers) to 16, the others set to <paramref name="fill"/>.</summary>
    public static void Pad(float* from, int count, float* to, float fill = 0)
    {
        for (var i = 0; i < Count; i++)
        {
            to[i] = i < count ? from[i] : fill;
        }
    }

    /// <summary>Copies the first <paramref name="count"/> of 16 numbers back to the end of a row.</summary>
    public static void Unpad(float* from, int count, float* to)
    {
        for (var i = 0; i < count; i++)
        {
            to[i] = from[i];
        }
    }

    /// <summary>Lane l is all ones where at + l is below <paramref name="length"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Below(int at, int length) =>
        Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(length - at)).AsSingle();

    /// <summary>The sum of the lanes: halves are added until one is left.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector512<float> lanes)
    {
        var eight = lanes.GetLower() + lanes.GetUpper();
        var four = eight.GetLower() + eight.GetUpper();
        var two = four + Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1));
        return (two + Vector128.Shuffle(two, Vector128.Create(1, 0, 3, 2))).ToScalar();
    }

    /// <summary>The sum of the lanes in double, by the same tree.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Sum(Vector512<double> lanes)
    {
        var four = lanes.GetLower() + lanes.GetUpper();
        var two = four.GetLower() + four.GetUpper();
        return two.GetElement(0) + two.GetElement(1);
    }

    /// <summary>The larger of two, lane by lane: <paramref name="b"/> where they are equal or either is NaN. The built-in maximum is not used since
    /// machines differ in what it makes of NaN and of two zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Larger(Vector512<float> a, Vector512<float> b) => Vector512.ConditionalSelect(Vector512.GreaterThan(a, b), a, b);

    /// <summary>The largest lane, by halving; of lanes with NaN, unspecified but the same everywhere.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Vector512<float> lanes)
    {
        var (lower, upper) = (lanes.GetLower(), lanes.GetUpper());
        var eight = Vector256.ConditionalSelect(Vector256.GreaterThan(lower, upper), lower, upper);
        var four = Larger(eight.GetLower(), eight.GetUpper());
        var two = Larger(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return Larger(two, Vector128.Shuffle(two, Vector128.Create(1, 0, 3, 2))).ToScalar();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Larger(Vector128<float> a, Vector128<float> b) => Vector128.ConditionalSelect(Vector128.GreaterThan(a, b), a, b);
}
