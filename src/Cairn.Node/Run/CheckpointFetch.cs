using Cairn.Base;
using Cairn.Data;
using Cairn.Exchange;
using Cairn.Model;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>Brings a checkpoint of a run whose stores are on the network into a folder: the parameters from its validators' stores, each piece compared; everything else
/// from what the run's rules name.</summary>
public static class CheckpointFetch
{
    /// <summary>Fetches one.</summary>
    /// <param name="directory">The run.</param>
    /// <param name="round">The round after which it stands.</param>
    /// <param name="digest">Its digest, as the ledger names it.</param>
    /// <param name="places">Where validators announced that their stores are; an empty text for the common one.</param>
    /// <param name="folder">Where it goes, parameters last.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="InputException">The stores together do not have it.</exception>
    public static async Task FetchAsync(
        RunDirectory directory, Round round, Digest digest, IReadOnlyList<string> places, string folder, CancellationToken cancellation)
    {
        var rules = RunSetup.ReadRules(directory);
        using var stores = StoreOpening.ReadersOf(directory);
        var sources = places.Select(stores.At).Distinct().ToList();
        var wrong = new List<string>();
        using var parameters = await new CheckpointDownload(new ParameterLayout(RunContext.ShapeOf(rules.Model)), TimeProvider.System, wrong.Add, round, digest)
            .FetchAsync(sources, cancellation);
        if (parameters is null)
        {
            throw new InputException(
                $"the checkpoint of round {round.Number + 1} that the ledger names cannot be had ({string.Join("; ", wrong)}): " +
                "try again when its validators' stores answer.");
        }

        CheckpointFolder.Save(folder, parameters, await TokenizerOfAsync(directory, rules, stores.Common, cancellation), directory);
    }

    // Who only watches has no data here: then the one in the store, if it is that of the rules.
    private static async Task<Tokenizer> TokenizerOfAsync(RunDirectory directory, RunRules rules, IObjectStore common, CancellationToken cancellation)
    {
        var path = Path.Combine(directory.Data, DataSet.TokenizerFileName);
        if (!File.Exists(path))
        {
            DurableFile.Write(path, await RunSetup.FetchTokenizerAsync(common, cancellation));
        }

        var tokenizer = Tokenizer.Load(path);
        return tokenizer.Digest == rules.Data.Tokenizer ? tokenizer
            : throw new InputException($"{path} is not the tokenizer of the rules: delete it, and it is fetched anew; if that does not help, the run's store is wrong.");
    }
}
