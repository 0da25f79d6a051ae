using Cairn.Base;
using Cairn.Data;
using Cairn.Ledger;
using Cairn.Model;

namespace Cairn.Node;

/// <summary>Brings the newest checkpoint of a run whose stores are on the network into a folder: the parameters from its validators' stores, each piece compared;
/// everything else from the run's own rules and data.</summary>
internal static class CheckpointFetch
{
    /// <summary>Fetches it.</summary>
    /// <param name="directory">The run.</param>
    /// <param name="ledger">Names the checkpoint, and where members have their stores.</param>
    /// <param name="folder">Where it goes, parameters last.</param>
    /// <exception cref="InputException">The stores together do not have it.</exception>
    public static async Task FetchAsync(RunDirectory directory, LedgerState ledger, string folder)
    {
        var (round, digest) = (ledger.LatestCheckpoint!.Value.Round, ledger.LatestCheckpoint.Value.Digest);
        var layout = new ParameterLayout(RunContext.ShapeOf(RunSetup.ReadRules(directory).Model));
        using var stores = StoreOpening.ReadersOf(directory);
        stores.Notice(ledger);
        var sources = ledger.Validators.Select(member => stores.Of(member.Uid)).Distinct().ToList();
        var wrong = new List<string>();
        using var parameters = await new CheckpointDownload(layout, TimeProvider.System, wrong.Add, round, digest).FetchAsync(sources, CancellationToken.None);
        if (parameters is null)
        {
            throw new InputException(
                $"the checkpoint of round {round.Number + 1} that the ledger names cannot be had ({string.Join("; ", wrong)}): " +
                "try again when its validators' stores answer.");
        }

        CheckpointFolder.Save(folder, parameters, Tokenizer.Load(Path.Combine(directory.Data, DataSet.TokenizerFileName)));
    }
}
