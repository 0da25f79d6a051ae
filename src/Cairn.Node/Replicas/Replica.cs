using Cairn.Base;
using Cairn.Compute;
using Cairn.Data;
using Cairn.Formats;
using Cairn.Model;
using Cairn.Sparse;
using Cairn.Training;

namespace Cairn.Node;

/// <summary>What one peer is to train on in one round.</summary>
/// <param name="Round">The round.</param>
/// <param name="Samples">Ids in order, batch after batch.</param>
/// <param name="FirstStep">The inner step of the run that the round begins with: places it on the schedule.</param>
internal sealed record Assignment(Round Round, long[] Samples, long FirstStep);

/// <summary>What a peer's round of training gave.</summary>
/// <param name="Usable">False if it diverged, or there was no base to train from.</param>
/// <param name="Update">The encoded update; null if there is none, or if it is encoded later (<see cref="Replica.Encode"/>).</param>
/// <param name="Base">What it was trained from.</param>
/// <param name="Receipt">Digest over the sample ids in order.</param>
/// <param name="Trace">Digest over the losses.</param>
/// <param name="Losses">Of every inner step.</param>
internal sealed record TrainingOutcome(bool Usable, byte[]? Update, Digest Base, Digest Receipt, Digest Trace, IReadOnlyList<double> Losses);

/// <summary>The one place where a node's tensors live: the base, and for a peer also moments and error feedback. Durable between rounds.</summary>
/// <remarks>Rule 1 of the round: training changes moments and error feedback in place; if the update does not make it into the manifest they are read
/// back from the durable state of the round's start. So a rollback, a restart and a recomputation are one and the same path.</remarks>
internal sealed class Replica : IDisposable
{
    private readonly RunContext _run;
    private readonly string _folder;
    private readonly OptimizerState? _optimizer;
    private readonly FloatBuffer? _error;
    private readonly SparseEncoder _encoder;
    private readonly Aggregator _aggregator;
    private readonly List<FloatBuffer> _sections = [];
    // With an apply delay only: then the optimizer is durable with it, not with the state between two rounds.
    private readonly TrainingStart? _start;
    private readonly Lock _changing = new();
    private SparseUpdate? _pending;
    private bool _trained;

    private Replica(RunContext run, string folder, bool trains)
    {
        (_run, _folder) = (run, folder);
        Base = new Parameters(run.Layout);
        _sections.Add(Base.Buffer);
        if (trains)
        {
            _optimizer = new OptimizerState(run.Layout);
            _error = Parameters.NewBuffer(run.Layout);
            _sections.AddRange(Delayed ? [_error] : [_optimizer.Moment1, _optimizer.Moment2, _error]);
        }

        _start = Delayed ? new TrainingStart(run, folder, _optimizer) : null;

        _encoder = new SparseEncoder(run.Grid, run.Codec.Format.Quantizer, (float)run.Rules.Sparse.ErrorDecay);
        _aggregator = new Aggregator(run.Grid, run.Aggregation);
    }

    /// <summary>The parameters at the start of <see cref="Next"/>.</summary>
    public Parameters Base { get; }

    /// <summary>Their Merkle root.</summary>
    public Digest BaseDigest { get; private set; }

    /// <summary>The first round not yet applied.</summary>
    public Round Next { get; private set; }

    /// <summary>The base that updates of the round <see cref="Next"/> are trained from: with an apply delay the one before the last; zero if it is not known.</summary>
    public Digest TrainingBaseDigest => _start is null ? BaseDigest : _start.Round == Next ? _start.BaseDigest : Digest.Zero;

    /// <summary>A validator's book as it was when the state was made durable.</summary>
    public byte[] Book { get; private set; } = [];

    /// <summary>Opens a node's durable state, or begins at round 0 from the seed.</summary>
    /// <param name="run">The run.</param>
    /// <param name="folder">The node's folder.</param>
    /// <param name="trains">True for a peer.</param>
    /// <exception cref="InputException">There is a state and none of it is intact, or this machine computes other initial parameters.</exception>
    public static Replica Open(RunContext run, string folder, bool trains)
    {
        var replica = new Replica(run, folder, trains);
        var slots = new[] { replica.Slot(0), replica.Slot(1), replica.Settled }
            .Select(path => (Path: path, Header: ReplicaStateFile.Peek(path)))
            .Where(s => s.Header?.Rules == run.RulesDigest)
            .OrderByDescending(s => s.Header!.Next).ToList();
        foreach (var slot in slots)
        {
            if (!replica.Load(slot.Path))
            {
                continue;
            }

            // Where both slots went in a power cut the settled state is all there is; from here on the round is gone back to, and computed again, from its slot.
            if (slot.Path != replica.Slot(replica.Next.Number))
            {
                replica.Save(settles: false);
            }

            return replica;
        }

        // Before the first settlement the seed is as good a start as any state: the ledger and the store still hold every round.
        if (File.Exists(replica.Settled))
        {
            replica.Dispose();
            throw new InputException(
                $"the state in {folder} is damaged and no older one is intact: restore one of the state-*.bin there from a copy, " +
                "or delete them all: the node then begins from a checkpoint.");
        }

        replica.Begin();
        return replica;
    }

    /// <summary>H inner steps, or as many as samples were assigned for, from the base on the assigned samples, then error feedback, top-k and quantiser. With an
    /// apply delay the inner steps alone, of <see cref="Next"/> or the round after it.</summary>
    public TrainingOutcome Train(Engine engine, Uid uid, Assignment assignment, Action<int> progress, CancellationToken cancellation)
    {
        Invariant.Check(_optimizer is not null && _error is not null);
        if (_start is not null)
        {
            return TrainAhead(_start, engine, assignment, progress, cancellation);
        }

        Invariant.Check(assignment.Round == Next);
        if (_trained)
        {
            Restore();
        }

        _trained = true;
        engine.Local.CopyFrom(Base);
        var result = RunInnerSteps(engine, assignment, progress, cancellation);
        PseudoGradient.Compute(Base.Span, engine.Local.Span, engine.Local.Span);
        var usable = _encoder.TryEncode(_run.RulesDigest, Next, uid, _error.Span, engine.Local.Span, _error.Span, out _pending, out _);
        return new TrainingOutcome(
            usable, usable ? _run.Codec.Encode(_pending!) : null, BaseDigest, SampleReceipt.Of(assignment.Samples), result.Trace, result.Losses);
    }

    /// <summary>With an apply delay: adds the error feedback to what was trained for <see cref="Next"/>, then top-k and quantiser.</summary>
    /// <param name="uid">This peer.</param>
    /// <returns>The encoded update, or null if it cannot be sent.</returns>
    public byte[]? Encode(Uid uid)
    {
        Invariant.Check(_start is { Used: true } && _start.Round == Next && _error is not null);
        if (_trained)
        {
            Restore();
        }

        _trained = true;
        return _encoder.TryEncode(_run.RulesDigest, Next, uid, _error.Span, _start.From.Span, _error.Span, out _pending, out _) ? _run.Codec.Encode(_pending!) : null;
    }

    /// <summary>With an apply delay: makes the beginning of the round after <see cref="Next"/> durable, which must be before anybody is told of the update that leads
    /// there: whatever becomes of this process then, and of the update, that round is trained from the same bits.</summary>
    public void BeginAhead()
    {
        lock (_changing)
        {
            if (_pending is not null && _start is { Used: true } && _start.Round == Next)
            {
                GoOn(_start, Next.Next);
            }
        }
    }

    // A round may be applied meanwhile: that changes base and error feedback, and neither is touched here.
    private TrainingOutcome TrainAhead(TrainingStart start, Engine engine, Assignment assignment, Action<int> progress, CancellationToken cancellation)
    {
        lock (_changing)
        {
            Invariant.Check(assignment.Round == Next || assignment.Round == Next.Next);
            if (assignment.Round > Next)
            {
                GoOn(start, assignment.Round);
            }

            Invariant.Check(start.Round == assignment.Round);
            if (start.Used)
            {
                start.GoBackTo(start.Round);
            }
        }

        if (start.BaseDigest.IsZero)
        {
            return new TrainingOutcome(false, null, Digest.Zero, Digest.Zero, Digest.Zero, []);
        }

        start.Use();
        engine.Local.CopyFrom(start.From);
        var result = RunInnerSteps(engine, assignment, progress, cancellation);
        PseudoGradient.Compute(start.From.Span, engine.Local.Span, start.From.Span);
        var usable = AllFinite(start.From.Span);
        if (!usable)
        {
            // What diverged does not stay in the moments.
            start.GoBackTo(start.Round);
        }

        return new TrainingOutcome(usable, null, start.BaseDigest, SampleReceipt.Of(assignment.Samples), result.Trace, result.Losses);
    }

    // The round after Next begins from the base at hand, which knows nothing yet of what the peers send for Next. Of that each has its own, and begins where the base
    // would be if it were alone: of all that it knows the best guess of where the others will move it too (docs/flow.md, "With an apply delay").
    private void GoOn(TrainingStart? start, Round round) =>
        start?.GoOnTo(round, BaseDigest, Base, _pending is { } own ? parameters => StepOfOne.Apply(own, parameters.Span, OuterRate(Next)) : null);

    private InnerLoopResult RunInnerSteps(Engine engine, Assignment assignment, Action<int> progress, CancellationToken cancellation)
    {
        var training = _run.Rules.Training;
        var steps = assignment.Samples.Length / training.Batch;
        Invariant.Check(steps > 0 && steps <= training.InnerSteps && assignment.Samples.Length == steps * training.Batch);
        var result = engine.InnerLoop.Run(
            engine.Local, _optimizer!, (step, tokens, targets) => _run.FillBatch(assignment.Samples, step * training.Batch, training.Batch, tokens, targets),
            assignment.FirstStep, steps, () => cancellation.IsCancellationRequested, step => progress(step.Index + 1),
            RunContext.ScheduleOf(_run.RulesBook.At(assignment.Round)));
        cancellation.ThrowIfCancellationRequested();
        return result;
    }

    private static bool AllFinite(ReadOnlySpan<float> values)
    {
        foreach (var value in values)
        {
            if (!float.IsFinite(value))
            {
                return false;
            }
        }

        return true;
    }

    private float OuterRate(Round round) => (float)_run.RulesBook.At(round).Sparse.OuterRate;

    private bool Delayed => _run.Rules.Round.ApplyDelay > 0;

    /// <summary>Copies the base at the start of a round, from any thread.</summary>
    /// <returns>False if the replica does not stand there.</returns>
    public bool TryCopyBase(Round round, Parameters target)
    {
        lock (_changing)
        {
            if (Next != round)
            {
                return false;
            }

            target.CopyFrom(Base);
            return true;
        }
    }

    /// <summary>Applies a closed round and makes the new state durable.</summary>
    /// <param name="contributions">The manifest's updates in uid order; empty leaves everything as it was.</param>
    /// <param name="included">Where the own update stands in them, or −1: then the round's training is rolled back.</param>
    /// <param name="book">A validator's book to keep with the state.</param>
    /// <param name="settles">True to keep this state also where the next rounds do not overwrite it, safe from a power cut.</param>
    /// <param name="delta">Receives the mean as it is applied; may be null.</param>
    public void Apply(IReadOnlyList<Contribution> contributions, int included, byte[] book, bool settles, PendingDelta? delta = null)
    {
        lock (_changing)
        {
            GoOn(_start, Next.Next);
            Move(contributions, included, delta);
            Book = book;
        }

        Save(settles);
    }

    /// <summary>Applies a closed round by its mean alone, if that leads to the base that the ledger names; else nothing changes.</summary>
    /// <param name="delta">The mean.</param>
    /// <param name="quorum">The base after the round.</param>
    /// <param name="included">True if an own update is part of it.</param>
    /// <param name="own">That update, if it can be had.</param>
    /// <param name="book">A validator's book to keep with the state.</param>
    /// <param name="settles">As in <see cref="Apply"/>.</param>
    /// <returns>False if another base comes out.</returns>
    /// <remarks>Of an own update that is part of it all that was sent leaves the error feedback: by how much it was clipped cannot be told without the others'. (What is
    /// lost by that is within the error of three seeds, docs/results/lab-sparse.md.) If it is not the one that was trained here, the error feedback begins anew: that
    /// costs some twenty rounds. One that is no part of it is rolled back, as ever (rule 1 of the round).</remarks>
    public bool TryApply(RoundDelta delta, Digest quorum, bool included, ISparseUpdate? own, byte[] book, bool settles)
    {
        // First where it leads to, then, where that is right, the step itself: no second copy of the model is made.
        using var mean = new FloatBuffer(_run.Grid.LongestTensor);
        var preview = new OuterStepPreview(OuterRate(Next));
        ForEachTensor(delta, mean, (tensor, one) => preview.Add(_run.Grid.Slice(Base.Span, tensor), one));
        if (preview.Finish() != quorum)
        {
            return false;
        }

        lock (_changing)
        {
            GoOn(_start, Next.Next);
            if (included && _pending is { } sent && own is not null && sent.SaysTheSameAs(own))
            {
                ForEachTensor(delta, mean, (tensor, one) => _aggregator.Settle(sent[tensor], 1, one, _run.Grid.Slice(_error!.Span, tensor)));
            }
            else if (included)
            {
                _error?.Span.Clear();
            }
            else if (_trained)
            {
                Restore();
            }

            ForEachTensor(delta, mean, (tensor, one) => OuterStep.Apply(_run.Grid.Slice(Base.Span, tensor), one, OuterRate(Next)));
            (_pending, _trained) = (null, false);
            (Next, BaseDigest, Book) = (Next.Next, quorum, book);
        }

        Save(settles);
        return true;
    }

    /// <summary>Begins anew at a later round, from a checkpoint that was verified; durable when this returns.</summary>
    /// <param name="checkpoint">The base at the start of the round; copied.</param>
    /// <param name="next">The round.</param>
    /// <param name="before">The base before it, as the ledger names it; zero if it does not. With an apply delay a validator judges by it; a peer, which has the name
    /// alone, cannot train the round.</param>
    public void BeginFrom(Parameters checkpoint, Round next, Digest before)
    {
        lock (_changing)
        {
            Clear();
            _start?.Begin(next, before, null);
            Base.CopyFrom(checkpoint);
            (Next, BaseDigest, Book) = (next, Base.Digest(), []);
        }

        Save(settles: true);
    }

    /// <summary>Computes a round again from the durable state before it, without touching this replica.</summary>
    /// <param name="round">The last applied round.</param>
    /// <param name="contributions">Its updates.</param>
    /// <returns>The base that comes out, or null if that state is gone.</returns>
    public Digest? Recompute(Round round, IReadOnlyList<Contribution> contributions)
    {
        if (ReplicaStateFile.OpenBase(Slot(round.Number), Base.Buffer.Length) is not { } before)
        {
            return null;
        }

        using var floats = before.Floats;
        var there = before.Header.Rules == _run.RulesDigest && before.Header.Next == round && floats.Digest() == before.Header.BaseDigest;
        if (!there || contributions.Count == 0)
        {
            return there ? before.Header.BaseDigest : null;
        }

        using var parameters = new FloatBuffer(_run.Grid.LongestTensor);
        var preview = new OuterStepPreview(OuterRate(round));
        _aggregator.Aggregate(contributions, (tensor, mean, _) =>
        {
            var own = parameters.Slice(0, mean.Length);
            floats.Read(_run.Grid[tensor].Spec.Offset, own);
            preview.Add(own, mean);
        });
        _aggregator.Rest();
        return preview.Finish();
    }

    /// <summary>True if the durable state of that round's start is there.</summary>
    public bool CanGoBackTo(Round round) => ReplicaStateFile.Peek(Slot(round.Number)) is { } there && there.Rules == _run.RulesDigest && there.Next == round;

    /// <summary>Goes back to the durable state of that round's start, to apply it anew.</summary>
    /// <returns>False if it is gone.</returns>
    public bool GoBackTo(Round round)
    {
        lock (_changing)
        {
            return Load(Slot(round.Number)) && Next == round;
        }
    }

    public void Dispose()
    {
        Base.Dispose();
        _optimizer?.Dispose();
        _error?.Dispose();
        _start?.Dispose();
        _aggregator.Dispose();
    }

    private void Move(IReadOnlyList<Contribution> contributions, int included, PendingDelta? delta)
    {
        if (included < 0 && _trained)
        {
            Restore();
        }

        // What was trained again from a checkpoint is not what an earlier life sent: of that nothing is left here to subtract, and the error feedback begins anew.
        var lost = included >= 0 && !(_pending is { } own && own.SaysTheSameAs(contributions[included].Update));
        if (contributions.Count > 0)
        {
            Step(contributions, lost ? -1 : included, delta);
        }

        if (lost)
        {
            _error?.Span.Clear();
        }

        (_pending, _trained) = (null, false);
        Next = Next.Next;
        BaseDigest = Base.Digest();
    }

    private void ForEachTensor(RoundDelta delta, FloatBuffer mean, Action<int, Span<float>> use)
    {
        for (var tensor = 0; tensor < _run.Grid.TensorCount; tensor++)
        {
            var one = mean.Slice(0, _run.Grid[tensor].Spec.Length);
            delta.CopyTo(tensor, one);
            use(tensor, one);
        }
    }

    // The outer step; of the own update, what was applied leaves the error feedback.
    private void Step(IReadOnlyList<Contribution> contributions, int included, PendingDelta? delta)
    {
        _aggregator.Aggregate(contributions, (tensor, mean, factors) =>
        {
            OuterStep.Apply(_run.Grid.Slice(Base.Span, tensor), mean, OuterRate(Next));
            delta?.Write(mean);
            if (included >= 0)
            {
                _aggregator.Settle(_pending![tensor], factors[included], mean, _run.Grid.Slice(_error!.Span, tensor));
            }
        });
        _aggregator.Rest();
    }

    // What a damaged file or an earlier life left in the buffers goes.
    private void Clear()
    {
        foreach (var section in _sections)
        {
            section.Span.Clear();
        }

        _optimizer?.RestoreSteps(0);
        (_pending, _trained) = (null, false);
    }

    private void Begin()
    {
        Clear();
        InitialParameters.Fill(_run.Directory, _run.Rules, Base);
        BaseDigest = Base.Digest();
        if (BaseDigest != _run.Rules.Model.InitialBase)
        {
            throw new InputException(
                $"this machine {(_run.Rules.Model.FromModel ? "has" : "computes")} the initial parameters {BaseDigest.Short} where the rules name " +
                $"{_run.Rules.Model.InitialBase.Short}: it cannot take part. " +
                (_run.Rules.Model.FromModel ? $"Restore {BaseFile.FileName} from a copy of the run, or join again." : "Please report its processor."));
        }

        Next = new Round(0);
        _start?.Begin(Next, BaseDigest, Base);
        Save(settles: false);
    }

    private void Restore() => Invariant.Check(LoadState(Slot(Next.Number)));

    private bool Load(string path)
    {
        if (!LoadState(path))
        {
            return false;
        }

        _start?.GoBackTo(Next);
        return true;
    }

    private bool LoadState(string path)
    {
        if (ReplicaStateFile.TryRead(path, _sections) is not { } state || state.Header.Rules != _run.RulesDigest)
        {
            return false;
        }

        (Next, BaseDigest, Book) = (state.Header.Next, state.Header.BaseDigest, state.Book);
        if (_start is null)
        {
            _optimizer?.RestoreSteps(state.Header.OptimizerSteps);
        }

        (_pending, _trained) = (null, false);
        return true;
    }

    // The two slots take turns and are not flushed: a file system may lose both in a power cut, but not the settled state.
    private void Save(bool settles)
    {
        var header = new StateHeader(_run.RulesDigest, Next, BaseDigest, _start is null ? _optimizer?.Steps ?? 0 : 0);
        ReplicaStateFile.Write(Slot(Next.Number), header, _sections, Book, flush: false);
        if (settles)
        {
            _start?.KeepSettled();
            ReplicaStateFile.Write(Settled, header, _sections, Book, flush: true);
        }
    }

    private string Settled => Path.Combine(_folder, "state-settled.bin");

    private string Slot(int round) => Path.Combine(_folder, $"state-{round & 1}.bin");
}
