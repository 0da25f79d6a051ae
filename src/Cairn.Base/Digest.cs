using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Cairn.Base;

/// <summary>A SHA-256 value: the name of bytes, of parameters, of rules. Ordered by its bytes.</summary>
public readonly struct Digest : IEquatable<Digest>, IComparable<Digest>
{
    /// <summary>Size in bytes.</summary>
    public const int Size = 32;

    // Up to here one call on the stack is cheaper than a hasher.
    private const int GatheredMax = 192;
    [ThreadStatic]
    private static IncrementalHash? _own;
    private readonly ulong _a, _b, _c, _d;

    /// <summary>Reads a digest from exactly 32 bytes.</summary>
    /// <param name="bytes">32 bytes.</param>
    public Digest(ReadOnlySpan<byte> bytes)
    {
        Invariant.Check(bytes.Length == Size);
        _a = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        _b = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        _c = BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]);
        _d = BinaryPrimitives.ReadUInt64BigEndian(bytes[24..]);
    }

    /// <summary>All bits zero: "no digest yet". Never the digest of known content.</summary>
    public static Digest Zero => default;

    /// <summary>True for <see cref="Zero"/>.</summary>
    public bool IsZero => (_a | _b | _c | _d) == 0;

    /// <summary>SHA-256 of the bytes, without a domain tag: for naming objects by content.</summary>
    /// <param name="bytes">Any bytes.</param>
    /// <returns>Their digest.</returns>
    public static Digest Of(ReadOnlySpan<byte> bytes)
    {
        // One for each thread, used again: of what is short, making the state of a hash costs more than hashing.
        var hasher = _own ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> hash = stackalloc byte[Size];
        hasher.AppendData(bytes);
        hasher.GetHashAndReset(hash);
        return new Digest(hash);
    }

    /// <summary>SHA-256 under a domain tag, so that bytes of one kind are never taken for another.</summary>
    /// <param name="domain">What is hashed, such as "cairn/rules".</param>
    /// <param name="bytes">Any bytes.</param>
    /// <returns>SHA-256(length of tag ‖ tag ‖ bytes).</returns>
    public static Digest Of(string domain, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > GatheredMax)
        {
            using var hasher = new Hasher(domain);
            hasher.Append(bytes);
            return hasher.Finish();
        }

        Span<byte> all = stackalloc byte[Hasher.TagMax + GatheredMax];
        var length = Hasher.WriteTag(domain, all);
        bytes.CopyTo(all[length..]);
        return Of(all[..(length + bytes.Length)]);
    }

    /// <summary>Writes the 32 bytes.</summary>
    /// <param name="destination">At least 32 bytes.</param>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _a);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _b);
        BinaryPrimitives.WriteUInt64BigEndian(destination[16..], _c);
        BinaryPrimitives.WriteUInt64BigEndian(destination[24..], _d);
    }

    /// <summary>The 32 bytes in a new array.</summary>
    public byte[] ToArray()
    {
        var bytes = new byte[Size];
        CopyTo(bytes);
        return bytes;
    }

    /// <summary>64 lower-case hexadecimal digits.</summary>
    public override string ToString() => Convert.ToHexStringLower(ToArray());

    /// <summary>The first 8 hexadecimal digits, for people.</summary>
    public string Short => ToString()[..8];

    /// <summary>Reads 64 hexadecimal digits.</summary>
    /// <param name="text">The digits, either case.</param>
    /// <param name="digest">The value, or zero.</param>
    /// <returns>False if the text is anything else.</returns>
    public static bool TryParse(string? text, out Digest digest)
    {
        digest = default;
        if (text is not { Length: 2 * Size })
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[Size];
        if (Convert.FromHexString(text, bytes, out _, out var written) != OperationStatus.Done || written != Size)
        {
            return false;
        }

        digest = new Digest(bytes);
        return true;
    }

    /// <inheritdoc/>
    public bool Equals(Digest other) => _a == other._a && _b == other._b && _c == other._c && _d == other._d;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Digest other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _a.GetHashCode();

    /// <inheritdoc/>
    public int CompareTo(Digest other)
    {
        var order = _a.CompareTo(other._a);
        order = order != 0 ? order : _b.CompareTo(other._b);
        order = order != 0 ? order : _c.CompareTo(other._c);
        return order != 0 ? order : _d.CompareTo(other._d);
    }

    /// <summary>Same bytes.</summary>
    public static bool operator ==(Digest left, Digest right) => left.Equals(right);

    /// <summary>Other bytes.</summary>
    public static bool operator !=(Digest left, Digest right) => !left.Equals(right);

    /// <summary>Earlier in byte order.</summary>
    public static bool operator <(Digest left, Digest right) => left.CompareTo(right) < 0;

    /// <summary>Later in byte order.</summary>
    public static bool operator >(Digest left, Digest right) => left.CompareTo(right) > 0;

    /// <summary>Not later in byte order.</summary>
    public static bool operator <=(Digest left, Digest right) => left.CompareTo(right) <= 0;

    /// <summary>Not earlier in byte order.</summary>
    public static bool operator >=(Digest left, Digest right) => left.CompareTo(right) >= 0;
}

/// <summary>SHA-256 in pieces, begun with a domain tag.</summary>
/// <remarks>Nearly everything hashed is short: it is gathered and hashed in one call. Only what grows longer opens a running hash, which costs more than the
/// hashing itself.</remarks>
public sealed class Hasher : IDisposable
{
    internal const int TagMax = 65;
    private const int GatheredMax = 2048;
    private byte[] _gathered = ArrayPool<byte>.Shared.Rent(GatheredMax);
    private int _length;
    private IncrementalHash? _running;

    /// <summary>Begins with the tag: its length in one byte, then its ASCII bytes.</summary>
    /// <param name="domain">1 to 64 ASCII characters.</param>
    public Hasher(string domain)
    {
        _length = WriteTag(domain, _gathered);
    }

    internal static int WriteTag(string domain, Span<byte> destination)
    {
        Invariant.Check(domain.Length is > 0 and <= TagMax - 1 && Ascii.IsValid(domain));
        destination[0] = (byte)domain.Length;
        return 1 + Encoding.ASCII.GetBytes(domain, destination[1..]);
    }

    /// <summary>Adds bytes.</summary>
    /// <param name="bytes">Any bytes.</param>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length <= GatheredMax - _length)
        {
            bytes.CopyTo(_gathered.AsSpan(_length));
            _length += bytes.Length;
            return;
        }

        _running ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        _running.AppendData(_gathered.AsSpan(0, _length));
        _length = 0;
        if (bytes.Length <= GatheredMax / 2)
        {
            bytes.CopyTo(_gathered);
            _length = bytes.Length;
        }
        else
        {
            _running.AppendData(bytes);
        }
    }

    /// <summary>Adds a number in 8 little-endian bytes.</summary>
    /// <param name="value">Any number.</param>
    public void Append(long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        Append(bytes);
    }

    /// <summary>Adds a digest.</summary>
    /// <param name="value">Any digest.</param>
    public void Append(Digest value)
    {
        Span<byte> bytes = stackalloc byte[Digest.Size];
        value.CopyTo(bytes);
        Append(bytes);
    }

    /// <summary>The digest of everything added; the hasher starts anew without a tag.</summary>
    public Digest Finish()
    {
        var gathered = _gathered.AsSpan(0, _length);
        _length = 0;
        if (_running is null)
        {
            return Digest.Of(gathered);
        }

        Span<byte> hash = stackalloc byte[Digest.Size];
        _running.AppendData(gathered);
        _running.GetHashAndReset(hash);
        return new Digest(hash);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _running?.Dispose();
        if (_gathered.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_gathered);
            _gathered = [];
        }
    }
}
