using System.Buffers.Binary;

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
    /// <param name="target">Receives: number of the table in one byte; low bits and codes; words; states. Of at least 1 + StateBytes bytes.</param>
    /// <returns>How many bytes, or −1 if they do not fit.</returns>
    public static int Write(SparseTensor tensor, GapModels models, Span<byte> target)
    {
        var symbols = new byte[tensor.Grid.ValueCount];
        var histogram = new int[models.Symbols];
        var raw = new BitWriter(target[1..]);
        for (var chunk = 0; chunk < tensor.Grid.ChunkCount; chunk++)
        {
            var first = tensor.Grid.FirstValueOf(chunk);
            WriteRaw(tensor.IndicesOf(chunk), tensor.CodesOf(chunk), models, symbols.AsSpan(first), histogram, ref raw);
        }

        var at = 1 + raw.Flush();
        if (raw.Overrun)
        {
            return -1;
        }

        var best = models.Best(histogram);
        target[0] = (byte)best;
        Span<uint> states = [Lowest, Lowest, Lowest, Lowest];
        for (var chunk = tensor.Grid.ChunkCount - 1; chunk >= 0 && at >= 0; chunk--)
        {
            at = WriteSymbols(symbols.AsSpan(tensor.Grid.FirstValueOf(chunk), tensor.Grid.KeepOf(chunk)), models[best], states, target, at);
        }

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

    private static void WriteRaw(
        ReadOnlySpan<ushort> indices, ReadOnlySpan<byte> codes, GapModels models, Span<byte> symbols, int[] histogram, ref BitWriter raw)
    {
        var (previous, sizeBit, codeBits, reading) = (-1, models.Sizes - 1, models.RawCodeBits, models.Reading);
        for (var i = 0; i < indices.Length; i++)
        {
            var gap = indices[i] - previous - 1;
            previous = indices[i];
            var symbol = (GapModels.ClassOf(gap) << sizeBit) | (codes[i] & sizeBit);
            symbols[i] = (byte)symbol;
            histogram[symbol]++;
            var entry = reading[symbol];
            var low = (uint)gap + 1 - (entry >> 16);
            raw.Write((uint)(codes[i] >> sizeBit) | (low << codeBits), (int)(entry >> 12) & 15);
        }
    }

    private static int WriteSymbols(ReadOnlySpan<byte> symbols, GapModel model, Span<uint> states, Span<byte> target, int at)
    {
        var (frequencies, starts) = (model.Frequencies, model.Starts);
        for (var i = symbols.Length - 1; i >= 0; i--)
        {
            var (x, symbol) = (states[i & 3], symbols[i]);
            uint f = frequencies[symbol];
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

            var quotient = x / f;
            states[i & 3] = (quotient << GapModels.ScaleBits) + (x - (quotient * f)) + starts[symbol];
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
