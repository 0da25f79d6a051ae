using System.Runtime.InteropServices;

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
    public static void Write(string path, Action<Stream> write, bool flush = true) => WriteBeside(path, write, flush, overwrite: true);

    /// <summary>Creates a file atomically where none is; one that is there stays as it is. Of several at the same time one creates it.</summary>
    /// <param name="path">Where; the folder is created if missing.</param>
    /// <param name="write">Writes the content from first byte to last.</param>
    /// <param name="flush">True to survive a power cut; false to survive only the death of this process.</param>
    /// <returns>False if a file was there.</returns>
    /// <exception cref="InputException">The disk is full or the place cannot be written.</exception>
    public static bool TryCreate(string path, Action<Stream> write, bool flush = true) => !File.Exists(path) && WriteBeside(path, write, flush, overwrite: false);

    private static bool WriteBeside(string path, Action<Stream> write, bool flush, bool overwrite)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        // A random name: two containers that share a folder may well have the same process and thread numbers.
        var beside = Path.Combine(folder, $".{Path.GetFileName(path)}.{Path.GetRandomFileName()}.tmp");
        try
        {
            CreateFolder(folder, flush);
            using (var stream = new FileStream(beside, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16))
            {
                write(stream);
                stream.Flush(flushToDisk: flush);
            }

            File.Move(beside, path, overwrite);
            if (flush)
            {
                FlushFolder(folder);
            }

            return true;
        }
        catch (IOException) when (!overwrite && File.Exists(path))
        {
            TryDelete(beside);
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            TryDelete(beside);
            throw new InputException($"cannot write {path}: {e.Message} Free some space or choose another --dir, then go on with --resume.", e);
        }
        catch
        {
            TryDelete(beside);
            throw;
        }
    }

    /// <summary>Deletes what writes that were killed have left in a folder and those below it. Only for who holds the folder alone: what another is writing looks
    /// alike.</summary>
    /// <param name="folder">Any; nothing is done where it is missing.</param>
    public static void DeleteLeft(string folder)
    {
        if (Directory.Exists(folder))
        {
            foreach (var left in Directory.EnumerateFiles(folder, ".*.tmp", SearchOption.AllDirectories))
            {
                TryDelete(left);
            }
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

        // The framework refuses to open a folder, so the system is asked directly. Some file systems refuse too; the rename itself still happened.
        var handle = OpenFile(folder, ReadOnly);
        if (handle >= 0)
        {
            _ = FlushFile(handle);
            _ = CloseFile(handle);
        }
    }

    // A new folder is itself a name in the folder above it.
    private static void CreateFolder(string folder, bool flush)
    {
        if (Directory.Exists(folder))
        {
            return;
        }

        var above = Path.GetDirectoryName(folder);
        if (above is not null)
        {
            CreateFolder(above, flush);
        }

        Directory.CreateDirectory(folder);
        if (flush && above is not null)
        {
            FlushFolder(above);
        }
    }

    private const int ReadOnly = 0;

    [DllImport("libc", EntryPoint = "open")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int OpenFile([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int FlushFile(int handle);

    [DllImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int CloseFile(int handle);

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The leftover begins with a dot and ends in .tmp: nothing reads it, and DeleteLeft takes it away.
        }
    }
}
