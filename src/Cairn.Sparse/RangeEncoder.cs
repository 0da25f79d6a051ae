using System.Buffers.Binary;
using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>Codes the places and codes of a tensor by asymmetric numeral systems (Duda 2013), in the range variant with four states of 32 bits and words of 16.</summary>
/// <remarks>Value i of a chunk belongs to state i mod 4. Values are coded from the last to the first, so that they are read from the first on. The step of a symbol is
/// the exact inverse of the reader's, and all states begin at 2^16: to one content and table belongs one form.</remarks>
internal static class RangeEncoder
{
    /// <summary>Where every state begins, and never falls below.</summary>
    public const uint Lowest = 1 << 16;

    /// <summary>Bytes of the four last states.</summary>
    public const int StateBytes = 16;

    /// <summary>Codes a tensor.</summary>
    /// <param name="tensor">What is sent.</param>
    /// <param name="models">The tables.</param>
    /// <param name="rawCodeBits">Bits of a code beside its size.</param>
    /// <param name="target">Receives: number of the table in one byte; low bits and codes; words; states. Of at least 1 + StateBytes bytes.</param>
    /// <returns>How many bytes, or −1 if they do not fit.</returns>
    public static int Write(SparseTensor tensor, GapModels models, int rawCodeBits, Span<byte> target)
    {
        var symbols = new byte[tensor.Grid.ValueCount];
        var histogram = new int[models.Symbols];
        var raw = new BitWriter(target[1..]);
        WriteRaw(tensor, models.Sizes - 1, rawCodeBits, symbols, histogram, ref raw);
        var at = 1 + raw.Flush();
        if (raw.Overrun)
        {
            return -1;
        }

        var best = models.Best(histogram);
        target[0] = (byte)best;
        Span<uint> states = [Lowest, Lowest, Lowest, Lowest];
        at = WriteSymbols(tensor.Grid, symbols, models[best], states, target, at);
        if (at < 0 || at + StateBytes > target.Length)
        {
            return -1;
        }

        for (var i = 0; i < states.Length; i++, at += 4)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(target[at..], states[i]);
        }

        return at;
    }

    private static void WriteRaw(SparseTensor tensor, int sizeBit, int rawCodeBits, byte[] symbols, int[] histogram, ref BitWriter raw)
    {
        var indices = tensor.Indices;
        var codes = tensor.Codes;
        for (var chunk = 0; chunk < tensor.Grid.ChunkCount; chunk++)
        {
            var (first, end) = (tensor.Grid.FirstValueOf(chunk), tensor.Grid.FirstValueOf(chunk + 1));
            var previous = -1;
            for (var i = first; i < end; i++)
            {
                var gap = indices[i] - previous - 1;
                previous = indices[i];
                var gapClass = GapModels.ClassOf(gap);
                var symbol = (gapClass << sizeBit) | (codes[i] & sizeBit);
                symbols[i] = (byte)symbol;
                histogram[symbol]++;
                var low = gap - GapModels.FirstOf(gapClass);
                raw.Write((uint)((codes[i] >> sizeBit) | (low << rawCodeBits)), rawCodeBits + GapModels.BitsOf(gapClass));
            }
        }
    }

    private static int WriteSymbols(TensorGrid grid, byte[] symbols, GapModel model, Span<uint> states, Span<byte> target, int at)
    {
        for (var chunk = grid.ChunkCount - 1; chunk >= 0; chunk--)
        {
            var first = grid.FirstValueOf(chunk);
            for (var i = grid.KeepOf(chunk) - 1; i >= 0; i--)
            {
                ref var x = ref states[i & 3];
                var symbol = symbols[first + i];
                uint f = model.Frequencies[symbol];
                if (x >= (ulong)f << 20)
                {
                    if (at + 2 > target.Length)
                    {
                        return -1;
                    }

                    BinaryPrimitives.WriteUInt16LittleEndian(target[at..], (ushort)x);
                    x >>= 16;
                    at += 2;
                }

                var (quotient, rest) = Math.DivRem(x, f);
                x = (quotient << GapModels.ScaleBits) + rest + model.Starts[symbol];
            }
        }

        return at;
    }

    /// <summary>Bits from the lowest of the first byte on.</summary>
    private ref struct BitWriter(Span<byte> target)
    {
        private readonly Span<byte> _target = target;
        private ulong _pending;
        private int _count;
        private int _at;

        public bool Overrun { get; private set; }

        public void Write(uint bits, int count)
        {
            _pending |= (ulong)bits << _count;
            _count += count;
            if (_count >= 32)
            {
                Overrun |= _at + 4 > _target.Length;
                if (!Overrun)
                {
                    BinaryPrimitives.WriteUInt32LittleEndian(_target[_at..], (uint)_pending);
                    _at += 4;
                }

                (_pending, _count) = (_pending >> 32, _count - 32);
            }
        }

        /// <summary>Writes what is left, filled up with zeros; tells how many bytes there are.</summary>
        public int Flush()
        {
            for (; _count > 0; _count -= 8, _pending >>= 8)
            {
                Overrun |= _at >= _target.Length;
                if (!Overrun)
                {
                    _target[_at++] = (byte)_pending;
                }
            }

            return _at;
        }
    }
}
