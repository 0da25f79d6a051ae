using Cairn.Base;
using Cairn.Data;
using Cairn.Ledger;
using Cairn.Model;

namespace Cairn.Node;

/// <summary>The checkpoints of a run, as its ledger comes to name them. The ledger is read and verified once and then read on: to look for a newer one costs what was
/// appended since.</summary>
/// <remarks>One caller at a time. After a refusal while the ledger was read it is opened anew.</remarks>
public sealed class NamedCheckpoints : IDisposable
{
    private readonly RunDirectory _run;
    private readonly EmbeddedLedger _ledger;
    private readonly LedgerState _state;

    private NamedCheckpoints(RunDirectory run, EmbeddedLedger ledger)
    {
        (_run, _ledger) = (run, ledger);
        _state = LedgerState.FromGenesis(ledger.Genesis);
    }

    /// <summary>Opens the ledger of a run and reads all of it.</summary>
    /// <param name="run">The run; it may go on meanwhile.</param>
    /// <exception cref="InputException">There is no ledger, or it is damaged.</exception>
    public static NamedCheckpoints Open(RunDirectory run)
    {
        var named = new NamedCheckpoints(run, EmbeddedLedger.Open(run.Ledger, readOnly: true));
        try
        {
            named.ReadOn();
            return named;
        }
        catch
        {
            named.Dispose();
            throw;
        }
    }

    /// <summary>Reads what the ledger has gained.</summary>
    /// <returns>The folder of the newest checkpoint that it names, whose files may have to be fetched yet; null if it names none.</returns>
    /// <exception cref="InputException">The ledger was damaged or changed: what is read of it from now on is refused as well.</exception>
    public string? Newest()
    {
        ReadOn();
        return CheckpointFolder.OfLedger(_run, _state)?.Folder;
    }

    /// <summary>Fetches the newest checkpoint that was read of, where it is not here, and compares it with the digest that the validators posted on the ledger.</summary>
    /// <param name="cancellation">Gives up fetching.</param>
    /// <returns>Its folder.</returns>
    /// <exception cref="InputException">There is none yet, it cannot be had now, it is damaged, or another model lies in its place.</exception>
    /// <remarks>Memory: that model in fp32 while it is compared.</remarks>
    public string Verify(CancellationToken cancellation = default)
    {
        var (folder, digest) = Named();
        CheckpointFolder.LoadVerified(_run, _state, (folder, digest), cancellation).Parameters.Dispose();
        return folder;
    }

    /// <inheritdoc/>
    public void Dispose() => _ledger.Dispose();

    /// <summary>As <see cref="Verify"/>, and keeps what was loaded; the caller disposes the parameters.</summary>
    internal (Parameters Parameters, Tokenizer Tokenizer) Load() => CheckpointFolder.LoadVerified(_run, _state, Named(), CancellationToken.None);

    private (string Folder, Digest Digest) Named() => CheckpointFolder.OfLedger(_run, _state) is { } named ? named : throw new InputException(
        $"{_run.Root} has no checkpoint yet: train at least until the first settlement (cairn swarm --resume --dir {_run.Root}).");

    private void ReadOn()
    {
        foreach (var block in _ledger.ReadNew())
        {
            _state.Apply(block, verifySignatures: false); // the handle verified them as it read
        }
    }
}
