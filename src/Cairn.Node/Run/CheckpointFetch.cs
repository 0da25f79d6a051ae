using Cairn.Base;
using Cairn.Exchange;
using Cairn.Ledger;
using Cairn.Model;

namespace Cairn.Node;

/// <summary>Brings the newest checkpoint of a run whose stores are on the network into a folder, from whichever store has it.</summary>
internal static class CheckpointFetch
{
    private const long HeaderBytesMax = 1 << 20;
    private const long TokenizerBytesMax = 256 << 20;

    /// <summary>Fetches it; whether it is the right one is for the caller to compare.</summary>
    /// <param name="directory">The run.</param>
    /// <param name="ledger">Names the checkpoint, and where members have their stores.</param>
    /// <param name="folder">Where it goes, parameters last.</param>
    /// <exception cref="InputException">No store has the whole of it, or the one that says so has another.</exception>
    public static async Task FetchAsync(RunDirectory directory, LedgerState ledger, string folder)
    {
        var (round, digest) = (ledger.LatestCheckpoint!.Value.Round, ledger.LatestCheckpoint.Value.Digest);
        var rules = RunSetup.ReadRules(directory);
        var layout = new ParameterLayout(RunContext.ShapeOf(rules.Model));
        (string Name, long BytesMax)[] files =
        [
            (CheckpointFolder.TokenizerFile, TokenizerBytesMax), (Checkpoint.ConfigFile, HeaderBytesMax), (Checkpoint.GenerationFile, HeaderBytesMax),
            (Checkpoint.ParametersFile, (sizeof(float) * (long)layout.Length) + HeaderBytesMax),
        ];
        using var stores = StoreOpening.ReadersOf(directory);
        stores.Notice(ledger);
        foreach (var store in ledger.Members.Where(member => member.Role == Role.Validator).Select(member => stores.Of(member.Uid)).Distinct())
        {
            var found = new List<byte[]>();
            foreach (var (name, bytesMax) in files)
            {
                var outcome = await PatientFetch.AskAsync(
                    () => store.GetAsync(ObjectKey.Checkpoint(round, name), bytesMax), TimeProvider.System, CancellationToken.None).ConfigureAwait(false);
                if (outcome.Status != FetchStatus.Found)
                {
                    break;
                }

                found.Add(outcome.Bytes);
            }

            if (found.Count == files.Length && IsRight(layout, found[^1], digest))
            {
                for (var i = 0; i < files.Length; i++)
                {
                    DurableFile.Write(Path.Combine(folder, files[i].Name), found[i]);
                }

                return;
            }
        }

        throw new InputException(
            $"no store of this run has the checkpoint of round {round.Number + 1} that the ledger names: try again when its validators' stores answer.");
    }

    private static bool IsRight(ParameterLayout layout, byte[] bytes, Digest digest)
    {
        try
        {
            using var parameters = Checkpoint.LoadParameters(layout, _ => new MemoryStream(bytes, writable: false));
            return Checkpoint.Digest(parameters) == digest;
        }
        catch (InputException)
        {
            return false;
        }
    }
}
