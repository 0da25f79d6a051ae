using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Node;

/// <summary>Where bytes wait that grow with the model and are read piece by piece: updates of others, the mean of a round, a checkpoint on its way. Small ones stay in
/// memory; of large ones a file that has no name, so that it is gone with its last user, however that ends.</summary>
/// <param name="folder">On a disk of the run; created when first needed.</param>
internal sealed class Spool(string folder)
{
    /// <summary>Up to here a file saves nothing.</summary>
    public const int InMemoryMax = 1 << 20;

    private const int BufferBytes = 1 << 16;

    /// <summary>Keeps bytes until the stream is closed. Where no file can be written they stay in memory, as they came.</summary>
    /// <param name="bytes">Not changed any more.</param>
    /// <returns>Holds exactly these bytes.</returns>
    public Stream Keep(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length > InMemoryMax && TryOpen() is { } file)
        {
            try
            {
                file.Write(bytes.Span);
                file.Flush();
                return file;
            }
            catch (IOException)
            {
                file.Dispose();
            }
        }

        return MemoryMarshal.TryGetArray(bytes, out var array)
            ? new MemoryStream(array.Array!, array.Offset, array.Count, writable: false)
            : new MemoryStream(bytes.ToArray(), writable: false);
    }

    /// <summary>A new, empty file, or null where none can be written.</summary>
    public FileStream? TryOpen()
    {
        try
        {
            return Open();
        }
        catch (InputException)
        {
            return null;
        }
    }

    /// <summary>A new, empty file.</summary>
    /// <exception cref="InputException">None can be written there.</exception>
    public FileStream Open()
    {
        var path = Path.Combine(folder, Path.GetRandomFileName());
        try
        {
            Directory.CreateDirectory(folder);
            var file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete, BufferBytes);
            File.Delete(path);
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"cannot write {path}: {e.Message} Free some space or make the folder writable, then go on with --resume.", e);
        }
    }
}
