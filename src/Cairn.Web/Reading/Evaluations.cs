using Cairn.Base;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Web;

/// <summary>An evaluation that was read, and who signed it.</summary>
/// <param name="By">The member's name.</param>
/// <param name="Record">What it found.</param>
internal sealed record ReadEvaluation(string By, EvaluationRecord Record);

/// <summary>What evaluators found of checkpoints, read where it lies in the run's folder or store: only what a member signed, of checkpoints that the ledger
/// names.</summary>
internal sealed class Evaluations(RunSources sources)
{
    private const int CheckpointsMax = 200;
    private const int AuthorsMax = 16;
    private readonly Dictionary<int, DateTime> _seen = [];

    /// <summary>What is known, by round; in a round in order of uids.</summary>
    public SortedDictionary<int, IReadOnlyList<ReadEvaluation>> Found { get; } = [];

    /// <summary>Looks for what is new.</summary>
    /// <param name="state">The ledger; under the gate of its book.</param>
    /// <returns>True if something was found.</returns>
    public bool Look(LedgerState state)
    {
        if (sources.Evaluations is not { } parent || !Directory.Exists(parent))
        {
            return false;
        }

        var found = false;
        foreach (var (round, digest) in state.Checkpoints.TakeLast(CheckpointsMax))
        {
            var folder = Path.Combine(parent, round.Number.ToString("D6", System.Globalization.CultureInfo.InvariantCulture));
            if (Directory.Exists(folder) && Directory.GetLastWriteTimeUtc(folder) is var written && _seen.GetValueOrDefault(round.Number) != written)
            {
                _seen[round.Number] = written;
                Found[round.Number] = [.. ReadAll(folder, state).Where(one => one.Record.Round == round.Number && one.Record.Checkpoint == digest.ToString())];
                found = true;
            }
        }

        return found;
    }

    private static IEnumerable<ReadEvaluation> ReadAll(string folder, LedgerState state)
    {
        foreach (var path in Directory.EnumerateFiles(folder, "*.txt").Order(StringComparer.Ordinal).Take(AuthorsMax))
        {
            if (int.TryParse(Path.GetFileNameWithoutExtension(path), out var uid) && uid >= 0 && uid < state.Members.Count
                && Read(path) is { } bytes && EvaluationRecord.TryRead(bytes, state.Run, state.Members[uid].Key, out _) is { } record)
            {
                yield return new ReadEvaluation(state.Members[uid].Name, record);
            }
        }
    }

    private static byte[]? Read(string path)
    {
        try
        {
            return new FileInfo(path).Length <= EvaluationRecord.BytesMax ? File.ReadAllBytes(path) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
