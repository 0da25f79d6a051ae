using Cairn.Base;
using Cairn.Exchange;
using Cairn.Ledger;

namespace Cairn.Node;

/// <summary>Fetches and opens updates as their keys come on the ledger, so that whoever judges or applies the round finds them here: the exchange goes on while others
/// still reveal; a validator puts what it has verified into its own store meanwhile (<see cref="OwnCopies"/>). What fails is done again when it is needed.</summary>
/// <remarks>Bounded as every fetch is: objects of the roster alone, of the size they were announced with, if the rules allow it; few at once; and given up as soon as the
/// next round begins, so that no store holds anything up.</remarks>
/// <param name="run">The run.</param>
/// <param name="node">Whose fetches they are.</param>
internal sealed class FetchAhead(RunContext run, string node) : IAsyncDisposable
{
    private const int AtOnce = 4;
    private readonly SemaphoreSlim _turns = new(AtOnce);
    private readonly HashSet<Digest> _begun = [];
    private readonly List<Task> _running = [];
    private CancellationTokenSource _ofRound = new();
    private Round _round = new(-1);
    private bool _ended;

    /// <summary>Begins what can be fetched of the current round and has not been begun.</summary>
    /// <param name="ledger">The state.</param>
    /// <param name="copies">True for a validator.</param>
    public void Begin(LedgerState ledger, bool copies)
    {
        if (ledger.CurrentRound != _round)
        {
            GiveUp();
            _round = ledger.CurrentRound;
        }

        if (ledger.Stage is Stage.Reveal or Stage.Judge)
        {
            Begin(_round, ledger.Roster.Select(entry => (entry.Uid, ledger.Members[entry.Uid.Value].Key, ledger.OpeningOf(entry.Uid))).ToList(), copies);
        }
    }

    /// <summary>Begins what can be fetched of some openings and has not been begun.</summary>
    /// <param name="round">Their round.</param>
    /// <param name="openings">One for each member of the roster, null where there is none yet.</param>
    /// <param name="copies">True to put them into the own store as well.</param>
    internal void Begin(Round round, IReadOnlyList<(Uid Author, PublicKey Key, Opening? Opening)> openings, bool copies = false)
    {
        // Where all is in one store it is as good as here.
        if (run.Stores.IsOne)
        {
            return;
        }

        foreach (var (author, key, opening) in openings)
        {
            if (opening is { } opened && UpdateFetcher.IsPossible(run, opened) && !run.Held.Holds(opened.ObjectDigest) && _begun.Add(opened.ObjectDigest))
            {
                var stop = _ofRound.Token;
                _running.RemoveAll(task => task.IsCompleted);
                _running.Add(Task.Run(() => FetchAsync(round, author, key, opened, copies, stop), CancellationToken.None));
            }
        }
    }

    /// <summary>Gives up what is on its way.</summary>
    public void GiveUp()
    {
        _ofRound.Cancel();
        _ofRound.Dispose();
        _ofRound = new CancellationTokenSource();
        _begun.Clear();
    }

    /// <summary>Gives up what is on its way and waits until nothing is.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_ended)
        {
            return;
        }

        _ended = true;
        GiveUp();
        await Task.WhenAll(_running);
        _ofRound.Dispose();
        _turns.Dispose();
    }

    private async Task FetchAsync(Round round, Uid author, PublicKey key, Opening opening, bool copies, CancellationToken stop)
    {
        var copy = Task.CompletedTask;
        try
        {
            await _turns.WaitAsync(stop);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        try
        {
            using var time = CancellationTokenSource.CreateLinkedTokenSource(stop);
            time.CancelAfter(run.Silences.TimeOf(author, TimeSpan.FromSeconds(run.RulesBook.At(round).Round.StageSecondsMax / 2.0)));
            await run.Held.ComeAsync(opening.ObjectDigest, () => UpdateFetcher.BringAheadAsync(run, round, author, key, opening, Verified, time.Token));
        }
        catch (OperationCanceledException)
        {
            // The next round has begun, the node stops, or its store takes longer than it may.
        }
        finally
        {
            _turns.Release();
        }

        await copy;

        void Verified() => copy = copies ? CopyAsync(round, opening.ObjectDigest, stop) : copy;
    }

    private async Task CopyAsync(Round round, Digest digest, CancellationToken stop)
    {
        try
        {
            await run.Copies.PutAsync(node, round, digest, stop);
        }
        catch (Exception e) when (e is OperationCanceledException or InputException or IOException)
        {
            // The next round has begun, or the node stops; or it cannot be read or the store refuses it, which is said when a verdict needs it.
        }
    }
}
