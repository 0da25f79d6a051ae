using System.Globalization;
using System.Numerics;
using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>What can be done on the curve with public numbers alone: who signed something, and which of the two candidates a signature's point is. Secrets never come
/// here: this arithmetic takes longer for some numbers than for others.</summary>
internal static class Secp256k1
{
    private static readonly BigInteger P = Number("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F");
    private static readonly BigInteger N = Number("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141");
    private static readonly Point G = new(
        Number("79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798"),
        Number("483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8"), 1);

    // Jacobian coordinates; Z = 0 is the point at infinity.
    private readonly record struct Point(BigInteger X, BigInteger Y, BigInteger Z)
    {
        public static readonly Point Infinity = new(0, 1, 0);
    }

    /// <summary>The group's order in 32 bytes: secrets are from 1 to below it.</summary>
    public static byte[] Order { get; } = ToBytes(N);

    /// <summary>Replaces the upper of two equally valid values of s by the lower one, the only one that chains take.</summary>
    /// <param name="s">32 bytes of a signature; overwritten.</param>
    public static void Lower(Span<byte> s)
    {
        var value = FromBytes(s);
        if (value > N / 2)
        {
            ToBytes(N - value).CopyTo(s);
        }
    }

    /// <summary>Whether the point that a signature's r stands for has an odd y. Verifies the signature on the way.</summary>
    /// <param name="publicKey">The signer's 64 bytes.</param>
    /// <param name="hash">What was signed.</param>
    /// <param name="r">32 bytes.</param>
    /// <param name="s">32 bytes.</param>
    /// <param name="odd">The answer.</param>
    /// <returns>False if the signature does not verify, or r had to be cut to the order (once in 2¹²⁷ signatures): then sign again.</returns>
    public static bool TryParity(ReadOnlySpan<byte> publicKey, Digest hash, ReadOnlySpan<byte> r, ReadOnlySpan<byte> s, out bool odd)
    {
        odd = false;
        var (rn, sn) = (FromBytes(r), FromBytes(s));
        if (!InRange(rn) || !InRange(sn))
        {
            return false;
        }

        var inverse = Inverse(sn, N);
        var q = new Point(FromBytes(publicKey[..32]), FromBytes(publicKey[32..]), 1);
        var sum = Sum(G, FromBytes(hash.ToArray()) * inverse % N, q, rn * inverse % N);
        if (sum.Z.IsZero)
        {
            return false;
        }

        var (x, y) = Affine(sum);
        odd = !y.IsEven;
        return x == rn;
    }

    /// <summary>The public key whose owner made a signature.</summary>
    /// <param name="hash">What was signed.</param>
    /// <param name="signature">From anywhere; only the lower s is taken.</param>
    /// <param name="publicKey">64 bytes, or empty.</param>
    public static bool TryRecover(Digest hash, EvmSignature signature, out byte[] publicKey)
    {
        publicKey = [];
        var (r, s) = (FromBytes(signature.R), FromBytes(signature.S));
        if (!InRange(r) || !InRange(s) || s > N / 2)
        {
            return false;
        }

        var square = ((BigInteger.ModPow(r, 3, P)) + 7) % P;
        var y = BigInteger.ModPow(square, (P + 1) / 4, P);
        if (y * y % P != square)
        {
            return false;
        }

        var inverse = Inverse(r, N);
        var z = FromBytes(hash.ToArray()) % N;
        var q = Sum(G, (N - (z * inverse % N)) % N, new Point(r, y.IsEven == signature.Odd ? P - y : y, 1), s * inverse % N);
        if (q.Z.IsZero)
        {
            return false;
        }

        var (qx, qy) = Affine(q);
        publicKey = [.. ToBytes(qx), .. ToBytes(qy)];
        return true;
    }

    private static bool InRange(BigInteger value) => value.Sign > 0 && value < N;

    // a·p + b·q, bit by bit from the top, both at once.
    private static Point Sum(Point p, BigInteger a, Point q, BigInteger b)
    {
        var both = Add(p, q);
        var (bitsA, bitsB) = (ToBytes(a), ToBytes(b));
        var sum = Point.Infinity;
        for (var bit = 0; bit < 256; bit++)
        {
            sum = Double(sum);
            var mask = 0x80 >> (bit % 8);
            var (inA, inB) = ((bitsA[bit / 8] & mask) != 0, (bitsB[bit / 8] & mask) != 0);
            if (inA || inB)
            {
                sum = Add(sum, inA && inB ? both : inA ? p : q);
            }
        }

        return sum;
    }

    private static Point Double(Point p)
    {
        if (p.Z.IsZero || p.Y.IsZero)
        {
            return Point.Infinity;
        }

        var y2 = Mod(p.Y * p.Y);
        var s = Mod(4 * p.X * y2);
        var m = Mod(3 * p.X * p.X);
        var x = Mod((m * m) - (2 * s));
        return new Point(x, Mod((m * (s - x)) - (8 * y2 * y2)), Mod(2 * p.Y * p.Z));
    }

    private static Point Add(Point p, Point q)
    {
        if (p.Z.IsZero || q.Z.IsZero)
        {
            return p.Z.IsZero ? q : p;
        }

        var (pz2, qz2) = (Mod(p.Z * p.Z), Mod(q.Z * q.Z));
        var (u1, u2) = (Mod(p.X * qz2), Mod(q.X * pz2));
        var (s1, s2) = (Mod(p.Y * qz2 * q.Z), Mod(q.Y * pz2 * p.Z));
        if (u1 == u2)
        {
            return s1 == s2 ? Double(p) : Point.Infinity;
        }

        var (h, r) = (Mod(u2 - u1), Mod(s2 - s1));
        var h2 = Mod(h * h);
        var h3 = Mod(h2 * h);
        var v = Mod(u1 * h2);
        var x = Mod((r * r) - h3 - (2 * v));
        return new Point(x, Mod((r * (v - x)) - (s1 * h3)), Mod(h * p.Z * q.Z));
    }

    private static (BigInteger X, BigInteger Y) Affine(Point p)
    {
        var inverse = Inverse(p.Z, P);
        var square = Mod(inverse * inverse);
        return (Mod(p.X * square), Mod(p.Y * square * inverse));
    }

    private static BigInteger Inverse(BigInteger value, BigInteger modulus) => BigInteger.ModPow(value, modulus - 2, modulus);

    private static BigInteger Mod(BigInteger value)
    {
        var rest = value % P;
        return rest.Sign < 0 ? rest + P : rest;
    }

    private static BigInteger FromBytes(ReadOnlySpan<byte> bytes) => new(bytes, isUnsigned: true, isBigEndian: true);

    private static byte[] ToBytes(BigInteger value)
    {
        var bytes = new byte[32];
        var digits = value.ToByteArray(isUnsigned: true, isBigEndian: true);
        digits.CopyTo(bytes, bytes.Length - digits.Length);
        return bytes;
    }

    private static BigInteger Number(string digits) => BigInteger.Parse("0" + digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
