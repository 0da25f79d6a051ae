using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>One update of a round.</summary>
/// <param name="Uid">Whose.</param>
/// <param name="ObjectDigest">SHA-256 of the encrypted object.</param>
/// <param name="SizeBytes">Its length.</param>
/// <param name="Key">What decrypts it.</param>
/// <param name="Weight">Its part in the mean, relative to the other entries, at least 1: accepted samples, or thousandths of them where the
/// limit on newcomers bites.</param>
public readonly record struct ManifestEntry(Uid Uid, Digest ObjectDigest, long SizeBytes, Digest Key, long Weight);

/// <summary>The closed list of the updates of a round: exactly these, in uid order. Never reopened.</summary>
public sealed class Manifest
{
    internal Manifest(Round round, IReadOnlyList<ManifestEntry> entries)
    {
        Round = round;
        Entries = entries;
        Digest = DigestOf(round, entries);
    }

    /// <summary>Whose round.</summary>
    public Round Round { get; }

    /// <summary>Ascending by uid.</summary>
    public IReadOnlyList<ManifestEntry> Entries { get; }

    /// <summary>Names round and entries.</summary>
    public Digest Digest { get; }

    /// <summary>True if no update was accepted by a majority: base, step counter, schedules and sample queue stay as they were.</summary>
    public bool Empty => Entries.Count == 0;

    /// <summary>True if an update of this peer is in it.</summary>
    /// <param name="uid">Any.</param>
    public bool Contains(Uid uid)
    {
        var (low, high) = (0, Entries.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (Entries[middle].Uid == uid)
            {
                return true;
            }

            (low, high) = Entries[middle].Uid < uid ? (middle + 1, high) : (low, middle - 1);
        }

        return false;
    }

    private static Digest DigestOf(Round round, IReadOnlyList<ManifestEntry> entries)
    {
        using var hasher = new Hasher("cairn/manifest");
        hasher.Append(round.Number);
        hasher.Append(entries.Count);
        foreach (var entry in entries)
        {
            hasher.Append(entry.Uid.Value);
            hasher.Append(entry.ObjectDigest);
            hasher.Append(entry.SizeBytes);
            hasher.Append(entry.Key);
            hasher.Append(entry.Weight);
        }

        return hasher.Finish();
    }
}
