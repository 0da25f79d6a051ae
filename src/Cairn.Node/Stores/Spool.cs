using Cairn.Base;

namespace Cairn.Node;

/// <summary>Where bytes wait that grow with the model and are read piece by piece: updates of others, the mean of a round, a checkpoint on its way. Small ones stay in
/// memory; of large ones a file that has no name, so that it is gone with its last user, however that ends.</summary>
/// <param name="folder">On a disk of the run; created when first needed.</param>
/// <param name="inMemoryMax">Up to here a file saves nothing.</param>
internal sealed class Spool(string folder, int inMemoryMax = 1 << 20)
{
    private const int BufferBytes = 1 << 16;

    /// <summary>Whether so many bytes are better kept in a file.</summary>
    public bool IsForFiles(long bytes) => bytes > inMemoryMax;

    /// <summary>Keeps a copy of bytes until the stream is closed. Where no file can be written it is in memory.</summary>
    /// <param name="bytes">What is kept.</param>
    /// <returns>Holds exactly these bytes.</returns>
    public Stream Keep(ReadOnlySpan<byte> bytes)
    {
        if (IsForFiles(bytes.Length) && TryOpen(bytes.Length) is { } file)
        {
            try
            {
                file.Write(bytes);
                file.Flush();
                return file;
            }
            catch (IOException)
            {
                file.Dispose();
            }
        }

        return new MemoryStream(bytes.ToArray(), writable: false);
    }

    /// <summary>A new, empty file that has room for so many bytes, or null where there is none: what is then missing is known to be missing here, and not at whoever's
    /// store the bytes come from.</summary>
    /// <param name="bytes">As many as will be written.</param>
    public FileStream? TryOpen(long bytes)
    {
        try
        {
            return Open(bytes);
        }
        catch (InputException)
        {
            return null;
        }
    }

    /// <summary>A new, empty file.</summary>
    /// <param name="bytes">Room that is reserved for it, where the file system can.</param>
    /// <exception cref="InputException">None can be written there.</exception>
    public FileStream Open(long bytes = 0)
    {
        var path = Path.Combine(folder, Path.GetRandomFileName());
        try
        {
            Directory.CreateDirectory(folder);
            var file = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.ReadWrite,
                Share = FileShare.Delete,
                BufferSize = BufferBytes,
                PreallocationSize = bytes,
            });
            File.Delete(path);
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"cannot write {path}: {e.Message} Free some space or make the folder writable, then go on with --resume.", e);
        }
    }
}
