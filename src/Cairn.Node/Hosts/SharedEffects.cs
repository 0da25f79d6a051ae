using Cairn.Base;
using Cairn.Exchange;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>The effects that peers and validators share: saying things on the ledger, applying and recomputing rounds.</summary>
internal sealed class SharedEffects : IAsyncDisposable
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private readonly RunContext _run;
    private readonly NodeIdentity _self;
    private readonly LedgerFollower _ledger;
    private readonly DeltaStore _deltas;
    private readonly FetchAhead _ahead;
    private (Round Round, string Missing)? _told;
    private Task _rest = Task.CompletedTask;

    public SharedEffects(RunContext run, NodeIdentity self, LedgerFollower ledger)
    {
        (_run, _self, _ledger) = (run, self, ledger);
        _deltas = new DeltaStore(run, self.Name);
        _ahead = new FetchAhead(run, self.Name);
    }

    /// <summary>Begins an effect that both roles know.</summary>
    public Task<NodeEvent?> BeginAsync(Replica replica, Effect effect, LedgerState ledger, CancellationToken cancellation)
    {
        switch (effect)
        {
            case Submit submit:
                Say(submit.Operation);
                return Task.FromResult<NodeEvent?>(null);
            case Recompute again:
                return RecomputeAsync(replica, again, KeysOf(ledger), ledger.QuorumBase(again.Round), cancellation);
            case CatchUp catchUp:
                return GoBackAsync(replica, catchUp.Round, cancellation);
            default:
                throw new InvariantViolation($"no host does {effect.GetType().Name}");
        }
    }

    /// <summary>Sees the ledger as it stands now, after everything new was read: begins to fetch what was opened; where the own store is not announced, says
    /// so.</summary>
    /// <param name="ledger">The state.</param>
    public void CaughtUp(LedgerState ledger)
    {
        var self = ledger.Find(_self.Key.Public);
        _ahead.Begin(ledger, copies: self is { Role: Role.Validator, HasLeft: false });
        if (_run.Stores.Place is { Length: > 0 } place && self is { HasLeft: false } me && me.Place != place
            && ledger.Stage != Stage.Finished && me.AnnouncedInRound != ledger.CurrentRound.Number)
        {
            Say(new Announce(ledger.CurrentRound, place));
        }
    }

    /// <summary>Ends what was begun ahead of its time, once nothing else of the node runs.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ahead.DisposeAsync();
        try
        {
            await _rest;
        }
        catch (OperationCanceledException)
        {
            // Told to stop: what was not put or dropped is so after another round.
        }

        _deltas.Dispose();
    }

    /// <summary>Waits until what the last applied round has left to do is done.</summary>
    public Task FinishAsync() => _rest;

    /// <summary>Signs, makes durable, appends.</summary>
    public void Say(Operation operation)
    {
        var why = _ledger.Append(_self.Outbox.Sign(operation));
        if (why != Rejection.None)
        {
            _run.Log.Tell(new OperationRefused(_self.Name, operation.GetType().Name, why.ToString()));
        }
    }

    /// <summary>Applies a closed manifest to the replica.</summary>
    /// <param name="replica">The replica.</param>
    /// <param name="apply">What to apply.</param>
    /// <param name="ledger">Read before anything is waited for.</param>
    /// <param name="makeBook">Gives a validator's book after the round; told whether the updates are there to judge again. May take a while.</param>
    /// <param name="cancellation">Stops before the replica changes.</param>
    public async Task<NodeEvent?> ApplyAsync(Replica replica, ApplyManifest apply, LedgerState ledger, Func<bool, Task<byte[]>> makeBook, CancellationToken cancellation)
    {
        var keys = KeysOf(ledger);
        var (uid, now) = (ledger.Find(_self.Key.Public)!.Uid, ledger.CurrentRound);
        var settles = (apply.Round.Number + 1) % _run.Rules.Round.SettleEvery == 0 || apply.Round.Number + 1 == _run.Rules.Round.Rounds;
        var quorum = ledger.QuorumBase(apply.Round);
        var publishes = ledger.Find(_self.Key.Public)!.Role == Role.Validator;
        Uid[] publishers =
        [
            .. ledger.Validators.Where(m => quorum is not null && ledger.BaseOf(apply.Round, m.Uid) == quorum).Select(m => m.Uid),
        ];
        using var updates = await UpdateFetcher.TryFetchManifestAsync(_run, apply.Manifest, keys, cancellation);
        await _rest;
        PendingDelta? delta = null;
        var book = await makeBook(updates.Contributions is not null);
        if (updates.Contributions is { } contributions)
        {
            // On the thread pool, but without an engine: no kernel is needed and the others need not wait.
            var included = apply.Included ? contributions.FindIndex(c => c.Update.Uid == uid) : -1;
            delta = publishes && contributions.Count > 0 ? _deltas.Begin(apply.Manifest, uid) : null;
            await Task.Run(() => replica.Apply(contributions, included, book, settles, delta), cancellation);
        }
        else if (quorum is not { } named || !await DeltaStore.TryApplyAsync(_run, replica, apply, updates.Of(uid), publishers, named, book, settles, cancellation))
        {
            // Where all is in one store there is nothing to wait for but a person. From stores of their own others will have what is needed once they have applied.
            return _run.Stores.IsOne ? throw new InputException(updates.Missing) : await WaitAsync(apply.Round, updates.Missing, now, cancellation);
        }

        _run.Log.Tell(new RoundApplied(_self.Name, apply.Round.Number, apply.Manifest.Entries.Count, replica.BaseDigest.ToString()));
        _rest = RestAsync(delta, apply.Round, cancellation);
        return new Applied(apply.Round, replica.BaseDigest);
    }

    private static Dictionary<Uid, PublicKey> KeysOf(LedgerState ledger) => ledger.Members.ToDictionary(m => m.Uid, m => m.Key);

    private async Task<NodeEvent?> WaitAsync(Round round, string missing, Round now, CancellationToken cancellation)
    {
        if (now.Number - round.Number > _run.DeltasRetained)
        {
            throw new InputException($"{missing} Round {now.Number} has begun meanwhile: start this node again, and it begins from a checkpoint.");
        }

        if (_told != (round, missing))
        {
            _told = (round, missing);
            _run.Log.Tell(new RoundCannotBeHad(_self.Name, round.Number, missing));
        }

        await Task.Delay(RetryAfter, _run.Time, cancellation);
        return new CouldNotApply(round);
    }

    // Where the updates cannot be had any more, what the others posted stands for what would come out: from there the round is applied anew, by its mean. Without such a
    // word, or a state to go back to, nothing can be said against the own base here.
    private async Task<NodeEvent?> RecomputeAsync(
        Replica replica, Recompute again, Dictionary<Uid, PublicKey> keys, Digest? quorum, CancellationToken cancellation)
    {
        using var updates = await UpdateFetcher.TryFetchManifestAsync(_run, again.Manifest, keys, cancellation);
        if (updates.Contributions is { } contributions)
        {
            var result = await Task.Run(() => replica.Recompute(again.Round, contributions), cancellation);
            return new Recomputed(again.Round, result ?? replica.BaseDigest);
        }

        if (_run.Stores.IsOne)
        {
            throw new InputException(updates.Missing);
        }

        return new Recomputed(again.Round, quorum is { } others && replica.CanGoBackTo(again.Round) ? others : replica.BaseDigest);
    }

    // The round was recomputed to something else from the durable state before it: from there it is applied anew, training included, as after a restart.
    private static async Task<NodeEvent?> GoBackAsync(Replica replica, Round round, CancellationToken cancellation)
    {
        await Task.Run(() => Invariant.Check(replica.GoBackTo(round)), cancellation);
        return new WentBack(round);
    }

    // What nobody waits for: the round is applied, and durable, without it. So the line is used while the next one is computed.
    private async Task RestAsync(PendingDelta? delta, Round applied, CancellationToken cancellation)
    {
        await (delta is null ? Task.CompletedTask : _deltas.PutAsync(_run.Stores.Own, delta, cancellation));
        await ForgetAsync(applied, cancellation);
    }

    private async Task ForgetAsync(Round applied, CancellationToken cancellation)
    {
        var updatesFrom = new Round(applied.Number - _run.Rules.Round.RetainedRounds + 1);
        _self.Outbox.Forget(updatesFrom);
        // The newest round may have to be computed again.
        _run.Held.Forget(new Round(applied.Number - 1));
        _run.Silences.Forget(new Round(applied.Number - 1));
        _run.Opened.Forget(applied);
        _run.Copies.Forget(applied);
        await Retention.ForgetAsync(_run.Stores.Own, updatesFrom, new Round(applied.Number - _run.DeltasRetained + 1), cancellation);
    }
}
