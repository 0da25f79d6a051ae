using Cairn.Base;
using Cairn.Node;
using Cairn.Web;

namespace Cairn.Cli.Serving;

/// <summary>Looks for newer checkpoints of a run, and has the newest served. What fails is tried again, in longer and longer pauses: what was away may come back,
/// without a word on the ledger.</summary>
/// <param name="run">The run; it may go on meanwhile, or be finished.</param>
/// <param name="named">Its checkpoints; belongs to this from now on.</param>
/// <param name="folder">The checkpoint that is served.</param>
/// <param name="load">Loads one.</param>
/// <param name="serve">Serves it.</param>
/// <param name="tell">Told why one could not be, once for each reason.</param>
/// <param name="time">For the pauses.</param>
internal sealed class FollowedRun(
    RunDirectory run, NamedCheckpoints named, string folder, Func<string, ServedModel> load, Action<ServedModel> serve, Action<string> tell, TimeProvider time)
    : IDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan PauseMax = TimeSpan.FromMinutes(1);
    private NamedCheckpoints? _named = named;
    private string _served = folder;
    private string? _told;

    /// <summary>Looks until it is cancelled.</summary>
    public async Task FollowAsync(CancellationToken cancellation)
    {
        var pause = Pace;
        while (true)
        {
            await Task.Delay(pause, time, cancellation);
            var fault = await Task.Run(() => TryLook(cancellation), cancellation);
            pause = fault is null ? Pace : TimeSpan.FromTicks(Math.Min(2 * pause.Ticks, PauseMax.Ticks));
            if (fault is not null && fault != _told)
            {
                // It stays with what it has until there is another.
                tell($"a newer checkpoint of {run.Root} cannot be served: {fault}");
            }

            _told = fault;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _named?.Dispose();

    private string? TryLook(CancellationToken cancellation)
    {
        try
        {
            Look(cancellation);
            return null;
        }
        catch (InputException e)
        {
            return e.Message;
        }
        catch (OutOfMemoryException e)
        {
            return $"there is no memory for a second model beside the one that is served ({e.Message.TrimEnd('.')}): " +
                "--precision int8 takes a quarter, or start anew with it alone.";
        }
    }

    // A checkpoint is one when the ledger says so: nothing new there, nothing to load.
    private void Look(CancellationToken cancellation)
    {
        if (Newest() is not { } newest || newest == _served)
        {
            return;
        }

        serve(load(_named!.Verify(cancellation)));
        _served = newest;
    }

    private string? Newest()
    {
        try
        {
            _named ??= NamedCheckpoints.Open(run);
            return _named.Newest();
        }
        catch (InputException)
        {
            // A handle that was refused once reads nothing more: the next look begins anew.
            _named?.Dispose();
            _named = null;
            throw;
        }
    }
}
