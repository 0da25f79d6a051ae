using Cairn.Base;
using Cairn.Node;
using Cairn.Web;

namespace Cairn.Cli.Serving;

/// <summary>Looks for newer checkpoints of a run, and has the newest served.</summary>
/// <param name="run">The run; it may go on meanwhile, or be finished.</param>
/// <param name="folder">The checkpoint that is served.</param>
/// <param name="load">Loads one.</param>
/// <param name="serve">Serves it.</param>
/// <param name="tell">Told why one could not be.</param>
internal sealed class FollowedRun(RunDirectory run, string folder, Func<string, ServedModel> load, Action<ServedModel> serve, Action<string> tell)
{
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(2);
    private string _served = folder;
    private (long, DateTime) _ledger;

    /// <summary>Looks until it is cancelled.</summary>
    public async Task FollowAsync(CancellationToken cancellation)
    {
        while (true)
        {
            await Task.Delay(Pace, cancellation);
            try
            {
                await Task.Run(Look, cancellation);
            }
            catch (InputException e)
            {
                // It stays with what it has until there is another.
                tell($"a newer checkpoint of {run.Root} cannot be served: {e.Message}");
            }
        }
    }

    // A checkpoint is one when the ledger says so: nothing new there, nothing to look for.
    private void Look()
    {
        var file = new FileInfo(run.Ledger);
        if (!file.Exists || _ledger == (file.Length, file.LastWriteTimeUtc))
        {
            return;
        }

        _ledger = (file.Length, file.LastWriteTimeUtc);
        if (CheckpointFolder.VerifiedAfter(run, _served) is { } newer)
        {
            serve(load(newer));
            _served = newer;
        }
    }
}
