using System.Security.Cryptography;
using Cairn.Base;

namespace Cairn.Exchange;

/// <summary>An envelope ready to be stored, with what its author keeps and commits to.</summary>
/// <param name="Ciphertext">The object to put.</param>
/// <param name="Key">The 32 bytes that open it: secret until the author reveals them.</param>
/// <param name="ObjectDigest">SHA-256 of <paramref name="Ciphertext"/>: its name in the store.</param>
public sealed record SealedObject(byte[] Ciphertext, Digest Key, Digest ObjectDigest)
{
    /// <summary>Names the object; the key is left out, so that no log can give it away before the reveal.</summary>
    public override string ToString() => $"sealed object {ObjectDigest.Short} of {Ciphertext.Length} bytes";
}

/// <summary>Signed and encrypted bytes: how an update travels. Specified in docs/wire.md, section Envelope.</summary>
/// <remarks>The whole envelope (header, signature, payload) is encrypted with AES-256-GCM under a key drawn for it alone. A nonce must not repeat
/// under a key, and since no key is used twice the nonce is fixed to zero. GCM alone does not bind a ciphertext to one key; the commit does, which
/// covers a digest of the key beside that of the object, both fixed before anybody sees either.</remarks>
public static class Envelope
{
    private const int TagSize = 16;
    private const int PayloadOffset = EnvelopeHeader.Size + NodeKey.SignatureSize;

    /// <summary>The largest payload that one object can hold.</summary>
    public static long PayloadBytesMax => Array.MaxLength - PayloadOffset - TagSize;

    /// <summary>The exact size of the sealed object, so that every limit is known before a byte is fetched.</summary>
    /// <param name="payloadBytes">0 or more.</param>
    /// <returns>The length of <see cref="SealedObject.Ciphertext"/>.</returns>
    public static long SealedSize(long payloadBytes)
    {
        Invariant.Check(payloadBytes >= 0);
        return checked(PayloadOffset + payloadBytes + TagSize);
    }

    /// <summary>Signs and encrypts under a fresh random key. Two calls never give the same bytes: store the result before sending it.</summary>
    /// <param name="author">Signs.</param>
    /// <param name="header">Run, round, author and use.</param>
    /// <param name="payload">At most <see cref="PayloadBytesMax"/> bytes.</param>
    /// <returns>The ciphertext, its key and its digest. Extra memory: the envelope once in clear.</returns>
    public static SealedObject Seal(NodeKey author, EnvelopeHeader header, ReadOnlySpan<byte> payload)
    {
        Invariant.Check(payload.Length <= PayloadBytesMax);
        var plain = GC.AllocateUninitializedArray<byte>(PayloadOffset + payload.Length);
        var head = header.Encode(payload.Length, Digest.Of(payload));
        head.CopyTo(plain, 0);
        author.Sign(SignedDigest(head)).CopyTo(plain, EnvelopeHeader.Size);
        payload.CopyTo(plain.AsSpan(PayloadOffset));

        Span<byte> key = stackalloc byte[Digest.Size];
        RandomNumberGenerator.Fill(key);
        var sealedBytes = GC.AllocateUninitializedArray<byte>(plain.Length + TagSize);
        using var aes = new AesGcm(key, TagSize);
        aes.Encrypt(Nonce, plain, sealedBytes.AsSpan(0, plain.Length), sealedBytes.AsSpan(plain.Length));
        return new SealedObject(sealedBytes, new Digest(key), Digest.Of(sealedBytes));
    }

    /// <summary>Decrypts and checks everything that can be checked without knowing what the payload means.</summary>
    /// <param name="ciphertext">From anywhere, at most as long as the rules allow.</param>
    /// <param name="key">From the author's opening.</param>
    /// <param name="expectedObjectDigest">From the author's opening.</param>
    /// <param name="expected">What the header must say.</param>
    /// <param name="author">The key under which <see cref="EnvelopeHeader.Uid"/> is registered.</param>
    /// <param name="plain">Room for what is decrypted, as long as <paramref name="ciphertext"/>; afterwards of no other use.</param>
    /// <param name="payload">The payload, a part of <paramref name="plain"/>, or empty.</param>
    /// <param name="why"><see cref="Rejection.None"/>, or the first fault found.</param>
    /// <returns>True if the author signed exactly this payload for exactly this use. Hostile bytes give false, never an exception.</returns>
    public static bool TryOpen(
        ReadOnlySpan<byte> ciphertext,
        Digest key,
        Digest expectedObjectDigest,
        EnvelopeHeader expected,
        PublicKey author,
        Memory<byte> plain,
        out ReadOnlyMemory<byte> payload,
        out Rejection why)
    {
        payload = default;
        why = TryDecrypt(ciphertext, key, expectedObjectDigest, plain.Span);
        if (why != Rejection.None)
        {
            return false;
        }

        plain = plain[..(ciphertext.Length - TagSize)];
        var head = plain.Span[..EnvelopeHeader.Size];
        var body = plain.Span[PayloadOffset..];
        why = expected.Compare(head, out var payloadBytes, out var payloadDigest);
        if (why != Rejection.None)
        {
            return false;
        }

        if (!author.Verify(SignedDigest(head), plain.Span.Slice(EnvelopeHeader.Size, NodeKey.SignatureSize)))
        {
            why = Rejection.BadSignature;
            return false;
        }

        // The author signed a length and a digest; that they fit the payload is his word until it is checked.
        if (payloadBytes != body.Length || payloadDigest != Digest.Of(body))
        {
            why = Rejection.Malformed;
            return false;
        }

        payload = plain[PayloadOffset..];
        return true;
    }

    // What the author signs: the unsigned header, under its own domain tag.
    private static Digest SignedDigest(ReadOnlySpan<byte> head) => Digest.Of("cairn/envelope", head);

    private static ReadOnlySpan<byte> Nonce => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    private static Rejection TryDecrypt(ReadOnlySpan<byte> ciphertext, Digest key, Digest expectedObjectDigest, Span<byte> plain)
    {
        if (ciphertext.Length < PayloadOffset + TagSize)
        {
            return Rejection.Malformed;
        }

        if (Digest.Of(ciphertext) != expectedObjectDigest)
        {
            return Rejection.NotAsCommitted;
        }

        plain = plain[..(ciphertext.Length - TagSize)];
        try
        {
            using var aes = new AesGcm(key.ToArray(), TagSize);
            aes.Decrypt(Nonce, ciphertext[..plain.Length], ciphertext[plain.Length..], plain);
            return Rejection.None;
        }
        catch (CryptographicException)
        {
            return Rejection.Malformed;
        }
    }
}
