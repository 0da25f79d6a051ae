using Cairn.Compute;

namespace Cairn.Bench;

/// <summary>Which of the three products of a linear layer.</summary>
internal enum ProductForm
{
    /// <summary>y = x·wᵀ.</summary>
    Forward,

    /// <summary>dx = dy·w.</summary>
    InputGradient,

    /// <summary>dw = dyᵀ·x.</summary>
    ParameterGradient,
}

/// <summary>A product C[M,N] summed over K, as it occurs in training.</summary>
/// <param name="Kind">Where it occurs.</param>
/// <param name="M">Rows of C.</param>
/// <param name="N">Columns of C.</param>
/// <param name="K">Length of the sums.</param>
/// <param name="Form">Which product.</param>
internal sealed record MatMulShape(string Kind, int M, int N, int K, ProductForm Form)
{
    /// <summary>The shapes of compute.md, then those of the nano preset and of generation.</summary>
    public static IReadOnlyList<MatMulShape> All { get; } =
    [
        new("large", 2048, 1024, 1024, ProductForm.Forward),
        new("large", 2048, 1024, 1024, ProductForm.InputGradient),
        new("large", 1024, 1024, 2048, ProductForm.ParameterGradient),
        new("large", 1024, 2816, 1024, ProductForm.Forward),
        new("large", 1024, 1024, 2816, ProductForm.InputGradient),
        new("large", 2816, 1024, 1024, ProductForm.ParameterGradient),
        new("head", 1024, 32000, 512, ProductForm.Forward),
        new("head", 1024, 512, 32000, ProductForm.InputGradient),
        new("head", 32000, 512, 1024, ProductForm.ParameterGradient),
        new("small", 512, 512, 512, ProductForm.Forward),
        new("small", 512, 1408, 512, ProductForm.Forward),
        new("attention", 256, 64, 256, ProductForm.InputGradient),
        new("attention", 256, 256, 64, ProductForm.Forward),
        new("nano", 1024, 256, 128, ProductForm.Forward),
        new("nano", 1024, 768, 128, ProductForm.Forward),
        new("nano", 1024, 128, 384, ProductForm.Forward),
        new("nano", 1024, 4096, 128, ProductForm.Forward),
        new("nano", 1024, 128, 768, ProductForm.InputGradient),
        new("nano", 1024, 128, 4096, ProductForm.InputGradient),
        new("nano", 768, 128, 1024, ProductForm.ParameterGradient),
        new("nano", 4096, 128, 1024, ProductForm.ParameterGradient),
        new("generation", 1, 4096, 1024, ProductForm.Forward),
        new("generation", 8, 4096, 1024, ProductForm.Forward),
    ];

    /// <summary>Floating-point operations of one product.</summary>
    public double Operations => 2.0 * M * N * K;

    /// <summary>For tables and for choosing.</summary>
    public string Name => $"{Kind} {M}x{N}x{K} {Form switch { ProductForm.Forward => "y=xwT", ProductForm.InputGradient => "dx=dyw", _ => "dw=dyTx" }}";

    /// <summary>Computes C.</summary>
    /// <param name="kernels">With these.</param>
    /// <param name="left">M·K floats.</param>
    /// <param name="right">N·K floats.</param>
    /// <param name="result">M·N floats, overwritten.</param>
    public void Run(IKernels kernels, ReadOnlySpan<float> left, ReadOnlySpan<float> right, Span<float> result)
    {
        switch (Form)
        {
            case ProductForm.Forward:
                kernels.MatMul(left, right, result, M, N, K, accumulate: false);
                break;
            case ProductForm.InputGradient:
                kernels.MatMulInputGradient(left, right, result, M, K, N, accumulate: false);
                break;
            default:
                kernels.MatMulParameterGradient(left, right, result, K, M, N, accumulate: false);
                break;
        }
    }
}
