using Cairn.Base;

namespace Cairn.Exchange;

/// <summary>What an envelope carries.</summary>
public enum EnvelopeKind
{
    /// <summary>A peer's update of a round.</summary>
    Update = 1,

    /// <summary>A validator's statement about a checkpoint.</summary>
    Checkpoint = 2,
}

/// <summary>What the author of an envelope signs besides its payload: an envelope is valid in one run, one round, for one author and one use.</summary>
/// <param name="Kind">The use.</param>
/// <param name="Rules">Digest of the run's rules.</param>
/// <param name="Round">The round.</param>
/// <param name="Uid">The author.</param>
public readonly record struct EnvelopeHeader(EnvelopeKind Kind, Digest Rules, Round Round, Uid Uid)
{
    /// <summary>Size of the unsigned header in bytes.</summary>
    public const int Size = 96;

    /// <summary>The canonical bytes of the unsigned header (docs/wire.md, Envelope).</summary>
    /// <param name="payloadBytes">Length of the payload.</param>
    /// <param name="payload">SHA-256 of the payload.</param>
    /// <returns><see cref="Size"/> bytes.</returns>
    public byte[] Encode(long payloadBytes, Digest payload)
    {
        var writer = new WireWriter();
        writer.Raw(Magic);
        writer.Int32(Version);
        writer.Int32((int)Kind);
        writer.Digest(Rules);
        writer.Int32(Round.Number);
        writer.Int32(Uid.Value);
        writer.Int64(payloadBytes);
        writer.Digest(payload);
        return writer.ToArray();
    }

    /// <summary>Reads a header that must be this one.</summary>
    /// <param name="bytes">From anywhere.</param>
    /// <param name="payloadBytes">The claimed length of the payload.</param>
    /// <param name="payload">The claimed digest of the payload.</param>
    /// <returns>The first difference, or <see cref="Rejection.None"/>.</returns>
    internal Rejection Compare(ReadOnlySpan<byte> bytes, out long payloadBytes, out Digest payload)
    {
        var reader = new WireReader(bytes);
        var known = reader.Raw(Magic.Length).SequenceEqual(Magic) & reader.Int32() == Version & reader.Int32() == (int)Kind;
        var rules = reader.Digest();
        var (round, uid) = (reader.Int32(), reader.Int32());
        payloadBytes = reader.Int64();
        payload = reader.Digest();
        return (known && reader.Complete) switch
        {
            false => Rejection.Malformed,
            _ when rules != Rules => Rejection.WrongRules,
            _ when round != Round.Number => Rejection.Late,
            _ when uid != Uid.Value => Rejection.BadSignature,
            _ => Rejection.None,
        };
    }

    private static ReadOnlySpan<byte> Magic => "CAIRNENV"u8;

    private const int Version = 1;
}
