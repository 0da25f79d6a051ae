using System.Text.Json;
using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>One epoch that a runtime has computed: what went in, and what came out.</summary>
/// <param name="Epoch">The state before.</param>
/// <param name="Rules">The hyperparameters.</param>
/// <param name="Expected">The state after.</param>
/// <param name="Rank">The rank of each uid, which is its incentive under another name; empty if the file does not tell.</param>
/// <param name="Emission">The pay of each uid, in the smallest unit; empty if the file does not tell.</param>
public sealed record YumaVector(YumaEpoch Epoch, YumaRules Rules, YumaOutcome Expected, IReadOnlyList<ushort> Rank, IReadOnlyList<ulong> Emission);

/// <summary>A JSON file of such epochs: <c>{"specVersion": 293, "vectors": [{"in": {…}, "out": {…}}, …]}</c>; docs/consensus.md tells the fields.</summary>
/// <param name="SpecVersion">Of the runtime; 0 if the file does not tell.</param>
/// <param name="Vectors">At least one.</param>
public sealed record YumaVectorFile(int SpecVersion, IReadOnlyList<YumaVector> Vectors)
{
    private const long BytesMax = 256 << 20;

    /// <summary>Reads a file.</summary>
    /// <param name="path">From anywhere.</param>
    /// <exception cref="InputException">It cannot be read or is not of that form: one sentence says where and why.</exception>
    public static YumaVectorFile Load(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            if (stream.Length > BytesMax)
            {
                throw new InputException($"{path} is {stream.Length} bytes long, must be {BytesMax} at most.");
            }

            // What the file system calls empty may have no end.
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return Read(path, bytes);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException($"{path} does not exist: give the path of a file of consensus vectors.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new InputException($"{path} cannot be read: {e.Message} Give the path of a file of consensus vectors.", e);
        }
    }

    private static YumaVectorFile Read(string path, byte[] bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            var root = new JsonField(path, "", document.RootElement);
            var spec = root.Find("specVersion")?.Integer(0, int.MaxValue) ?? 0;
            var vectors = root["vectors"].List(ReadVector);
            return vectors.Length > 0 ? new YumaVectorFile((int)spec, vectors) : throw root["vectors"].Wrong("is empty");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperation: a text that is no valid UTF-16 when its escapes are resolved.
            throw new InputException($"{path} is not JSON: {e.Message}", e);
        }
    }

    private static YumaVector ReadVector(JsonField vector)
    {
        var (given, result) = (vector["in"], vector["out"]);
        var n = (int)given["n"].Integer(1, YumaEpoch.UidsMax);
        var rules = new YumaRules
        {
            Kappa = U16(given["kappa"]),
            BondsPenalty = U16(given["bondsPenalty"]),
            BondsMovingAverage = given["bondsMovingAverage"].Integer(0, YumaRules.BondsMovingAverageMax),
            Version3 = given["yuma3"].Flag(),
            LiquidAlpha = given["liquidAlpha"].Flag(),
            AlphaLow = U16(given["alphaLow"]),
            AlphaHigh = U16(given["alphaHigh"]),
            Steepness = (short)given["steepness"].Integer(short.MinValue, short.MaxValue),
            PermitsMax = U16(given["maxValidators"]),
        };
        return new YumaVector(
            ReadEpoch(given, n), rules, ReadOutcome(result, n), result.Find("rank")?.List(U16, n) ?? [], result.Find("emission")?.List(Amount, n) ?? []);
    }

    private static YumaEpoch ReadEpoch(JsonField given, int n)
    {
        var stake = given["stake"].List(Amount, n);
        if (stake.Aggregate(UInt128.Zero, static (sum, own) => sum + own) > long.MaxValue)
        {
            throw given["stake"].Wrong($"sums to more than {long.MaxValue}, which the number format cannot hold");
        }

        return new YumaEpoch
        {
            Stake = stake,
            Permits = given["permit"].List(field => field.Flag(), n),
            Opinions = given["weights"].List(field => ReadRow(field, ushort.MaxValue), n),
            Bonds = given["bonds"].List(field => ReadRow(field, n - 1), n),
            OwnerUid = (int)(given.Find("ownerUid")?.Integer(-1, ushort.MaxValue) ?? -1),
            Clock = ReadClock(given, n),
        };
    }

    // Files that tell no times come from epochs in which everybody was active and nothing out of date.
    private static YumaClock? ReadClock(JsonField given, int n)
    {
        if (given.Find("lastUpdate") is not { } lastUpdate)
        {
            return null;
        }

        return new YumaClock(
            Amount(given["block"]), Amount(given["tempo"]), Amount(given["activityCutoff"]), lastUpdate.List(Amount, n), given["blockAtRegistration"].List(Amount, n));
    }

    private static YumaOutcome ReadOutcome(JsonField result, int n)
    {
        return new YumaOutcome(
            result["consensus"].List(U16, n), result["incentive"].List(U16, n), result["dividends"].List(U16, n), result.Find("trust")?.List(U16, n) ?? [],
            result["validatorTrust"].List(U16, n), result["validatorPermit"].List(field => field.Flag(), n),
            result.Find("active")?.List(field => field.Flag(), n) ?? [], result["bonds"].List(field => ReadRow(field, n - 1), n), []);
    }

    private static Score[] ReadRow(JsonField row, int uidMax)
    {
        var scores = row.List(entry =>
        {
            var pair = entry.List(field => (ushort)field.Integer(0, ushort.MaxValue), 2);
            return pair[0] <= uidMax ? new Score(pair[0], pair[1]) : throw entry.Wrong($"names uid {pair[0]}, must be {uidMax} at most");
        });
        return scores.DistinctBy(score => score.Uid).Count() == scores.Length ? scores : throw row.Wrong("names a uid twice");
    }

    private static ushort U16(JsonField field) => (ushort)field.Integer(0, ushort.MaxValue);

    private static ulong Amount(JsonField field) => (ulong)field.Integer(0, long.MaxValue);
}
