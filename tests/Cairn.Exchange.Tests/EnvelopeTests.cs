using System.Security.Cryptography;
using Cairn.Base;

namespace Cairn.Exchange.Tests;

public sealed class EnvelopeTests : IDisposable
{
    private static readonly EnvelopeHeader Header = new(EnvelopeKind.Update, Digest.Of("rules"u8), new Round(12), new Uid(3));
    private static readonly byte[] Payload = [.. Enumerable.Range(0, 333).Select(i => (byte)i)];
    private readonly NodeKey _author = NodeKey.Create();
    private readonly NodeKey _stranger = NodeKey.Create();

    public void Dispose()
    {
        _author.Dispose();
        _stranger.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100_000)]
    public void What_was_sealed_opens_and_has_the_size_foretold(int length)
    {
        var payload = new byte[length];
        var sealedObject = Envelope.Seal(_author, Header, payload);
        Assert.Equal(Envelope.SealedSize(length), sealedObject.Ciphertext.Length);
        Assert.Equal(Digest.Of(sealedObject.Ciphertext), sealedObject.ObjectDigest);
        Assert.Equal(Rejection.None, Open(sealedObject, Header, out var opened));
        Assert.Equal(payload, opened);
    }

    [Fact]
    public void The_unsigned_header_has_golden_bytes()
    {
        var expected = "434149524e454e56" + "01000000" + "01000000" + Digest.Of("rules"u8) + "0c000000" + "03000000" + "4d01000000000000" + Digest.Of("payload"u8);
        Assert.Equal(expected, Convert.ToHexStringLower(Header.Encode(333, Digest.Of("payload"u8))));
        Assert.Equal(EnvelopeHeader.Size, expected.Length / 2);
        Assert.Equal(176 + 333, Envelope.SealedSize(333));
    }

    [Fact]
    public void The_bytes_can_be_taken_apart_by_the_specification_alone()
    {
        var sealedObject = Envelope.Seal(_author, Header, Payload);
        var plain = new byte[sealedObject.Ciphertext.Length - 16];
        using var aes = new AesGcm(sealedObject.Key.ToArray(), 16);
        aes.Decrypt(new byte[12], sealedObject.Ciphertext.AsSpan(0, plain.Length), sealedObject.Ciphertext.AsSpan(plain.Length), plain);
        Assert.Equal(Header.Encode(Payload.Length, Digest.Of(Payload)), plain[..96]);
        Assert.True(_author.Public.Verify(Digest.Of("cairn/envelope", plain.AsSpan(0, 96)), plain.AsSpan(96, 64)));
        Assert.Equal(Payload, plain[160..]);
    }

    [Fact]
    public void No_two_seals_share_a_key_or_a_byte_pattern()
    {
        var first = Envelope.Seal(_author, Header, Payload);
        var second = Envelope.Seal(_author, Header, Payload);
        Assert.NotEqual(first.Key, second.Key);
        Assert.NotEqual(first.ObjectDigest, second.ObjectDigest);
    }

    [Fact]
    public void A_log_never_shows_the_key()
    {
        var sealedObject = Envelope.Seal(_author, Header, Payload);
        Assert.DoesNotContain(sealedObject.Key.Short, sealedObject.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_envelope_of_another_use_is_refused_by_name()
    {
        var sealedObject = Envelope.Seal(_author, Header, Payload);
        Assert.Equal(Rejection.WrongRules, Open(sealedObject, Header with { Rules = Digest.Of("other"u8) }, out _));
        Assert.Equal(Rejection.Late, Open(sealedObject, Header with { Round = new Round(13) }, out _));
        Assert.Equal(Rejection.BadSignature, Open(sealedObject, Header with { Uid = new Uid(4) }, out _));
        Assert.Equal(Rejection.Malformed, Open(sealedObject, Header with { Kind = EnvelopeKind.Checkpoint }, out _));
    }

    [Fact]
    public void A_stranger_cannot_speak_for_the_author()
    {
        Assert.Equal(Rejection.BadSignature, Open(Envelope.Seal(_stranger, Header, Payload), Header, out var payload));
        Assert.Empty(payload);
    }

    [Fact]
    public void Another_object_or_another_key_than_committed_is_refused()
    {
        var sealedObject = Envelope.Seal(_author, Header, Payload);
        var other = Envelope.Seal(_author, Header, Payload);
        Assert.Equal(Rejection.NotAsCommitted, Open(sealedObject with { ObjectDigest = other.ObjectDigest }, Header, out _));
        Assert.Equal(Rejection.Malformed, Open(sealedObject with { Key = other.Key }, Header, out _));
    }

    [Fact]
    public void A_signed_lie_about_the_payload_is_refused()
    {
        foreach (var head in new[] { Header.Encode(Payload.Length + 1, Digest.Of(Payload)), Header.Encode(Payload.Length, Digest.Of("other"u8)), Header.Encode(-1, Digest.Of(Payload)) })
        {
            Assert.Equal(Rejection.Malformed, Open(Forge([.. head, .. _author.Sign(Digest.Of("cairn/envelope", head)), .. Payload]), Header, out _));
        }
    }

    [Fact]
    public void Every_flipped_bit_of_the_ciphertext_is_refused()
    {
        var sealedObject = Envelope.Seal(_author, Header, Payload);
        for (var at = 0; at < sealedObject.Ciphertext.Length; at++)
        {
            var mutated = sealedObject.Ciphertext.ToArray();
            mutated[at] ^= (byte)(1 << (at % 8));
            Assert.Equal(Rejection.NotAsCommitted, Open(sealedObject with { Ciphertext = mutated }, Header, out _));
            Assert.Equal(Rejection.Malformed, Open(new SealedObject(mutated, sealedObject.Key, Digest.Of(mutated)), Header, out _));
        }
    }

    [Fact]
    public void Every_flipped_bit_of_the_envelope_is_refused_even_when_its_author_encrypts_it_anew()
    {
        var head = Header.Encode(Payload.Length, Digest.Of(Payload));
        byte[] plain = [.. head, .. _author.Sign(Digest.Of("cairn/envelope", head)), .. Payload];
        Assert.Equal(Rejection.None, Open(Forge(plain), Header, out _));
        for (var at = 0; at < plain.Length; at++)
        {
            var mutated = plain.ToArray();
            mutated[at] ^= (byte)(1 << (at % 8));
            Assert.NotEqual(Rejection.None, Open(Forge(mutated), Header, out var payload));
            Assert.Empty(payload);
        }
    }

    [Fact]
    public void Every_truncation_and_every_extension_is_refused()
    {
        var sealedObject = Envelope.Seal(_author, Header, Payload);
        for (var length = 0; length < sealedObject.Ciphertext.Length; length++)
        {
            var cut = sealedObject.Ciphertext[..length];
            Assert.NotEqual(Rejection.None, Open(new SealedObject(cut, sealedObject.Key, Digest.Of(cut)), Header, out _));
            Assert.NotEqual(Rejection.None, Open(Forge(new byte[length]), Header, out _));
        }

        byte[] longer = [.. sealedObject.Ciphertext, 0];
        Assert.Equal(Rejection.Malformed, Open(new SealedObject(longer, sealedObject.Key, Digest.Of(longer)), Header, out _));
    }

    [Fact]
    public void An_author_whose_key_is_no_point_signs_nothing()
    {
        var sealedObject = Envelope.Seal(_author, Header, Payload);
        Assert.False(Envelope.TryOpen(sealedObject.Ciphertext, sealedObject.Key, sealedObject.ObjectDigest, Header, default, new byte[sealedObject.Ciphertext.Length], out _, out var why));
        Assert.Equal(Rejection.BadSignature, why);
    }

    private Rejection Open(SealedObject sealedObject, EnvelopeHeader expected, out byte[] payload)
    {
        var opened = Envelope.TryOpen(
            sealedObject.Ciphertext, sealedObject.Key, sealedObject.ObjectDigest, expected, _author.Public, new byte[sealedObject.Ciphertext.Length], out var memory, out var why);
        payload = memory.ToArray();
        Assert.Equal(opened, why == Rejection.None);
        return why;
    }

    // Encrypts any bytes as a peer could that does not use our code.
    private static SealedObject Forge(byte[] plain)
    {
        var key = RandomNumberGenerator.GetBytes(32);
        var ciphertext = new byte[plain.Length + 16];
        using var aes = new AesGcm(key, 16);
        aes.Encrypt(new byte[12], plain, ciphertext.AsSpan(0, plain.Length), ciphertext.AsSpan(plain.Length));
        return new SealedObject(ciphertext, new Digest(key), Digest.Of(ciphertext));
    }
}
