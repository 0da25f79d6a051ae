using System.Runtime.CompilerServices;

namespace Cairn.Sparse;

/// <summary>Numbers of the wire at any address. The wire's order of bytes is the processor's, little-endian: <see cref="SparseUpdateCodec"/> asks for it.</summary>
internal static unsafe class Little
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort UInt16(byte* at) => Unsafe.ReadUnaligned<ushort>(at);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint UInt32(byte* at) => Unsafe.ReadUnaligned<uint>(at);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong UInt64(byte* at) => Unsafe.ReadUnaligned<ulong>(at);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(byte* at, ulong value) => Unsafe.WriteUnaligned(at, value);
}
