using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Cairn.Sparse;

/// <summary>Little-endian numbers at any address.</summary>
internal static unsafe class Little
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort UInt16(byte* at) => BitConverter.IsLittleEndian ? Unsafe.ReadUnaligned<ushort>(at) : (ushort)(at[0] | (at[1] << 8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint UInt32(byte* at) => BitConverter.IsLittleEndian ? Unsafe.ReadUnaligned<uint>(at) : (uint)UInt16(at) | ((uint)UInt16(at + 2) << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong UInt64(byte* at) => BitConverter.IsLittleEndian ? Unsafe.ReadUnaligned<ulong>(at) : UInt32(at) | ((ulong)UInt32(at + 4) << 32);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(byte* at, ulong value) => Unsafe.WriteUnaligned(at, BitConverter.IsLittleEndian ? value : BinaryPrimitives.ReverseEndianness(value));
}
