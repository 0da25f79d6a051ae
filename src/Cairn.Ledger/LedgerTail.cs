using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>Follows a ledger from its first block, for whoever watches and takes no part: a window of blocks at a time is verified, applied and shown, and nothing of
/// it is kept but where each block lies. So the memory is that of the state, however long the ledger is.</summary>
/// <remarks><see cref="ReadNext"/> and <see cref="State"/> are for one thread at a time; <see cref="BlockAt"/> is for any. After an exception the handle is of no
/// further use.</remarks>
public sealed class LedgerTail : IDisposable
{
    private readonly Lock _gate = new();
    private readonly LedgerFile _file;
    private readonly BlockSignatures _signatures = new();
    private readonly List<long> _places = [];
    private readonly Queue<(Block Block, bool Good)> _verified = [];
    private long _next;

    private LedgerTail(LedgerFile file)
    {
        (_file, _next) = (file, file.End);
        State = LedgerState.FromGenesis(file.Genesis);
    }

    /// <summary>What the run began with.</summary>
    public Genesis Genesis => _file.Genesis;

    /// <summary>After the last block that was read.</summary>
    public LedgerState State { get; }

    /// <summary>Opens a ledger; reads nothing but its beginning.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InputException">There is no ledger.</exception>
    public static LedgerTail Open(string path) => new(LedgerFile.Open(Path.GetFullPath(path), readOnly: true, flush: false));

    /// <summary>Reads the next block.</summary>
    /// <param name="gate">Held while <see cref="State"/> changes, and not while signatures are verified.</param>
    /// <param name="show">Told of each operation, after it was applied; under the gate.</param>
    /// <returns>False if nothing more is there now.</returns>
    /// <exception cref="InputException">The file was damaged or changed; the sentence names the height.</exception>
    public bool ReadNext(Lock gate, Action<Block, SignedOperation> show)
    {
        if (_verified.Count == 0 && !FillWindow())
        {
            return false;
        }

        var (block, good) = _verified.Dequeue();
        lock (gate)
        {
            Apply(block, good, show);
        }

        lock (_gate)
        {
            _places.Add(_next);
        }

        _next += LedgerFrame.SizeOf(block);
        return true;
    }

    /// <summary>Reads a block again that was read before, from the file.</summary>
    /// <param name="height">Its height, from 1.</param>
    /// <returns>Null if there is none, or if the file was changed since.</returns>
    public Block? BlockAt(long height)
    {
        long place;
        lock (_gate)
        {
            if (height < 1 || height > _places.Count)
            {
                return null;
            }

            place = _places[(int)height - 1];
        }

        return _file.BlockAt(place) is { } block && block.Height == height ? block : null;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    // As many blocks as lie in one window of the file.
    private bool FillWindow()
    {
        var blocks = new List<Block>();
        var found = _file.ReadSome(blocks, out var end);
        if (found == FrameState.Damaged)
        {
            // Perhaps a torn tail that a writer was just replacing.
            blocks.Clear();
            using (LedgerLock.Take(_file.Path))
            {
                found = _file.ReadSome(blocks, out end);
            }
        }

        if (found == FrameState.Damaged && blocks.Count == 0)
        {
            throw Changed(State.Height + 1, _file.IsShorter ? "the file is shorter than it was" : "its bytes are damaged");
        }

        var firstBad = _signatures.FirstBad(blocks, State.Run);
        for (var i = 0; i < blocks.Count; i++)
        {
            _verified.Enqueue((blocks[i], i != firstBad));
        }

        _file.Accept(end);
        return blocks.Count > 0;
    }

    private void Apply(Block block, bool good, Action<Block, SignedOperation> show)
    {
        var why = !good ? Rejection.BadSignature : block.Height != State.Height + 1 || block.Previous != State.Tip ? Rejection.NotAsCommitted : Rejection.None;
        for (var i = 0; why == Rejection.None && i < block.Operations.Count; i++)
        {
            if (State.TryApply(block.Operations[i], verifySignature: false, out why))
            {
                show(block, block.Operations[i]);
            }
        }

        if (why != Rejection.None)
        {
            throw Changed(State.Height + 1, $"it does not follow from the blocks before ({why})");
        }

        State.Seal(block);
    }

    private InputException Changed(long height, string how) =>
        new($"{_file.Path}: the block at height {height} cannot be used: {how}. Restore the file from a copy.");
}
