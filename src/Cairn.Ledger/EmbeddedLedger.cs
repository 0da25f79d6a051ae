using Cairn.Base;
using Microsoft.Win32.SafeHandles;

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
/// <remarks>The only part of this room that does I/O. A writer holds an exclusive lock while it reads what others appended, checks, writes
/// one frame and
/// flushes it. A reader takes no lock: it accepts whole, sealed frames only, and flushes before it hands a block out, so that nothing
/// anybody acted on can
/// vanish in a power cut. A torn tail is cut by the next writer. Never a network server: for many hosts there are other orderers.
/// Safe for several threads, one at a time inside. Replay verifies every signature, in parallel.</remarks>
public sealed class EmbeddedLedger : IDisposable
{
    private const int WindowBytes = 1 << 20;
    private readonly Lock _gate = new();
    private readonly string _path;
    private readonly SafeFileHandle _file;
    private readonly bool _readOnly;
    private readonly bool _flush;
    private readonly LedgerState _state;
    private readonly BlockSignatures _signatures = new();
    private readonly List<Block> _unread = [];
    private long _end;
    private string? _broken;

    private EmbeddedLedger(string path, SafeFileHandle file, Genesis genesis, long end, bool readOnly, bool flush)
    {
        (_path, _file, _end, _readOnly, _flush) = (path, file, end, readOnly, flush);
        _state = LedgerState.FromGenesis(genesis);
    }

    /// <summary>What the run began with, from the file.</summary>
    public Genesis Genesis => _state.Genesis;

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
        Guard(path, () => Directory.CreateDirectory(Path.GetDirectoryName(path)!));
        using (LedgerLock.Take(path))
        {
            if (File.Exists(path))
            {
                throw new InputException($"{path} exists: go on with that run, or choose another --dir for a new one.");
            }

            DurableFile.Write(path, LedgerHeader.ToBytes(genesis), flush);
        }

        return Open(path, flush: flush);
    }

    /// <summary>Opens a ledger and replays it.</summary>
    /// <param name="path">What <see cref="Create"/> made.</param>
    /// <param name="readOnly">True for a follower that never appends.</param>
    /// <param name="flush">True to survive a power cut; false to survive only the death of processes, and append several times as fast.</param>
    /// <exception cref="InputException">There is no ledger, or it is damaged or was changed; the sentence names the height.</exception>
    public static EmbeddedLedger Open(string path, bool readOnly = false, bool flush = true)
    {
        path = Path.GetFullPath(path);
        if (!File.Exists(path))
        {
            throw new InputException($"there is no ledger at {path}: begin a run there, or correct --dir.");
        }

        var access = readOnly ? FileAccess.Read : FileAccess.ReadWrite;
        var file = Guard(path, () => File.OpenHandle(path, FileMode.Open, access, FileShare.ReadWrite | FileShare.Delete));
        try
        {
            var (genesis, end) = ReadHeader(path, file);
            var ledger = new EmbeddedLedger(path, file, genesis, end, readOnly, flush);
            if (readOnly)
            {
                ledger.Follow(locked: false);
            }
            else
            {
                ledger.FollowAndMend();
            }

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

    /// <summary>Appends operations together: one lock, one block, one flush. Each is judged after those before it; refused ones are left
    /// out.</summary>
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
            using (LedgerLock.Take(_path))
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

    /// <summary>True if <see cref="ReadNew"/> may have something to give. Costs one look at the file's length: to wait for news, ask now
    /// and then.</summary>
    public bool HasNews()
    {
        lock (_gate)
        {
            return _unread.Count > 0 || RandomAccess.GetLength(_file) != _end;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

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
            Write(Block.Create(_state.Height + 1, _state.Tip, accepted));
        }

        return Array.ConvertAll(reasons, why => new AppendOutcome(why, _state.Height));
    }

    private void Write(Block block)
    {
        var frame = LedgerFrame.ToBytes(block);
        try
        {
            // A longer file is a torn tail: nobody ever saw it as a block.
            if (RandomAccess.GetLength(_file) != _end)
            {
                RandomAccess.SetLength(_file, _end);
            }

            RandomAccess.Write(_file, frame, _end);
            Flush();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The state is ahead of the file now: this handle must not be used again.
            _broken = $"cannot append to {_path}: {e.Message} Free some space, then go on with --resume.";
            throw new InputException(_broken, e);
        }

        _end += frame.Length;
        _state.Seal(block);
        _unread.Add(block);
    }

    private void FollowAndMend()
    {
        using (LedgerLock.Take(_path))
        {
            Follow(locked: true);
            if (RandomAccess.GetLength(_file) != _end)
            {
                Guard(_path, () => RandomAccess.SetLength(_file, _end));
                Flush();
            }
        }
    }

    // Reads what was appended since. Without the lock, what is not whole yet is left for the next time, and what seems damaged is read
    // once more under the lock: it may have been a torn tail that a writer just replaced.
    private void Follow(bool locked)
    {
        var blocks = new List<Block>();
        var end = _end;
        FrameState state;
        do
        {
            state = ReadWindow(ref end, blocks);
        }
        while (state == FrameState.Whole);

        if (state == FrameState.Damaged && !locked)
        {
            using (LedgerLock.Take(_path))
            {
                Follow(locked: true);
                return;
            }
        }

        if (state == FrameState.Damaged)
        {
            throw Changed(_state.Height + blocks.Count + 1, "its bytes are damaged");
        }

        if (blocks.Count > 0)
        {
            Flush();
            VerifyAndApply(blocks);
            _end = end;
            _unread.AddRange(blocks);
        }
    }

    // Reads as many whole frames as lie in one window. Whole: go on from the new end. Unfinished: nothing more is there now.
    private FrameState ReadWindow(ref long end, List<Block> blocks)
    {
        var remaining = RandomAccess.GetLength(_file) - end;
        if (remaining < 0)
        {
            throw Changed(_state.Height + blocks.Count, "it was cut off behind this node");
        }

        var window = Read(end, (int)Math.Min(remaining, WindowBytes), ref remaining);
        if (LedgerFrame.ReadHead(window, remaining, out var first) == FrameState.Whole && first > window.Length)
        {
            window = Read(end, first, ref remaining);
        }

        for (var at = 0; ; )
        {
            var rest = window.AsSpan(at);
            var unseen = remaining - at - rest.Length;
            var halfHead = rest.Length < LedgerFrame.HeadSize && unseen > 0;
            var state = halfHead ? FrameState.Unfinished : LedgerFrame.ReadHead(rest, remaining - at, out first);
            if (halfHead || (state == FrameState.Whole && first > rest.Length))
            {
                return at > 0 ? FrameState.Whole : FrameState.Unfinished;
            }

            Block? block = null;
            state = state == FrameState.Whole ? LedgerFrame.Read(rest[..first], remaining - at == first, out block) : state;
            if (state != FrameState.Whole)
            {
                return state;
            }

            blocks.Add(block!);
            at += first;
            end += first;
        }
    }

    private void VerifyAndApply(List<Block> blocks)
    {
        var firstBad = _signatures.FirstBad(blocks, Genesis.RulesDigest);
        for (var i = 0; i < blocks.Count; i++)
        {
            var why = Rejection.BadSignature;
            if (i == firstBad || !_state.TryApply(blocks[i], verifySignatures: false, out why))
            {
                _broken = Changed(_state.Height + 1, $"it does not follow from the blocks before ({why})").Message;
                throw new InputException(_broken);
            }
        }
    }

    private byte[] Read(long offset, int count, ref long remaining)
    {
        var bytes = ReadAt(_file, offset, count);
        if (bytes.Length < count)
        {
            // Cut while being read: a torn tail went away.
            remaining = bytes.Length;
        }

        return bytes;
    }

    private static byte[] ReadAt(SafeFileHandle file, long offset, int count)
    {
        var bytes = new byte[count];
        var read = 0;
        while (read < count && RandomAccess.Read(file, bytes.AsSpan(read), offset + read) is > 0 and var got)
        {
            read += got;
        }

        return read == count ? bytes : bytes[..read];
    }

    private static (Genesis Genesis, long End) ReadHeader(string path, SafeFileHandle file)
    {
        var start = ReadAt(file, 0, LedgerHeader.StartSize);
        var size = LedgerHeader.SizeOf(start);
        if (size == 0 || !LedgerHeader.TryRead(ReadAt(file, 0, size), out var genesis))
        {
            throw new InputException($"{path} is no ledger of this version, or its first bytes are damaged: correct --dir, or restore it from a copy.");
        }

        return (genesis!, size);
    }

    private void Flush()
    {
        if (_flush && !_readOnly)
        {
            RandomAccess.FlushToDisk(_file);
        }
    }

    private InputException Changed(long height, string how) =>
        new($"{_path}: the block at height {height} cannot be used: {how}. Restore the file from a copy, or begin a new run in another --dir.");

    private void CheckUsable()
    {
        if (_broken is not null)
        {
            throw new InputException(_broken);
        }
    }

    private static void Guard(string path, Action action) => Guard(path, () =>
    {
        action();
        return true;
    });

    private static T Guard<T>(string path, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"cannot use {path}: {e.Message} Check that this user may read and write there.", e);
        }
    }
}
