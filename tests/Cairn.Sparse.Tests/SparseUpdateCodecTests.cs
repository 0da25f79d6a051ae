using Cairn.Base;

namespace Cairn.Sparse.Tests;

public class SparseUpdateCodecTests
{
    private static readonly ChunkGrid Grid = TestData.Mixed;

    [Fact]
    public void What_is_encoded_is_decoded()
    {
        var update = TestData.Update(Grid, "codec");
        var bytes = SparseUpdateCodec.Encode(update);
        Assert.True(Decode(bytes, out var back, out var why));
        Assert.Equal(Rejection.None, why);
        Assert.Equal((update.Rules, update.Round, update.Uid), (back!.Rules, back.Round, back.Uid));
        for (var t = 0; t < Grid.TensorCount; t++)
        {
            Assert.Equal(update[t].Indices, back[t].Indices);
            Assert.Equal(update[t].Codes, back[t].Codes);
            Assert.Equal(update[t].Codebook, back[t].Codebook);
            Assert.Equal(update[t].Counts, back[t].Counts);
        }

        Assert.Equal(bytes, SparseUpdateCodec.Encode(back));
    }

    [Fact]
    public void The_bytes_are_those_of_the_wire_format()
    {
        var grid = new ChunkGrid([new TensorSpec("w", 2, 4, 0), new TensorSpec("g", 1, 3, 8)], 3);
        float[] delta = [0, 0.5f, -2, 0, 0, 0, 0, 0.25f, 1, 2, 3];
        var encoder = new SparseEncoder(grid, 1);
        Assert.True(encoder.TryEncode(Digest.Zero, new Round(258), new Uid(5), new float[11], delta, new float[11], out var update, out _));
        var bytes = SparseUpdateCodec.Encode(update!);
        var header = "43535550" + "01000000" + new string('0', 64) + "02010000" + "05000000" + "02000000" + grid.Digest;
        // Values 0.5, −2, 0.25: shift −0.4166667, scale 2.0653382, codes 2 1 2; then 1, 2, 3: shift 2, scale 1.5, codes 1 2 3.
        var first = "5555d5be" + "832e0440" + "00000000" + "abaacabf" + "aaaa4a3f" + "00000000" + "0120000700" + "26";
        var second = "00000040" + "0000c03f" + "00000000" + "000080bf" + "00000000" + "0000803f" + "0010000200" + "39";
        Assert.Equal(header + first + second, Convert.ToHexStringLower(bytes));
    }

    [Fact]
    public void The_encoding_of_a_known_update_never_changes() =>
        Assert.Equal("e9a2ec9a43aa81ba8ed422d50abe8e1214ebb33f707e8868abc38798b346cfaa", Digest.Of(SparseUpdateCodec.Encode(TestData.Update(Grid, "golden"))).ToString());

    [Fact]
    public void Another_round_author_rules_grid_or_version_is_refused_by_name()
    {
        var bytes = SparseUpdateCodec.Encode(TestData.Update(Grid, "header"));
        Rejection Judge(ChunkGrid grid, Digest rules, int round, int uid)
        {
            Assert.False(SparseUpdateCodec.TryDecode(bytes, grid, rules, new Round(round), new Uid(uid), out var update, out var why));
            Assert.Null(update);
            return why;
        }

        var other = new ChunkGrid([.. Enumerable.Range(0, 4).Select(i => Grid[i].Spec with { Name = "x" + i })]);
        Assert.Equal(Rejection.WrongRules, Judge(Grid, Digest.Zero, 3, 7));
        Assert.Equal(Rejection.Late, Judge(Grid, TestData.Rules, 4, 7));
        Assert.Equal(Rejection.BadSignature, Judge(Grid, TestData.Rules, 3, 8));
        Assert.Equal(Rejection.WrongShape, Judge(other, TestData.Rules, 3, 7));
        bytes[4] = 2;
        Assert.Equal(Rejection.Malformed, Judge(Grid, TestData.Rules, 3, 7));
    }

    [Fact]
    public void Indices_that_repeat_fall_or_leave_their_chunk_are_refused()
    {
        void Refused(int tensor, Action<ushort[]> change)
        {
            var update = TestData.Update(Grid, "indices");
            var indices = update[tensor].Indices.ToArray();
            change(indices);
            var tensors = Enumerable.Range(0, 4).Select(t => t == tensor
                ? new SparseTensor(Grid[t], indices, update[t].Codes.ToArray(), update[t].Codebook) : update[t]).ToArray();
            var bytes = SparseUpdateCodec.Encode(new SparseUpdate(Grid, update.Rules, update.Round, update.Uid, tensors));
            Assert.False(Decode(bytes, out _, out var why));
            Assert.Equal(Rejection.BadCode, why);
        }

        Refused(0, x => x[1] = x[0]);
        Refused(0, x => (x[64], x[65]) = (x[65], x[64]));
        Refused(1, x => x[32] = 33);
        Refused(2, x => x[63] = 210);
        Refused(3, x => x[127] = 301);
    }

    [Theory]
    [InlineData(1, float.NaN, Rejection.NotFinite)]
    [InlineData(1, 1e-13f, Rejection.NotFinite)]
    [InlineData(1, -1f, Rejection.NotFinite)]
    [InlineData(1, 2e4f, Rejection.NotFinite)]
    [InlineData(0, float.PositiveInfinity, Rejection.NotFinite)]
    [InlineData(0, 1e5f, Rejection.NotFinite)]
    [InlineData(3, float.NaN, Rejection.NotFinite)]
    [InlineData(5, 1e7f, Rejection.NotFinite)]
    [InlineData(3, 0f, Rejection.BadCode)]
    [InlineData(5, -1f, Rejection.BadCode)]
    [InlineData(1, 1f, Rejection.BadCode)]
    public void A_codebook_out_of_form_is_refused(int field, float value, Rejection expected)
    {
        var bytes = SparseUpdateCodec.Encode(TestData.Update(Grid, "book"));
        BitConverter.TryWriteBytes(bytes.AsSpan(SparseUpdateCodec.HeaderBytes + (4 * field)), value);
        Assert.False(Decode(bytes, out _, out var why));
        Assert.Equal(expected, why);
    }

    [Fact]
    public void A_level_that_no_code_names_must_be_zero()
    {
        var grid = new ChunkGrid([new TensorSpec("g", 1, 3, 0)]);
        float[] values = [1, 2, 3];
        Assert.True(new SparseEncoder(grid).TryEncode(
            TestData.Rules, TestData.Round, TestData.Uid, new float[3], values, new float[3], out var update, out _));
        var bytes = SparseUpdateCodec.Encode(update!);
        Assert.True(SparseUpdateCodec.TryDecode(bytes, grid, TestData.Rules, TestData.Round, TestData.Uid, out _, out _));
        foreach (var smuggled in new[] { -5f, -0.0f })
        {
            BitConverter.TryWriteBytes(bytes.AsSpan(SparseUpdateCodec.HeaderBytes + 8), smuggled);
            Assert.False(SparseUpdateCodec.TryDecode(bytes, grid, TestData.Rules, TestData.Round, TestData.Uid, out _, out var why));
            Assert.Equal(Rejection.BadCode, why);
        }
    }

    [Fact]
    public void Filling_bits_must_be_zero()
    {
        var bytes = SparseUpdateCodec.Encode(TestData.Update(Grid, "fill"));
        // The section of "gain" has 33 indices in 50 bytes and 33 codes in 9.
        var gain = SparseUpdateCodec.HeaderBytes + (int)Grid[0].SectionBytes;
        foreach (var last in new[] { gain + 24 + 49, gain + 24 + 50 + 8 })
        {
            var changed = (byte[])bytes.Clone();
            changed[last] |= 0x80;
            Assert.False(Decode(changed, out _, out var why));
            Assert.Equal(Rejection.BadCode, why);
        }
    }

    [Fact]
    public void Any_length_but_the_exact_one_is_refused_without_allocating_an_update()
    {
        var bytes = SparseUpdateCodec.Encode(TestData.Update(Grid, "length"));
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.False(Decode(bytes.AsSpan(0, length), out _, out var why));
            Assert.Equal(Rejection.Malformed, why);
        }

        var huge = new byte[50_000_000];
        bytes.CopyTo(huge, 0);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.False(Decode(huge, out _, out var reason));
        Assert.Equal(Rejection.TooLarge, reason);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1000);
    }

    [Fact]
    public void Mutated_bytes_never_throw_and_what_is_accepted_has_one_encoding()
    {
        var bytes = SparseUpdateCodec.Encode(TestData.Update(Grid, "fuzz"));
        var random = new SeededRandom(4, "fuzz");
        var (accepted, decodedMax) = (0, (2.3 * Grid.ValueCount) + 8000);
        for (var trial = 0; trial < 20_000; trial++)
        {
            var changed = (byte[])bytes.Clone();
            for (var changes = random.NextBelow(4); changes >= 0; changes--)
            {
                var at = random.NextBelow(4) == 0 ? random.NextBelow(SparseUpdateCodec.HeaderBytes) : random.NextBelow(bytes.Length);
                changed[at] = random.NextBelow(2) == 0 ? (byte)random.NextBelow(256) : (byte)(changed[at] ^ (1 << random.NextBelow(8)));
            }

            var before = GC.GetAllocatedBytesForCurrentThread();
            var ok = Decode(changed, out var update, out var why);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, decodedMax);
            Assert.Equal(ok, why == Rejection.None);
            Assert.Equal(ok, update is not null);
            if (ok)
            {
                accepted++;
                Assert.Equal(changed, SparseUpdateCodec.Encode(update!));
            }
        }

        Assert.True(accepted > 10);
    }

    private static bool Decode(ReadOnlySpan<byte> bytes, out SparseUpdate? update, out Rejection why) =>
        SparseUpdateCodec.TryDecode(bytes, Grid, TestData.Rules, TestData.Round, TestData.Uid, out update, out why);
}
