using System.Security.Cryptography;

namespace Cairn.Base.Tests;

public sealed class DigestTests
{
    private static readonly Digest Abc = Digest.Of("abc"u8);

    [Fact]
    public void The_digest_of_abc_is_the_one_of_the_standard()
    {
        Assert.Equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", Abc.ToString());
        Assert.Equal("ba7816bf", Abc.Short);
    }

    [Fact]
    public void A_tagged_digest_is_sha256_of_length_tag_and_bytes()
    {
        Assert.Equal(new Digest(SHA256.HashData([10, .. "cairn/test"u8, .. "abc"u8])), Digest.Of("cairn/test", "abc"u8));
        Assert.Equal("3384df648caa943fddb22ad009ba612dba386754bd9982ea68c1a02752afc529", Digest.Of("cairn/test", "abc"u8).ToString());
        Assert.NotEqual(Digest.Of("cairn/test", "abc"u8), Digest.Of("cairn/tes", "tabc"u8));
    }

    [Fact]
    public void Pieces_hash_like_the_whole()
    {
        using var hasher = new Hasher("cairn/test");
        hasher.Append("a"u8);
        hasher.Append(-2);
        hasher.Append(Abc);
        Assert.Equal(Digest.Of("cairn/test", [(byte)'a', 0xFE, 255, 255, 255, 255, 255, 255, 255, .. Abc.ToArray()]), hasher.Finish());
    }

    [Fact]
    public void A_tag_that_could_be_mistaken_for_another_is_our_bug()
    {
        Assert.Throws<InvariantViolation>(() => new Hasher(""));
        Assert.Throws<InvariantViolation>(() => new Hasher(new string('x', 65)));
        Assert.Throws<InvariantViolation>(() => new Hasher("cairn/größe"));
    }

    [Fact]
    public void Text_and_bytes_go_both_ways()
    {
        Assert.True(Digest.TryParse(Abc.ToString(), out var parsed));
        Assert.Equal(Abc, parsed);
        Assert.True(Digest.TryParse(Abc.ToString().ToUpperInvariant(), out parsed));
        Assert.Equal(Abc, new Digest(parsed.ToArray()));
        Assert.Equal(Abc.GetHashCode(), parsed.GetHashCode());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("ba7816bf")]
    [InlineData("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a")]
    [InlineData("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015adf")]
    [InlineData("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ag")]
    [InlineData("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015 d")]
    public void Other_text_is_no_digest(string? text)
    {
        Assert.False(Digest.TryParse(text, out var digest));
        Assert.True(digest.IsZero);
    }

    [Fact]
    public void Order_is_order_of_bytes()
    {
        var random = new SeededRandom(1, "digests");
        for (var i = 0; i < 200; i++)
        {
            // Few distinct bytes, so that each of the four words gets to decide.
            var (a, b) = (new byte[32], new byte[32]);
            var differs = random.NextBelow(32);
            (a[differs], b[differs]) = ((byte)random.NextUInt64(), (byte)random.NextUInt64());
            var expected = a.AsSpan().SequenceCompareTo(b);
            var (left, right) = (new Digest(a), new Digest(b));
            Assert.Equal(Math.Sign(expected), left.CompareTo(right));
            Assert.Equal(expected < 0, left < right);
            Assert.Equal(expected > 0, left > right);
            Assert.Equal(expected <= 0, left <= right);
            Assert.Equal(expected >= 0, left >= right);
            Assert.Equal(expected == 0, left == right);
            Assert.Equal(expected != 0, left != right);
        }
    }

    [Fact]
    public void Zero_is_no_digest_of_anything_known()
    {
        Assert.True(Digest.Zero.IsZero);
        Assert.False(Abc.IsZero);
        Assert.Equal(new Digest(new byte[32]), Digest.Zero);
        Assert.Throws<InvariantViolation>(() => new Digest(new byte[31]));
    }
}
