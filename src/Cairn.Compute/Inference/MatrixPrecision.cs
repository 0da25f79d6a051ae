namespace Cairn.Compute;

/// <summary>How the matrices of a model are held for inference. Activations are fp32 in every case.</summary>
public enum MatrixPrecision
{
    /// <summary>As they are: 4 bytes a number.</summary>
    F32,

    /// <summary>Rounded to bfloat16: 2 bytes a number; products are of fp32.</summary>
    Bf16,

    /// <summary>Blocks of 32 numbers in 8 bits with a half-precision scale (GGUF's Q8_0): 34 bytes for 32 numbers. Activations are rounded alike, block by
    /// block, and blocks are multiplied in integers.</summary>
    Int8,
}
