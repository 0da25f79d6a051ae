using System.Numerics;

namespace Cairn.Sparse.Tests;

/// <summary>A second reader of updates, written from docs/wire.md alone: bit by bit, in big integers, with nothing of the first one's.</summary>
internal static class SlowReader
{
    private static readonly int[] Clustered = [0, 13, 26, 51, 77, 115, 154, 192];

    /// <summary>For each tensor the places (in the tensor) and values, in the order they stand.</summary>
    public static List<(int Place, float Value)>[] Read(byte[] bytes, ChunkGrid grid, QuantizerKind quantizer, WireMode mode)
    {
        Assert.Equal(Crc(bytes.AsSpan(0, 84)), BitConverter.ToUInt32(bytes, 84));
        var at = 88;
        var tensors = new List<(int, float)>[grid.TensorCount];
        for (var t = 0; t < tensors.Length; t++)
        {
            var chunks = Chunks(grid[t].Spec, grid.Keep);
            var fast = FastLength(chunks, quantizer);
            var length = fast;
            if (mode == WireMode.Small)
            {
                length = BitConverter.ToInt32(bytes, at);
                at += 4;
            }

            var section = bytes[at..(at + length)];
            Assert.Equal(Crc(section.AsSpan(0, length - 4)), BitConverter.ToUInt32(section, length - 4));
            tensors[t] = Section(section[..^4], grid[t].Spec, chunks, grid.Keep, quantizer, length == fast);
            at += length;
        }

        Assert.Equal(bytes.Length, at);
        return tensors;
    }

    private sealed record Chunk(int Row, int Col, int Rows, int Cols, int Keep)
    {
        public int Length => Rows * Cols;

        public int LowBits => (int)Math.Floor(Math.Log2(Length / Keep));

        public int MapBits => Keep + ((Length + (1 << LowBits) - 1) >> LowBits);

        public int PlaceIn(TensorSpec spec, int index) => ((Row + (index / Cols)) * spec.Cols) + Col + (index % Cols);
    }

    private static List<Chunk> Chunks(TensorSpec spec, int keep)
    {
        var (height, width) = spec.Rows == 1 ? (1, 4096) : (64, 64);
        var chunks = new List<Chunk>();
        for (var row = 0; row < spec.Rows; row += height)
        {
            for (var col = 0; col < spec.Cols; col += width)
            {
                var (rows, cols) = (Math.Min(height, spec.Rows - row), Math.Min(width, spec.Cols - col));
                chunks.Add(new Chunk(row, col, rows, cols, ((rows * cols * keep) + 4095) / 4096));
            }
        }

        return chunks;
    }

    private static int Bits(QuantizerKind quantizer) => quantizer == QuantizerKind.Sign ? 1 : 2;

    private static int BookBytes(QuantizerKind quantizer, int chunks) => quantizer == QuantizerKind.Published ? 24 : 6 + ((chunks + 1) / 2);

    private static int FastLength(List<Chunk> chunks, QuantizerKind quantizer) =>
        BookBytes(quantizer, chunks.Count) + chunks.Sum(c => Up(c.Keep * c.LowBits) + Up(c.MapBits) + Up(c.Keep * Bits(quantizer))) + 4;

    private static int Up(int bits) => (bits + 7) / 8;

    private static List<(int, float)> Section(byte[] section, TensorSpec spec, List<Chunk> chunks, int keep, QuantizerKind quantizer, bool fast)
    {
        var book = BookBytes(quantizer, chunks.Count);
        var coded = section[book..];
        var values = new List<(int, float)>();
        using var small = fast ? null : Small(coded, chunks, keep, quantizer).GetEnumerator();
        for (var c = 0; c < chunks.Count; c++)
        {
            var chunk = chunks[c];
            var levels = Levels(section, quantizer, quantizer == QuantizerKind.Published ? 0 : (section[6 + (c / 2)] >> (c % 2 * 4)) & 15);
            if (fast)
            {
                var (lows, map, codes) = (new BigInteger(coded.AsSpan(0, Up(chunk.Keep * chunk.LowBits)), true), BigInteger.Zero, BigInteger.Zero);
                coded = coded[Up(chunk.Keep * chunk.LowBits)..];
                map = new BigInteger(coded.AsSpan(0, Up(chunk.MapBits)), true);
                coded = coded[Up(chunk.MapBits)..];
                codes = new BigInteger(coded.AsSpan(0, Up(chunk.Keep * Bits(quantizer))), true);
                coded = coded[Up(chunk.Keep * Bits(quantizer))..];
                var i = 0;
                for (var bit = 0; bit < chunk.MapBits; bit++)
                {
                    if (((map >> bit) & 1) == 1)
                    {
                        var index = ((bit - i) << chunk.LowBits) | (int)((lows >> (i * chunk.LowBits)) & ((1 << chunk.LowBits) - 1));
                        values.Add((chunk.PlaceIn(spec, index), levels[(int)((codes >> (i * Bits(quantizer))) & ((1 << Bits(quantizer)) - 1))]));
                        i++;
                    }
                }
            }
            else
            {
                for (var i = 0; i < chunk.Keep; i++)
                {
                    Assert.True(small!.MoveNext());
                    values.Add((chunk.PlaceIn(spec, small.Current.Index), levels[small.Current.Code]));
                }
            }
        }

        return values;
    }

    private static float[] Levels(byte[] section, QuantizerKind quantizer, int scale)
    {
        if (quantizer == QuantizerKind.Published)
        {
            var n = Enumerable.Range(0, 6).Select(i => BitConverter.ToSingle(section, 4 * i)).ToArray();
            return [n[0] + n[2], n[0] + n[3], n[0] + n[4], n[0] + n[5]];
        }

        var m = Enumerable.Range(0, 3).Select(i => BitConverter.UInt32BitsToSingle((uint)BitConverter.ToUInt16(section, 2 * i) << 16)).ToArray();
        var low = m[0];
        for (var i = 0; i < scale; i++)
        {
            low *= m[1];
        }

        low = scale == 15 ? 0 : low;
        var high = low * m[2];
        return quantizer == QuantizerKind.Sign ? [low, -low] : [low, high, -low, -high];
    }

    private static IEnumerable<(int Index, int Code)> Small(byte[] coded, List<Chunk> chunks, int keep, QuantizerKind quantizer)
    {
        var sizes = quantizer == QuantizerKind.SignMagnitude ? 2 : 1;
        var rawCodeBits = Bits(quantizer) - (sizes - 1);
        var frequencies = Frequencies(keep, coded[0] % 8, coded[0] / 8, sizes);
        var bits = new BigInteger(coded.AsSpan(1), true);
        var states = Enumerable.Range(0, 4).Select(i => (ulong)BitConverter.ToUInt32(coded, coded.Length - 16 + (4 * i))).ToArray();
        var (bit, word) = (0, coded.Length - 16);
        foreach (var chunk in chunks)
        {
            var previous = -1;
            for (var i = 0; i < chunk.Keep; i++)
            {
                var x = states[i % 4];
                var (symbol, start, slot) = (0, 0UL, x % 4096);
                while (start + frequencies[symbol] <= slot)
                {
                    start += frequencies[symbol++];
                }

                x = (frequencies[symbol] * (x / 4096)) + slot - start;
                if (x < 65536)
                {
                    word -= 2;
                    x = (x * 65536) + BitConverter.ToUInt16(coded, word);
                }

                states[i % 4] = x;
                var (first, width) = Class(symbol / sizes);
                var raw = (int)((bits >> bit) & ((1 << rawCodeBits) - 1));
                bit += rawCodeBits;
                var gap = first + (int)((bits >> bit) & ((1 << width) - 1));
                bit += width;
                previous += 1 + gap;
                yield return (previous, sizes == 2 ? (2 * raw) + (symbol % 2) : raw);
            }
        }

        Assert.Equal([65536UL, 65536UL, 65536UL, 65536UL], states);
        Assert.Equal(word, 1 + Up(bit));
    }

    private static (int First, int Bits) Class(int c) => c < 32 ? (8 * c, 3) : c < 36 ? (256 + (64 * (c - 32)), 6) : c < 38 ? (512 + (256 * (c - 36)), 8) : c == 38 ? (1024, 10) : (2048, 11);

    private static ulong[] Frequencies(int keep, int mixture, int high, int sizes)
    {
        var masses = new BigInteger[40 * sizes];
        void Law(BigInteger p, int part)
        {
            var left = BigInteger.One << 32;
            for (var c = 0; c < 40; c++)
            {
                var before = left;
                for (var g = 0; g < 1 << Class(c).Bits; g++)
                {
                    left = (left * ((BigInteger.One << 32) - p)) >> 32;
                }

                var mass = (c == 39 ? before : before - left) * part;
                for (var s = 0; s < sizes; s++)
                {
                    masses[(c * sizes) + s] += sizes == 1 ? mass : mass * (s == 0 ? 15 - (2 * high) : 1 + (2 * high));
                }
            }
        }

        var (even, w, half) = ((BigInteger)keep << 20, Clustered[mixture], BigInteger.One << 31);
        Law(BigInteger.Min(8 * even, half), w);
        Law(BigInteger.Min(even * (256 - w) * 8 / (2048 - w), half), 256 - w);
        var total = masses.Aggregate(BigInteger.Zero, (a, b) => a + b);
        var frequencies = masses.Select(x => Math.Max(1UL, (ulong)(x * 4096 / total))).ToArray();
        var largest = Array.IndexOf(frequencies, frequencies.Max());
        frequencies[largest] = 4096 - frequencies.Where((_, i) => i != largest).Aggregate(0UL, (a, b) => a + b);
        return frequencies;
    }

    internal static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var i = 0; i < 8; i++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0x82F63B78);
            }
        }

        return ~crc;
    }
}
