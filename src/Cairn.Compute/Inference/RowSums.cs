using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cairn.Compute;

/// <summary>The sums of lanes at the end of a tile.</summary>
internal static unsafe class RowSums
{
    /// <summary>The sums of four vectors, each by the tree of <see cref="Lanes.Sum(Vector512{float})"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<float> OfFour(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d)
    {
        if (!Sse.IsSupported)
        {
            return Vector128.Create(Lanes.Sum(a), Lanes.Sum(b), Lanes.Sum(c), Lanes.Sum(d));
        }

        return OfFour(a.GetLower() + a.GetUpper(), b.GetLower() + b.GetUpper(), c.GetLower() + c.GetUpper(), d.GetLower() + d.GetUpper());
    }

    /// <summary>The sums of four vectors of eight lanes, each by halving.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<float> OfFour(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d)
    {
        if (!Sse.IsSupported)
        {
            return Vector128.Create(Sum(Quarter(a)), Sum(Quarter(b)), Sum(Quarter(c)), Sum(Quarter(d)));
        }

        return Transposed(Quarter(a), Quarter(b), Quarter(c), Quarter(d));
    }

    /// <summary>Writes four sums, or adds them to what is there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Put(Vector128<float> sums, float* to, bool add) => (add ? Vector128.Load(to) + sums : sums).Store(to);

    private static Vector128<float> Quarter(Vector256<float> lanes) => lanes.GetLower() + lanes.GetUpper();

    private static float Sum(Vector128<float> four) => four[0] + four[2] + (four[1] + four[3]);

    // Lane 0 with 2 and 1 with 3, then the two: of all four at once.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Transposed(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d)
    {
        var ab = Sse.UnpackLow(a, b) + Sse.UnpackHigh(a, b);
        var cd = Sse.UnpackLow(c, d) + Sse.UnpackHigh(c, d);
        return Sse.MoveLowToHigh(ab, cd) + Sse.MoveHighToLow(cd, ab);
    }
}
