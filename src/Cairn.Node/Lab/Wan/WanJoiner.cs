using System.Diagnostics;
using Cairn.Base;
using Cairn.Exchange;
using Cairn.Model;

namespace Cairn.Node;

/// <summary>What a joiner does beside a run without computing: it fetches a checkpoint of the model as <see cref="CheckpointStart"/> does, from members' stores of
/// which one lies.</summary>
public static class WanJoiner
{
    // Any will do: nobody has this model.
    private static readonly Round Checkpointed = new(0);

    /// <summary>Draws a checkpoint of the run's model and puts it where a joiner will look for it.</summary>
    /// <param name="directory">The run's folder, made by <see cref="WanFounding"/>.</param>
    /// <param name="honest">S3 addresses that give what the digest names.</param>
    /// <param name="liar">One that gives the true list of pieces, and other pieces than it lists.</param>
    /// <param name="access">Writes to all of them.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>The digest that a ledger would name.</returns>
    /// <exception cref="InputException">A store does not take it.</exception>
    public static async Task<Digest> PublishAsync(
        RunDirectory directory, IReadOnlyList<string> honest, string liar, StoreAccess access, CancellationToken cancellation)
    {
        using var file = new Spool(directory.Spool).Open();
        using var pieces = new MemoryStream();
        var digest = await Task.Run(() => Draw(directory, file, pieces), cancellation);
        foreach (var place in honest)
        {
            await PutAsync(place, file, pieces, access, cancellation);
        }

        // The last byte of every piece, from the end: the header stands before the first.
        for (var at = file.Length - 1; at > BaseDigest.PieceBytes; at -= BaseDigest.PieceBytes)
        {
            RandomAccess.Write(file.SafeFileHandle, [0xBA], at);
        }

        await PutAsync(liar, file, pieces, access, cancellation);
        return digest;
    }

    /// <summary>Fetches it again and again.</summary>
    /// <param name="directory">The run's folder.</param>
    /// <param name="digest">What the ledger would name.</param>
    /// <param name="sources">S3 addresses, none trusted.</param>
    /// <param name="tell">Told of every fetch.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="InputException">It could not be had.</exception>
    public static async Task RunAsync(RunDirectory directory, Digest digest, IReadOnlyList<string> sources, Action<string> tell, CancellationToken cancellation)
    {
        var layout = LayoutOf(directory);
        var stores = sources.Select(place => StoreOpening.One(place, access: null)).ToList();
        try
        {
            for (var fetches = 1; ; fetches++)
            {
                var (clock, wrong) = (Stopwatch.StartNew(), new List<string>());
                using var parameters = await new CheckpointDownload(layout, TimeProvider.System, wrong.Add, Checkpointed, digest)
                    .FetchAsync([.. stores.Select(one => one.Store)], cancellation);
                if (parameters is null || Checkpoint.Digest(parameters) != digest)
                {
                    throw new InputException($"the checkpoint could not be had: {string.Join("; ", wrong)}");
                }

                var (seconds, bytes) = (clock.Elapsed.TotalSeconds, layout.Length * (double)sizeof(float));
                tell($"fetch {fetches}: {bytes / 1e6:N0} MB in {seconds:N1} s, {bytes * 8 / 1e6 / seconds:N0} Mb/s, what the digest names; {string.Join("; ", wrong)}");
            }
        }
        finally
        {
            stores.ForEach(one => one.Line?.Dispose());
        }
    }

    private static ParameterLayout LayoutOf(RunDirectory directory) => new(RunContext.ShapeOf(RunSetup.ReadRules(directory).Model));

    private static Digest Draw(RunDirectory directory, FileStream file, MemoryStream pieces)
    {
        using var parameters = new Parameters(LayoutOf(directory));
        Initializer.Fill(parameters, seed: 1);
        foreach (var piece in BaseDigest.Pieces(parameters.Span))
        {
            pieces.Write(piece.ToArray());
        }

        SafetensorsFile.Write(file, parameters);
        file.Flush();
        return Checkpoint.Digest(parameters);
    }

    private static async Task PutAsync(string place, FileStream file, MemoryStream pieces, StoreAccess access, CancellationToken cancellation)
    {
        var (store, line) = StoreOpening.One(place, access);
        using (line)
        {
            PutOutcome[] outcomes =
            [
                await store.PutAsync(ObjectKey.Checkpoint(Checkpointed, CheckpointFolder.PiecesFile), pieces.ToArray(), cancellation),
                await store.PutAsync(ObjectKey.Checkpoint(Checkpointed, Checkpoint.ParametersFile), file.SafeFileHandle, cancellation),
            ];
            if (outcomes.FirstOrDefault(outcome => outcome.Status != PutStatus.Stored) is { Status: not PutStatus.Stored } failed)
            {
                throw new InputException($"the checkpoint for the joiner could not be put: {failed.Detail}");
            }
        }
    }
}
