using Cairn.Base;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>What stands for the replica where nothing is computed: fetches, opens and decodes exactly the manifest as every member does, and names the base after it
/// by all that went into it.</summary>
internal sealed class WanReplica(RunContext run, NodeIdentity self)
{
    private Task _rest = Task.CompletedTask;
    private readonly List<Digest> _bases = [run.Rules.Model.InitialBase];

    /// <summary>The base now.</summary>
    public Digest Base => _bases[^1];

    /// <summary>The base that the inner steps of a round begin from.</summary>
    /// <param name="round">At most the first that was not applied, or with an apply delay the one after that.</param>
    public Digest TrainingBase(Round round) => _bases[Math.Max(0, round.Number - run.Rules.Round.ApplyDelay)];

    /// <summary>Waits until what the last applied round has left to do is done.</summary>
    public Task FinishAsync() => _rest;

    /// <summary>Applies a closed round.</summary>
    /// <param name="apply">Which.</param>
    /// <param name="ledger">Read before anything is waited for.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="InputException">An update cannot be had.</exception>
    public async Task<NodeEvent?> ApplyAsync(ApplyManifest apply, LedgerState ledger, CancellationToken cancellation)
    {
        var keys = ledger.Members.ToDictionary(member => member.Uid, member => member.Key);
        using var updates = await UpdateFetcher.TryFetchManifestAsync(run, apply.Manifest, keys, cancellation);
        if (updates.Contributions is null)
        {
            throw new InputException(updates.Missing);
        }

        await _rest;
        Invariant.Check(_bases.Count == apply.Round.Number + 1);
        var after = Digest.Of("cairn/wan-base", [.. _bases[^1].ToArray(), .. apply.Manifest.Digest.ToArray()]);
        _bases.Add(after);
        run.Log.Tell(new RoundApplied(self.Name, apply.Round.Number, apply.Manifest.Entries.Count, after.ToString()));
        _rest = ForgetAsync(apply.Round, cancellation);
        return new Applied(apply.Round, after);
    }

    private Task ForgetAsync(Round applied, CancellationToken cancellation)
    {
        var updatesFrom = new Round(applied.Number - run.Rules.Round.RetainedRounds + 1);
        self.Outbox.Forget(updatesFrom);
        run.Held.Forget(new Round(applied.Number - 1));
        run.Silences.Forget(new Round(applied.Number - 1));
        run.Opened.Forget(applied);
        run.Copies.Forget(applied);
        return Retention.ForgetAsync(run.Stores.Own, updatesFrom, new Round(applied.Number - run.DeltasRetained + 1), cancellation);
    }
}
