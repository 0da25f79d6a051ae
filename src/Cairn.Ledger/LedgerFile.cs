using Cairn.Base;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Ledger;

/// <summary>The bytes of an embedded ledger on the disk, up to a place that was read and accepted: whole frames out of it, whole frames into it.</summary>
internal sealed class LedgerFile : IDisposable
{
    private const int WindowBytes = 1 << 18;
    private readonly SafeFileHandle _file;
    private readonly bool _flush;

    private LedgerFile(string path, SafeFileHandle file, bool flush, Genesis genesis, long end)
    {
        (Path, _file, _flush, Genesis, End) = (path, file, flush, genesis, end);
    }

    public string Path { get; }

    /// <summary>From the header.</summary>
    public Genesis Genesis { get; }

    /// <summary>Where the accepted frames end.</summary>
    public long End { get; private set; }

    /// <summary>True if something stands behind the accepted frames, or some of them are gone.</summary>
    public bool HasMore => RandomAccess.GetLength(_file) != End;

    /// <summary>True if accepted frames are gone: nobody but a person does that.</summary>
    public bool IsShorter => RandomAccess.GetLength(_file) < End;

    /// <summary>Writes the header of a new ledger, under the lock.</summary>
    public static void Create(string path, Genesis genesis, bool flush)
    {
        if (File.Exists(path))
        {
            throw new InputException($"{path} exists: go on with that run, or choose another --dir for a new one.");
        }

        DurableFile.Write(path, LedgerHeader.ToBytes(genesis), flush);
    }

    public static LedgerFile Open(string path, bool readOnly, bool flush)
    {
        if (!File.Exists(path))
        {
            throw new InputException($"there is no ledger at {path}: begin a run there, or correct --dir.");
        }

        SafeFileHandle? file = null;
        try
        {
            file = File.OpenHandle(path, FileMode.Open, readOnly ? FileAccess.Read : FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            var size = LedgerHeader.SizeOf(ReadAt(file, 0, LedgerHeader.StartSize));
            if (size > 0 && LedgerHeader.TryRead(ReadAt(file, 0, size), out var genesis))
            {
                var opened = new LedgerFile(path, file, flush && !readOnly, genesis!, size);
                file = null;
                return opened;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"cannot open {path}: {e.Message} Check that this user may read and write there.", e);
        }
        finally
        {
            file?.Dispose();
        }

        throw new InputException(
            $"{path} is no ledger of this version of the program, or its first bytes are damaged: correct --dir, restore it from a copy, or begin a new run.");
    }

    /// <summary>Reads all whole frames behind <see cref="End"/>, without accepting them.</summary>
    /// <param name="blocks">Receives them in order.</param>
    /// <param name="end">Where they end.</param>
    /// <returns>What stands there: Unfinished for nothing or a torn tail, Damaged for anything else, accepted frames that are gone included.</returns>
    public FrameState Read(List<Block> blocks, out long end)
    {
        end = End;
        FrameState state;
        do
        {
            state = ReadWindow(ref end, blocks);
        }
        while (state == FrameState.Whole);
        return state;
    }

    /// <summary>Reads the whole frames of one window behind <see cref="End"/>, without accepting them.</summary>
    /// <param name="blocks">Receives them in order.</param>
    /// <param name="end">Where they end.</param>
    /// <returns>As <see cref="Read"/>; Whole if more may follow.</returns>
    public FrameState ReadSome(List<Block> blocks, out long end)
    {
        end = End;
        return ReadWindow(ref end, blocks);
    }

    /// <summary>The block whose frame begins at a place, or null if none does any more.</summary>
    public Block? BlockAt(long place)
    {
        var remaining = RandomAccess.GetLength(_file) - place;
        if (remaining <= 0 || LedgerFrame.ReadHead(ReadAt(_file, place, LedgerFrame.HeadSize), remaining, out var size) != FrameState.Whole)
        {
            return null;
        }

        var frame = ReadAt(_file, place, size);
        return frame.Length == size && LedgerFrame.Read(frame, last: false, out var block) == FrameState.Whole ? block : null;
    }

    /// <summary>Makes what was read durable before anybody acts on it, and goes on from there.</summary>
    public void Accept(long end)
    {
        Flush();
        End = end;
    }

    /// <summary>Appends a frame at <see cref="End"/> and flushes it. Only under the lock, after reading everything.</summary>
    /// <exception cref="IOException">Nothing, part or all of the frame may be in the file now.</exception>
    public void Append(Block block)
    {
        CutTail();
        var frame = LedgerFrame.ToBytes(block);
        RandomAccess.Write(_file, frame, End);
        Flush();
        End += frame.Length;
    }

    /// <summary>Cuts off a torn tail: nobody ever took it for a block. Only under the lock, after reading everything.</summary>
    public void CutTail()
    {
        if (HasMore)
        {
            RandomAccess.SetLength(_file, End);
        }
    }

    public void Dispose() => _file.Dispose();

    // Reads as many whole frames as lie in one window. Whole: go on from the new end. Unfinished: nothing more is there now.
    private FrameState ReadWindow(ref long end, List<Block> blocks)
    {
        var remaining = RandomAccess.GetLength(_file) - end;
        if (remaining < 0)
        {
            return FrameState.Damaged;
        }

        var window = ReadUpTo(end, (int)Math.Min(remaining, WindowBytes), ref remaining);
        if (LedgerFrame.ReadHead(window, remaining, out var size) == FrameState.Whole && size > window.Length)
        {
            window = ReadUpTo(end, size, ref remaining);
        }

        for (var at = 0; ; at += size)
        {
            var rest = window.AsSpan(at);
            var halfHead = rest.Length < LedgerFrame.HeadSize && remaining - at > rest.Length;
            var state = halfHead ? FrameState.Unfinished : LedgerFrame.ReadHead(rest, remaining - at, out size);
            if (halfHead || (state == FrameState.Whole && size > rest.Length))
            {
                return at > 0 ? FrameState.Whole : FrameState.Unfinished;
            }

            Block? block = null;
            state = state == FrameState.Whole ? LedgerFrame.Read(rest[..size], remaining - at == size, out block) : state;
            if (state != FrameState.Whole)
            {
                return state;
            }

            blocks.Add(block!);
            end += size;
        }
    }

    private byte[] ReadUpTo(long offset, int count, ref long remaining)
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

    private void Flush()
    {
        if (_flush)
        {
            RandomAccess.FlushToDisk(_file);
        }
    }
}
