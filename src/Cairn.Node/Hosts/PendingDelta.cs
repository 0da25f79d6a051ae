using Cairn.Base;
using Cairn.Exchange;
using Cairn.Sparse;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Node;

/// <summary>The mean of a round on its way into the store: written to a file as it is being applied. Where that cannot be written the round goes on without it.</summary>
internal sealed class PendingDelta : IDisposable
{
    private readonly RoundDeltaWriter? _writer;

    /// <summary>Begins.</summary>
    /// <param name="file">Becomes this object's; null where there is none to write to.</param>
    /// <param name="key">Where it will be.</param>
    /// <param name="round">Its round.</param>
    /// <param name="write">Begins to write to the file.</param>
    public PendingDelta(FileStream? file, ObjectKey key, Round round, Func<Stream, RoundDeltaWriter> write)
    {
        (File, Key, Round) = (file, key, round);
        _writer = file is null ? null : write(file);
    }

    /// <summary>Where it waits, or null.</summary>
    public FileStream? File { get; private set; }

    /// <summary>Where it will be.</summary>
    public ObjectKey Key { get; }

    /// <summary>Its round.</summary>
    public Round Round { get; }

    /// <summary>What was wrong if there is no file.</summary>
    public string Fault { get; private set; } = "no file can be written for it in the run's folder.";

    /// <summary>Takes the mean of the next tensor.</summary>
    public void Write(ReadOnlySpan<float> mean)
    {
        if (File is null)
        {
            return;
        }

        try
        {
            _writer!.Write(mean);
        }
        catch (IOException e)
        {
            Drop(e);
        }
    }

    /// <summary>The whole of it, or null if it could not be written.</summary>
    public SafeFileHandle? Whole()
    {
        Invariant.Check(File is null || _writer!.IsWhole);
        try
        {
            File?.Flush();
        }
        catch (IOException e)
        {
            Drop(e);
        }

        return File?.SafeFileHandle;
    }

    public void Dispose() => File?.Dispose();

    private void Drop(IOException why)
    {
        Fault = why.Message;
        try
        {
            File?.Dispose();
        }
        catch (IOException)
        {
            // What it still held in its buffer has no place either.
        }

        File = null;
    }
}
