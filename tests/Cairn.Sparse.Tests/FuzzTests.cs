using System.Globalization;
using Cairn.Base;

namespace Cairn.Sparse.Tests;

/// <summary>Hostile bytes: each update decodes to what was sent or is refused with a reason; none throws, hangs, or allocates past the cap. 200,000 of them here;
/// <c>CAIRN_FUZZ=10000000</c> asks for more.</summary>
public class FuzzTests
{
    private static readonly ChunkGrid Grid = new([new TensorSpec("a", 66, 70, 0), new TensorSpec("b", 1, 50, 4700), new TensorSpec("c", 64, 64, 5000)]);

    private static int Trials => int.Parse(Environment.GetEnvironmentVariable("CAIRN_FUZZ") ?? "200000", CultureInfo.InvariantCulture);

    public static TheoryData<QuantizerKind, WireMode> Formats => TestData.Formats;

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_changed_update_is_refused_or_means_exactly_its_bytes(QuantizerKind quantizer, WireMode mode)
    {
        var codec = new SparseUpdateCodec(Grid, new UpdateFormat(quantizer, mode));
        var seeds = Enumerable.Range(0, 8).Select(i => codec.Encode(TestData.Update(Grid, "fuzz" + i, quantizer: quantizer))).ToArray();
        var random = new SeededRandom(4, "fuzz", (int)quantizer, (int)mode);
        var cap = (12 * Grid.ValueCount) + (4 * codec.BytesMax) + 20_000;
        var (accepted, resummed, reasons) = (0, 0, new HashSet<Rejection>());
        for (var trial = 0; trial < Trials / 6; trial++)
        {
            var changed = Mutate(random, seeds);
            if (random.NextBelow(20) != 0)
            {
                resummed += Resum(changed, mode, codec) ? 1 : 0;
            }

            var before = GC.GetAllocatedBytesForCurrentThread();
            var ok = codec.TryDecode(changed, TestData.Rules, TestData.Round, TestData.Uid, out var update, out var why);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, cap);
            Assert.Equal(ok, why == Rejection.None);
            Assert.Equal(ok, update is not null);
            reasons.Add(why);
            if (ok)
            {
                accepted++;
                Assert.Equal(changed, codec.Encode(update!));
            }
        }

        Assert.InRange(accepted, 10, Trials);
        Assert.InRange(resummed, Trials / 6 * 9 / 10, Trials);
        Assert.Superset(new HashSet<Rejection> { Rejection.Malformed, Rejection.BadCode }, reasons);
    }

    private static byte[] Mutate(SeededRandom random, byte[][] seeds)
    {
        var bytes = (byte[])seeds[random.NextBelow(seeds.Length)].Clone();
        switch (random.NextBelow(32))
        {
            case 0:
                return bytes[..(int)random.NextBelow(bytes.Length)];
            case 1 or 2 or 3:
                return [.. bytes, .. new byte[1 + random.NextBelow(40)]];
            case 4 or 5 or 6:
                var other = seeds[random.NextBelow(seeds.Length)];
                var cut = (int)random.NextBelow(Math.Min(bytes.Length, other.Length));
                return [.. bytes[..cut], .. other[cut..]];
            default:
                for (var changes = random.NextBelow(3); changes >= 0; changes--)
                {
                    var at = random.NextBelow(8) == 0 ? random.NextBelow(SparseUpdateCodec.HeaderBytes) : random.NextBelow(bytes.Length);
                    bytes[at] = random.NextBelow(2) == 0 ? (byte)random.NextBelow(256) : (byte)(bytes[at] ^ (1 << (int)random.NextBelow(8)));
                }

                return bytes;
        }
    }

    // As an attacker would: every checksum is made right again, and a length that cannot be is made one that can. False if the bytes do not reach that far.
    private static bool Resum(byte[] bytes, WireMode mode, SparseUpdateCodec codec)
    {
        if (bytes.Length < SparseUpdateCodec.HeaderBytes)
        {
            return false;
        }

        Sum(bytes.AsSpan(0, SparseUpdateCodec.HeaderBytes));
        var rest = bytes.AsSpan(SparseUpdateCodec.HeaderBytes);
        for (var t = 0; t < Grid.TensorCount; t++)
        {
            var prefix = mode == WireMode.Small ? 4 : 0;
            if (rest.Length < prefix + 4)
            {
                return false;
            }

            var length = codec.LengthOf(rest[..prefix], t);
            if (mode == WireMode.Small && (length < 4 || length > rest.Length - prefix))
            {
                length = Math.Min(rest.Length - prefix, 40);
                BitConverter.TryWriteBytes(rest, (int)length);
            }

            if (length > rest.Length - prefix)
            {
                return false;
            }

            Sum(rest.Slice(prefix, (int)length));
            rest = rest[(prefix + (int)length)..];
        }

        return true;
    }

    private static void Sum(Span<byte> section) => BitConverter.TryWriteBytes(section[^4..], Crc32C.Of(section[..^4]));
}
