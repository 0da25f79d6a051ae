namespace Cairn.Compute;

/// <summary>In what the factors of large matrix products are held. Sums, parameters, moments and everything outside large products stay fp32.</summary>
public enum MatMulPrecision
{
    /// <summary>fp32: canonical. The same bits on every machine, for any thread count and vector width.</summary>
    Fp32,

    /// <summary>Factors rounded to bfloat16: faster on x64 Linux with AVX-512 BF16, refused elsewhere.</summary>
    /// <remarks><b>Not bit-portable:</b> the instruction flushes denormals and adds pairs in an order of its own, so no other machine is bound to repeat
    /// the result. A peer whose work may be replayed must not use it, and a validator never does. See <see cref="CpuKernels.HasBf16"/>.</remarks>
    Bf16,
}
