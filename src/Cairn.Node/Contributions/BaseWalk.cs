using Cairn.Base;
using Cairn.Compute;
using Cairn.Exchange;
using Cairn.Ledger;
using Cairn.Model;
using Cairn.Sparse;
using Cairn.Training;

namespace Cairn.Node;

/// <summary>Gives the base before any round that can still be had: from the initial parameters or a checkpoint, and from there round by round by means or updates. Every
/// base is the one that the ledger names.</summary>
internal sealed class BaseWalk(RunContext run, LedgerHistory history, RoundTrials trials) : IDisposable
{
    private readonly HashSet<int> _useless = [];
    private bool _stands;

    /// <summary>The base before <see cref="Next"/>.</summary>
    public Parameters Base { get; private set; } = new(run.Layout);

    /// <summary>The round that follows.</summary>
    public Round Next { get; private set; }

    /// <summary>Goes to the start of a round.</summary>
    /// <param name="round">Not before <see cref="Next"/>.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>False if there is no way to it.</returns>
    public async Task<bool> TryReachAsync(Round round, CancellationToken cancellation)
    {
        if (_stands && await TryGoOnAsync(round, cancellation))
        {
            return true;
        }

        var checkpoints = history.State.Checkpoints.Where(named => named.Round < round && (!_stands || named.Round >= Next) && !_useless.Contains(named.Round.Number));
        foreach (var (after, digest) in checkpoints.Reverse())
        {
            if (await TryLoadAsync(after, digest, cancellation) && await TryGoOnAsync(round, cancellation))
            {
                return true;
            }

            // What could not be fetched, or led nowhere, will not do so for a later round either.
            _useless.Add(after.Number);
        }

        if (_stands)
        {
            return false;
        }

        InitialParameters.Fill(run.Directory, run.Rules, Base);
        (Next, _stands) = (new Round(0), true);
        Require(run.Rules.Model.InitialBase);
        return await TryGoOnAsync(round, cancellation);
    }

    /// <summary>Takes the base after a round that somebody has stepped.</summary>
    /// <param name="after">Becomes this object's, which hands over the one that was before.</param>
    /// <exception cref="InputException">It is not the one that the ledger names.</exception>
    public Parameters GoTo(Parameters after)
    {
        (var before, Base) = (Base, after);
        Step(history.QuorumBase(Next));
        return before;
    }

    public void Dispose() => Base.Dispose();

    private async Task<bool> TryGoOnAsync(Round round, CancellationToken cancellation)
    {
        while (Next < round)
        {
            var manifest = history.State.ManifestOf(Next)!;
            if (manifest.Empty)
            {
                Next = Next.Next;
            }
            else if (!await TryByMeanAsync(manifest, cancellation) && !await TryByUpdatesAsync(manifest, cancellation))
            {
                return false;
            }
        }

        return true;
    }

    private async Task<bool> TryLoadAsync(Round after, Digest digest, CancellationToken cancellation)
    {
        var sources = history.State.Validators.Select(member => run.Stores.Of(member.Uid)).Distinct().ToList();
        using var parameters = await new CheckpointDownload(run.Layout, run.Time, _ => { }, after, digest).FetchAsync(sources, cancellation);
        if (parameters is null)
        {
            return false;
        }

        Base.CopyFrom(parameters);
        (Next, _stands) = (after.Next, true);
        return true;
    }

    private async Task<bool> TryByMeanAsync(Manifest manifest, CancellationToken cancellation)
    {
        if (history.QuorumBase(Next) is not { } named)
        {
            return false; // only by it can a mean be trusted
        }

        foreach (var validator in history.State.Validators)
        {
            using var file = run.Spool.Open();
            var outcome = await run.Stores.Of(validator.Uid).GetAsync(
                ObjectKey.Delta(Next, validator.Uid), RoundDelta.BytesMax(run.Grid, manifest.Entries.Count), file.SafeFileHandle, cancellation);
            if (outcome.Status == FetchStatus.Found
                && RoundDelta.TryRead(file, run.Grid, run.RulesDigest, Next, manifest.Digest, out _) is { } mean && LeadsTo(mean, named))
            {
                using var one = new FloatBuffer(run.Grid.LongestTensor);
                ForEachTensor(mean, one, (tensor, its) => OuterStep.Apply(run.Grid.Slice(Base.Span, tensor), its, Rate));
                Step(named);
                return true;
            }
        }

        return false;
    }

    private bool LeadsTo(RoundDelta mean, Digest named)
    {
        using var one = new FloatBuffer(run.Grid.LongestTensor);
        var preview = new OuterStepPreview(Rate);
        ForEachTensor(mean, one, (tensor, its) => preview.Add(run.Grid.Slice(Base.Span, tensor), its));
        return preview.Finish() == named;
    }

    private async Task<bool> TryByUpdatesAsync(Manifest manifest, CancellationToken cancellation)
    {
        using var updates = await UpdateFetcher.TryFetchManifestAsync(run, manifest, history.State.Members.ToDictionary(m => m.Uid, m => m.Key), cancellation);
        if (updates.Contributions is not { } contributions)
        {
            return false;
        }

        trials.Step(contributions, Base);
        Step(history.QuorumBase(Next));
        return true;
    }

    // Votes may have changed it.
    private float Rate => (float)run.RulesBook.At(Next).Sparse.OuterRate;

    private void Step(Digest? named)
    {
        if (named is { } digest)
        {
            Require(digest);
        }

        Next = Next.Next;
    }

    private void Require(Digest named)
    {
        if (Base.Digest() is var found && found != named)
        {
            throw new InputException(
                $"round {Next.Number + 1} leads here to the base {found.Short}, and the ledger names {named.Short}: restore the store from a copy of the run.");
        }
    }

    private void ForEachTensor(RoundDelta mean, FloatBuffer one, Action<int, Span<float>> use)
    {
        for (var tensor = 0; tensor < run.Grid.TensorCount; tensor++)
        {
            var its = one.Slice(0, run.Grid[tensor].Spec.Length);
            mean.CopyTo(tensor, its);
            use(tensor, its);
        }
    }
}
