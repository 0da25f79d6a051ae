namespace Cairn.Compute;

/// <summary>bfloat16: the upper half of an fp32 number.</summary>
internal static class Bf16
{
    /// <summary>The nearest bf16, ties to even; not-a-number stays one.</summary>
    internal static ushort Round(float number)
    {
        var bits = BitConverter.SingleToUInt32Bits(number);
        return float.IsNaN(number) ? (ushort)((bits >> 16) | 0x40) : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>The number a bf16 stands for.</summary>
    internal static float Widen(ushort half) => BitConverter.UInt32BitsToSingle((uint)half << 16);

    /// <summary>Two neighbours along k as one word, the earlier one low.</summary>
    internal static uint Pair(float early, float late) => Round(early) | ((uint)Round(late) << 16);
}
