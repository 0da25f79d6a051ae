using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>What the chain has made final, as an embedded ledger's file beside the run: read, verified and replayed there like any other. Of the processes of one folder
/// one writes; when it ends, another takes its place.</summary>
internal sealed class ChainMirror : IDisposable
{
    private readonly EmbeddedLedger _file;
    private readonly string _path;
    private readonly List<Block> _blocks;
    private FileStream? _turn;
    private ChainCursor _written;

    public ChainMirror(string path)
    {
        _path = path;
        _file = EmbeddedLedger.Open(path);
        _blocks = [.. _file.ReadNew()];
        Cursor = ChainCursor.Read(CursorPath, _file.Genesis.Digest) is { } found && found.Height <= _blocks.Count ? found : null;
        _written = Cursor ?? default;
    }

    public Genesis Genesis => _file.Genesis;

    /// <summary>Where an earlier life ended, or null.</summary>
    public ChainCursor? Cursor { get; }

    /// <summary>Blocks that are final for sure.</summary>
    public IReadOnlyList<Block> Done => _blocks[..(int)(Cursor?.Height ?? 0)];

    private string CursorPath => _path + ".chain";

    /// <summary>Brings the file to where the replay is final.</summary>
    /// <returns>True if something was appended.</returns>
    /// <exception cref="InputException">The file holds something else than the chain.</exception>
    public bool Bring(ChainReplay replay, ChainPlace final)
    {
        if (!TakeTurn())
        {
            return false;
        }

        _blocks.AddRange(_file.ReadNew());
        var (height, appended) = (_written.Height, false);
        foreach (var block in replay.Blocks(height + 1, final))
        {
            if (height == _blocks.Count)
            {
                _file.Append(block.Operations);
                _blocks.AddRange(_file.ReadNew());
                appended = true;
            }

            if (_blocks.Count <= height || _blocks[(int)height].Hash != block.Hash)
            {
                throw new InputException($"{_path} holds another history than the chain from height {height + 1} on: move it away, and it is made anew from the chain.");
            }

            height++;
        }

        // Not for every empty block: reading some of them again costs little.
        if (height > _written.Height || final.Number >= _written.Place.Number + 64)
        {
            _written = new ChainCursor(final, height);
            _written.Write(CursorPath, Genesis.Digest);
        }

        return appended;
    }

    public void Dispose()
    {
        _turn?.Dispose();
        _file.Dispose();
    }

    private bool TakeTurn()
    {
        try
        {
            _turn ??= new FileStream(_path + ".turn", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.None);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
