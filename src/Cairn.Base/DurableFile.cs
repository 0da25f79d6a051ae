using Microsoft.Win32.SafeHandles;

namespace Cairn.Base;

/// <summary>Files that are either wholly the old or wholly the new content, whatever happens: written beside, flushed, then renamed.</summary>
public static class DurableFile
{
    /// <summary>Replaces or creates a file atomically.</summary>
    /// <param name="path">Where; the folder is created if missing.</param>
    /// <param name="bytes">The whole content.</param>
    /// <param name="flush">True to survive a power cut; false to survive only the death of this process, at a fraction of the time.</param>
    /// <exception cref="InputException">The disk is full or the place cannot be written.</exception>
    public static void Write(string path, ReadOnlySpan<byte> bytes, bool flush = true)
    {
        var content = bytes.ToArray();
        Write(path, stream => stream.Write(content), flush);
    }

    /// <summary>Replaces or creates a file atomically, from a writer of pieces.</summary>
    /// <param name="path">Where; the folder is created if missing.</param>
    /// <param name="write">Writes the content from first byte to last.</param>
    /// <param name="flush">True to survive a power cut; false to survive only the death of this process.</param>
    /// <exception cref="InputException">The disk is full or the place cannot be written.</exception>
    public static void Write(string path, Action<Stream> write, bool flush = true)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var beside = Path.Combine(folder, $".{Path.GetFileName(path)}.{Environment.ProcessId}.{Environment.CurrentManagedThreadId}.tmp");
        try
        {
            Directory.CreateDirectory(folder);
            using (var stream = new FileStream(beside, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16))
            {
                write(stream);
                stream.Flush(flushToDisk: flush);
            }

            File.Move(beside, path, overwrite: true);
            if (flush)
            {
                FlushFolder(folder);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            TryDelete(beside);
            throw new InputException($"cannot write {path}: {e.Message} Free some space or choose another --dir, then go on with --resume.", e);
        }
    }

    /// <summary>Makes the names in a folder durable (a rename is not, until its folder is flushed). Does nothing where folders cannot be opened.</summary>
    /// <param name="folder">An existing folder.</param>
    public static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        try
        {
            using SafeFileHandle handle = File.OpenHandle(folder);
            RandomAccess.FlushToDisk(handle);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Some file systems do not open folders; the rename itself still happened.
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The leftover is named .tmp and is overwritten next time.
        }
    }
}
