using System.Globalization;
using Cairn.Base;

namespace Cairn.Web;

/// <summary>In which block a digest was said, found by its first digits: eight bytes for each, gone through from the newest. The oldest go when there
/// are too many.</summary>
internal sealed class DigestIndex
{
    private const int Kept = 4_000_000;
    private const int DigitsMin = 4;
    private const int DigitsUsed = 8;
    private readonly List<(uint Start, int Height)> _entries = [];

    /// <summary>Adds a digest.</summary>
    public void Add(Digest digest, long height)
    {
        if (height > int.MaxValue)
        {
            return;
        }

        if (_entries.Count >= Kept)
        {
            _entries.RemoveRange(0, Kept / 8);
        }

        Span<byte> bytes = stackalloc byte[Digest.Size];
        digest.CopyTo(bytes);
        _entries.Add((System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes), (int)height));
    }

    /// <summary>Blocks in which a digest may be that begins with these digits, the newest first; the block itself tells.</summary>
    /// <param name="digits">Hexadecimal, at least four.</param>
    /// <param name="most">Not more than so many.</param>
    public IReadOnlyList<int> Find(string digits, int most)
    {
        if (digits.Length < DigitsMin || !digits.All(char.IsAsciiHexDigit))
        {
            return [];
        }

        var used = Math.Min(digits.Length, DigitsUsed);
        var shift = 4 * (DigitsUsed - used);
        var wanted = uint.Parse(digits[..used], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        var found = new List<int>();
        for (var i = _entries.Count - 1; i >= 0 && found.Count < most; i--)
        {
            if (_entries[i].Start >> shift == wanted && (found.Count == 0 || found[^1] != _entries[i].Height))
            {
                found.Add(_entries[i].Height);
            }
        }

        return found;
    }
}
