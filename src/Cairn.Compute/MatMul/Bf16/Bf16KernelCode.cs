namespace Cairn.Compute;

/// <summary>The machine code of the bf16 micro-kernel: C[rows, 32] (+)= Σ over pairs of k of packed A times packed B.</summary>
/// <remarks>.NET has no API for vdpbf16ps, hence these bytes. Signature, System V: (pairs, a, b, c, bytes between rows of C, accumulate as int). The code is
/// position-independent, calls nothing, uses no stack and overwrites only registers that the convention lets it. Listing: docs/matrix-products.md.</remarks>
internal static class Bf16KernelCode
{
    /// <summary>Width of the tile: two vectors.</summary>
    internal const int Columns = 32;

    /// <summary>Height of the tallest tile: 24 sums, 2 of B and broadcasts of A share 32 registers.</summary>
    internal const int RowsMax = 12;

    private const int Vector = 64;
    private const int Low = 0, High = 1, FirstBroadcast = 2, Broadcasts = 4, FirstSum = 8;

    /// <summary>Writes the kernel of a height.</summary>
    /// <param name="rows">1 to <see cref="RowsMax"/>.</param>
    /// <param name="code">Room for 2 KB.</param>
    /// <returns>Bytes written.</returns>
    internal static int Write(int rows, Span<byte> code)
    {
        var writer = new EvexWriter(code);
        writer.Move(GeneralRegister.Rax, GeneralRegister.Rcx);
        for (var row = 0; row < rows; row++)
        {
            writer.Prefetch(GeneralRegister.Rax, 0);
            writer.Prefetch(GeneralRegister.Rax, Vector);
            writer.AddR8(GeneralRegister.Rax);
            writer.Clear(FirstSum + (2 * row));
            writer.Clear(FirstSum + (2 * row) + 1);
        }

        WriteLoop(ref writer, rows);
        writer.TestR9();
        var store = writer.JumpAheadIfZero();
        WriteResult(ref writer, rows, accumulate: true);
        writer.Land(store);
        WriteResult(ref writer, rows, accumulate: false);
        return writer.Length;
    }

    private static void WriteLoop(ref EvexWriter writer, int rows)
    {
        var loop = writer.Length;
        writer.Load(Low, GeneralRegister.Rdx, 0);
        writer.Load(High, GeneralRegister.Rdx, Vector);
        for (var row = 0; row < rows; row++)
        {
            var broadcast = FirstBroadcast + (row % Broadcasts);
            writer.Broadcast(broadcast, GeneralRegister.Rsi, sizeof(uint) * row);
            writer.DotPairs(FirstSum + (2 * row), Low, broadcast);
            writer.DotPairs(FirstSum + (2 * row) + 1, High, broadcast);
        }

        writer.Add(GeneralRegister.Rsi, sizeof(uint) * rows);
        writer.Add(GeneralRegister.Rdx, 2 * Vector);
        writer.Decrement(GeneralRegister.Rdi);
        writer.JumpBackIfNotZero(loop);
    }

    private static void WriteResult(ref EvexWriter writer, int rows, bool accumulate)
    {
        for (var row = 0; row < rows; row++)
        {
            var sum = FirstSum + (2 * row);
            if (accumulate)
            {
                writer.Add(sum, GeneralRegister.Rcx, 0);
                writer.Add(sum + 1, GeneralRegister.Rcx, Vector);
            }

            writer.Store(sum, GeneralRegister.Rcx, 0);
            writer.Store(sum + 1, GeneralRegister.Rcx, Vector);
            writer.AddR8(GeneralRegister.Rcx);
        }

        writer.Return();
    }
}
