namespace Cairn.Formats;

/// <summary>How the numbers of a tensor are stored. The values are those of GGUF.</summary>
public enum NumberType
{
    /// <summary>32-bit floats.</summary>
    F32 = 0,

    /// <summary>16-bit floats of IEEE 754: finer, and up to 65,504 only.</summary>
    F16 = 1,

    /// <summary>Blocks of 32 numbers as bytes with one scale: 8.5 bits a number.</summary>
    Q80 = 8,

    /// <summary>Blocks of 256 numbers of 4 bits with eight scales and offsets of 6 bits: 4.5 bits a number.</summary>
    Q4K = 12,

    /// <summary>The upper half of 32-bit floats: coarser, of the same range.</summary>
    BF16 = 30,
}
