namespace Cairn.Ledger;

/// <summary>Where what was computed here is not what the runtime computed.</summary>
/// <param name="Vector">Which epoch of the file, from 0.</param>
/// <param name="Field">The field of its result.</param>
/// <param name="Uid">The first uid at which they differ; −1 where the field as a whole does.</param>
/// <param name="Expected">What the file says there.</param>
/// <param name="Computed">What was computed.</param>
public sealed record YumaDifference(int Vector, string Field, int Uid, string Expected, string Computed)
{
    /// <summary>In one line.</summary>
    public override string ToString() =>
        $"vectors[{Vector}] {Field}{(Uid < 0 ? "" : $"[{Uid}]")}: the file says {Expected}, computed {Computed}";
}

/// <summary>How many epochs of a file come out the same here, bit for bit.</summary>
/// <param name="SpecVersion">Of the runtime that made the file.</param>
/// <param name="Matched">Epochs of which every field is the same.</param>
/// <param name="Total">All epochs.</param>
/// <param name="Differences">The first difference of each field of each other epoch.</param>
public sealed record YumaCheck(int SpecVersion, int Matched, int Total, IReadOnlyList<YumaDifference> Differences)
{
    /// <summary>Computes every epoch of a file again.</summary>
    /// <param name="file">What the runtime computed.</param>
    public static YumaCheck Run(YumaVectorFile file)
    {
        var differences = new List<YumaDifference>();
        var matched = 0;
        for (var i = 0; i < file.Vectors.Count; i++)
        {
            var before = differences.Count;
            differences.AddRange(Compare(i, file.Vectors[i]));
            matched += differences.Count == before ? 1 : 0;
        }

        return new YumaCheck(file.SpecVersion, matched, file.Vectors.Count, differences);
    }

    private static IEnumerable<YumaDifference> Compare(int index, YumaVector vector)
    {
        var (expected, computed) = (vector.Expected, YumaConsensus.Run(vector.Epoch, vector.Rules));
        YumaDifference?[] found =
        [
            First(index, "consensus", expected.Consensus, computed.Consensus),
            First(index, "incentive", expected.Incentive, computed.Incentive),
            First(index, "rank", vector.Rank, computed.Incentive),
            First(index, "dividends", expected.Dividends, computed.Dividends),
            First(index, "trust", expected.Trust, computed.Trust),
            First(index, "validatorTrust", expected.ValidatorTrust, computed.ValidatorTrust),
            First(index, "validatorPermit", expected.Permits, computed.Permits),
            First(index, "active", expected.Active, computed.Active),
            First(index, "bonds", [.. expected.Bonds.Select(Shown)], [.. computed.Bonds.Select(Shown)]),
            IsOnePool(vector.Emission, computed.Pay)
                ? null
                : new YumaDifference(index, "emission", -1, string.Join(' ', vector.Emission), "parts of which no one pool gives that"),
        ];
        return found.OfType<YumaDifference>();
    }

    // Fields that the file does not tell are empty.
    private static YumaDifference? First<T>(int index, string field, IReadOnlyList<T> expected, IReadOnlyList<T> computed)
        where T : notnull
    {
        for (var uid = 0; uid < expected.Count; uid++)
        {
            if (!expected[uid].Equals(computed[uid]))
            {
                return new YumaDifference(index, field, uid, $"{expected[uid]}", $"{computed[uid]}");
            }
        }

        return null;
    }

    // A row is what it says of each uid, in whatever order it stands.
    private static string Shown(Score[] row) => string.Join(' ', row.OrderBy(score => score.Uid).Select(score => $"{score.Uid}:{score.Value}").DefaultIfEmpty("nothing"));

    // The file does not tell how much there was to divide. Each amount is floor(part · pool), so it tells between what the pool was:
    // amount / part ≤ pool < (amount + 1) / part. One pool must do for all.
    private static bool IsOnePool(IReadOnlyList<ulong> emission, IReadOnlyList<Fixed32> parts)
    {
        UInt128 least = 0, most = UInt128.MaxValue;
        for (var i = 0; i < emission.Count; i++)
        {
            if (parts[i] <= Fixed32.Zero)
            {
                if (emission[i] != 0)
                {
                    return false;
                }

                continue;
            }

            var part = (UInt128)parts[i].Bits;
            least = UInt128.Max(least, (((UInt128)emission[i] << 32) + part - 1) / part);
            most = UInt128.Min(most, ((((UInt128)emission[i] + 1) << 32) - 1) / part);
        }

        return least <= most;
    }
}
