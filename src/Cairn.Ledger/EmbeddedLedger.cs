using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>What became of an append.</summary>
/// <param name="Why">None: it stands in the ledger now. AlreadyThere: it stood there before. Otherwise it was refused.</param>
/// <param name="Height">Height of the ledger after the append.</param>
public readonly record struct AppendOutcome(Rejection Why, long Height)
{
    /// <summary>True if the statement stands in the ledger.</summary>
    public bool Accepted => Why is Rejection.None or Rejection.AlreadyThere;
}

/// <summary>The ledger of a run on one host: one append-only file that any number of processes read and append to, in one order.</summary>
/// <remarks>A writer holds an exclusive lock while it reads what others appended, checks, writes one frame and flushes it. A reader takes no
/// lock: it accepts whole, sealed frames only, and flushes before it hands a block out, so that nothing anybody acted on can vanish in a
/// power cut. A torn tail is cut by the next writer. Never a network server: for many hosts there are other orderers. Safe for several
/// threads, one at a time inside. Replay verifies every signature, in parallel.</remarks>
public sealed class EmbeddedLedger : IDisposable
{
    private readonly Lock _gate = new();
    private readonly LedgerFile _file;
    private readonly bool _readOnly;
    private readonly LedgerState _state;
    private readonly BlockSignatures _signatures = new();
    private readonly List<Block> _unread = [];
    private string? _broken;

    private EmbeddedLedger(LedgerFile file, bool readOnly)
    {
        (_file, _readOnly) = (file, readOnly);
        _state = LedgerState.FromGenesis(file.Genesis);
    }

    /// <summary>What the run began with, from the file.</summary>
    public Genesis Genesis => _file.Genesis;

    /// <summary>Height of the last block that this handle knows of.</summary>
    public long Height
    {
        get
        {
            lock (_gate)
            {
                return _state.Height;
            }
        }
    }

    /// <summary>Begins a ledger.</summary>
    /// <param name="path">Where; nothing may be there.</param>
    /// <param name="genesis">Agreed by all.</param>
    /// <param name="flush">As in <see cref="Open"/>.</param>
    /// <exception cref="InputException">The genesis is faulty, something is there already, or the place cannot be written.</exception>
    public static EmbeddedLedger Create(string path, Genesis genesis, bool flush = true)
    {
        genesis.Validate();
        path = Path.GetFullPath(path);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"cannot begin a ledger at {path}: {e.Message} Choose another --dir.", e);
        }

        using (LedgerLock.Take(path))
        {
            LedgerFile.Create(path, genesis, flush);
        }

        return Open(path, flush: flush);
    }

    /// <summary>Opens a ledger and replays it.</summary>
    /// <param name="path">What <see cref="Create"/> made.</param>
    /// <param name="readOnly">True for a follower that never appends.</param>
    /// <param name="flush">True to survive a power cut; false to survive only the death of processes.</param>
    /// <exception cref="InputException">There is no ledger, or it is damaged or was changed; the sentence names the height.</exception>
    public static EmbeddedLedger Open(string path, bool readOnly = false, bool flush = true)
    {
        var file = LedgerFile.Open(Path.GetFullPath(path), readOnly, flush);
        try
        {
            var ledger = new EmbeddedLedger(file, readOnly);
            ledger.Begin();
            return ledger;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Appends one operation, after everything that others appended before.</summary>
    /// <param name="operation">From a node of this host, or anywhere.</param>
    /// <exception cref="InputException">The disk is full, or the file was damaged or changed.</exception>
    public AppendOutcome Append(SignedOperation operation) => Append([operation])[0];

    /// <summary>Appends operations together: one lock, one block, one flush. Each is judged after those before it; refused ones are left out.</summary>
    /// <param name="operations">At most <see cref="Block.OperationsMax"/>.</param>
    /// <returns>One outcome each.</returns>
    /// <exception cref="InputException">The disk is full, or the file was damaged or changed.</exception>
    public IReadOnlyList<AppendOutcome> Append(IReadOnlyList<SignedOperation> operations)
    {
        Invariant.Check(!_readOnly);
        Invariant.Check(operations.Count <= Block.OperationsMax);
        lock (_gate)
        {
            CheckUsable();
            using (LedgerLock.Take(_file.Path))
            {
                Follow(locked: true);
                return AppendLocked(operations);
            }
        }
    }

    /// <summary>The blocks since the last call, own ones included; all of them at the first call. Their signatures are verified.</summary>
    /// <exception cref="InputException">The file was damaged or changed; the sentence names the height.</exception>
    public IReadOnlyList<Block> ReadNew()
    {
        lock (_gate)
        {
            CheckUsable();
            Follow(locked: false);
            Block[] blocks = [.. _unread];
            _unread.Clear();
            return blocks;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void Begin()
    {
        Follow(locked: false);
        if (!_readOnly && _file.HasMore)
        {
            using (LedgerLock.Take(_file.Path))
            {
                Follow(locked: true);
                Write(_file.CutTail);
            }
        }
    }

    private AppendOutcome[] AppendLocked(IReadOnlyList<SignedOperation> operations)
    {
        var reasons = new Rejection[operations.Count];
        var accepted = new List<SignedOperation>();
        for (var i = 0; i < reasons.Length; i++)
        {
            if (_state.TryApply(operations[i], verifySignature: true, out reasons[i]))
            {
                accepted.Add(operations[i]);
            }
        }

        if (accepted.Count > 0)
        {
            var block = Block.Create(_state.Height + 1, _state.Tip, accepted);
            Write(() => _file.Append(block));
            _state.Seal(block);
            _unread.Add(block);
        }

        return Array.ConvertAll(reasons, why => new AppendOutcome(why, _state.Height));
    }

    // After a failed write the state may be ahead of the file: this handle is not used again.
    private void Write(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _broken = $"cannot write {_file.Path}: {e.Message} Free some space, then go on with --resume.";
            throw new InputException(_broken, e);
        }
    }

    // Reads what was appended since. Without the lock, what is not whole yet is left for the next time, and what seems damaged is read
    // once more under the lock: it may have been a torn tail that a writer just replaced.
    private void Follow(bool locked)
    {
        var blocks = new List<Block>();
        var state = _file.Read(blocks, out var end);
        if (state == FrameState.Damaged && !locked)
        {
            using (LedgerLock.Take(_file.Path))
            {
                Follow(locked: true);
                return;
            }
        }

        if (state == FrameState.Damaged)
        {
            throw _file.IsShorter ? Changed(_state.Height, "it was cut off behind this node") : Changed(_state.Height + blocks.Count + 1, "its bytes are damaged");
        }

        if (blocks.Count > 0)
        {
            VerifyAndApply(blocks);
            _file.Accept(end);
            _unread.AddRange(blocks);
        }
    }

    private void VerifyAndApply(List<Block> blocks)
    {
        var firstBad = _signatures.FirstBad(blocks, _state.Run);
        for (var i = 0; i < blocks.Count; i++)
        {
            var why = Rejection.BadSignature;
            if (i == firstBad || !_state.TryApply(blocks[i], verifySignatures: false, out why))
            {
                throw Changed(_state.Height + 1, $"it does not follow from the blocks before ({why})");
            }
        }
    }

    private InputException Changed(long height, string how)
    {
        _broken = $"{_file.Path}: the block at height {height} cannot be used: {how}. Restore the file from a copy, or begin a new run in another --dir.";
        return new InputException(_broken);
    }

    private void CheckUsable()
    {
        if (_broken is not null)
        {
            throw new InputException(_broken);
        }
    }
}
