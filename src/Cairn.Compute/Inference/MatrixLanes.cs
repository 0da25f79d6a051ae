using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cairn.Compute;

/// <summary>How sixteen numbers of a matrix become fp32.</summary>
internal unsafe interface IMatrixLanes
{
    /// <summary>Bytes of sixteen numbers.</summary>
    static abstract int Bytes { get; }

    /// <summary>Sixteen numbers.</summary>
    static abstract Vector512<float> Load(byte* at);
}

/// <summary>fp32 as it is.</summary>
internal readonly unsafe struct F32Lanes : IMatrixLanes
{
    public static int Bytes => 64;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(byte* at) => Vector512.Load((float*)at);
}

/// <summary>bfloat16: the upper half of an fp32 number.</summary>
internal readonly unsafe struct Bf16Lanes : IMatrixLanes
{
    public static int Bytes => 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(byte* at) =>
        Vector512.ShiftLeft(Avx512F.IsSupported ? Avx512F.ConvertToVector512UInt32(Vector256.Load((ushort*)at)) : Widen(at), 16).AsSingle();

    private static Vector512<uint> Widen(byte* at)
    {
        var (lower, upper) = Vector256.Widen(Vector256.Load((ushort*)at));
        return Vector512.Create(lower, upper);
    }
}
