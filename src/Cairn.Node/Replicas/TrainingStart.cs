using Cairn.Base;
using Cairn.Compute;
using Cairn.Model;
using Cairn.Training;

namespace Cairn.Node;

/// <summary>With an apply delay: what the training of a round begins from, the base that the rules name for it, moved by the own update that is still on its way, and the
/// optimizer as the training before left it. Durable before the first inner step, so that whoever repeats the training, in whatever life, repeats its bits.</summary>
/// <remarks>Three files take turns: that of the round the replica stands before, of the one before it for a replica that goes back, and of the one that is trained
/// ahead. They are older than the state they belong to, never younger. A validator keeps only the name of the base.</remarks>
internal sealed class TrainingStart : IDisposable
{
    private readonly Digest _rules;
    private readonly string _folder;
    private readonly OptimizerState? _optimizer;
    private readonly Parameters? _from;
    private readonly FloatBuffer[] _sections = [];

    /// <summary>Takes memory for one base.</summary>
    /// <param name="run">The run.</param>
    /// <param name="folder">The node's folder.</param>
    /// <param name="optimizer">Of a peer: stays its owner's, and is part of the start. Null for a validator.</param>
    public TrainingStart(RunContext run, string folder, OptimizerState? optimizer)
    {
        (_rules, _folder, _optimizer) = (run.RulesDigest, folder, optimizer);
        if (optimizer is not null)
        {
            _from = new Parameters(run.Layout);
            _sections = [_from.Buffer, optimizer.Moment1, optimizer.Moment2];
        }
    }

    /// <summary>The round whose training begins here.</summary>
    public Round Round { get; private set; } = new(-1);

    /// <summary>The base that it is trained from; zero if it is not at hand: after a checkpoint.</summary>
    public Digest BaseDigest { get; private set; }

    /// <summary>True once the buffers hold something else: a training has begun.</summary>
    public bool Used { get; private set; }

    /// <summary>Where the inner steps begin; after them what they gave, that minus the local parameters. Of a peer only.</summary>
    public Parameters From => _from!;

    /// <summary>The training has begun: optimizer and <see cref="From"/> are its own now.</summary>
    public void Use() => Used = true;

    /// <summary>Goes on to a round: to the start that an earlier life has written, if it is of the same base, else to a new one. Durable when this returns.</summary>
    /// <param name="round">The round.</param>
    /// <param name="digest">The base to train it from.</param>
    /// <param name="from">That base; copied.</param>
    /// <param name="lead">Moves a new start from there to where the inner steps begin; null for the base itself.</param>
    public void GoOnTo(Round round, Digest digest, Parameters from, Action<Parameters>? lead)
    {
        if (Round == round)
        {
            return;
        }

        if (ReplicaStateFile.Peek(FileOf(round)) is { } there && there.Next == round && there.Rules == _rules && there.BaseDigest == digest)
        {
            if (TryLoad(round))
            {
                return;
            }

            // It is torn, and its pieces lie in the buffers: what the training before began from is the best that is left.
            GoBackTo(Round);
        }

        if (_from is not null)
        {
            _from.CopyFrom(from);
            lead?.Invoke(_from);
        }

        Set(round, digest);
    }

    /// <summary>Begins at a round with a fresh optimizer.</summary>
    /// <param name="round">The round.</param>
    /// <param name="digest">The base that it is trained from, or zero.</param>
    /// <param name="from">That base, or null where only its name is known.</param>
    public void Begin(Round round, Digest digest, Parameters? from)
    {
        foreach (var section in _sections)
        {
            section.Span.Clear();
        }

        _optimizer?.RestoreSteps(0);
        if (from is not null)
        {
            _from?.CopyFrom(from);
        }

        Set(round, from is null && _from is not null ? Digest.Zero : digest);
    }

    /// <summary>Goes back to the start of a round as it was written, or without one to a fresh optimizer and no base.</summary>
    /// <param name="round">The round.</param>
    public void GoBackTo(Round round)
    {
        if (!TryLoad(round) && !TryLoad(round, Settled))
        {
            Begin(round, Digest.Zero, null);
        }
    }

    /// <summary>Keeps this start, as it was written, also where the next rounds do not overwrite it, safe from a power cut.</summary>
    public void KeepSettled() => DurableFile.Write(Settled, stream =>
    {
        using var written = File.OpenRead(FileOf(Round));
        written.CopyTo(stream);
    });

    public void Dispose() => _from?.Dispose();

    private void Set(Round round, Digest digest)
    {
        ReplicaStateFile.Write(FileOf(round), new StateHeader(_rules, round, digest, _optimizer?.Steps ?? 0), _sections, [], flush: false);
        (Round, BaseDigest, Used) = (round, digest, false);
    }

    private bool TryLoad(Round round) => TryLoad(round, FileOf(round));

    private bool TryLoad(Round round, string path)
    {
        if (ReplicaStateFile.Peek(path) is not { } there || there.Next != round || there.Rules != _rules
            || ReplicaStateFile.TryRead(path, _sections) is not { Header: var header })
        {
            return false;
        }

        _optimizer?.RestoreSteps(header.OptimizerSteps);
        (Round, BaseDigest, Used) = (round, header.BaseDigest, false);
        return true;
    }

    private string Settled => Path.Combine(_folder, "state-start-settled.bin");

    private string FileOf(Round round) => Path.Combine(_folder, $"state-start-{round.Number % 3}.bin");
}
