using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Formats;

/// <summary>The bytes of a file, mapped into memory: only what is looked at is read, and nothing is copied.</summary>
internal sealed unsafe class FileBytes : IDisposable
{
    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private GCHandle _pinned;
    private byte* _first;

    private FileBytes(string path, long length, MemoryMappedFile? file)
    {
        (Path, Length, _file) = (path, length, file);
        if (file is not null)
        {
            _view = file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
            _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _first);
        }
    }

    /// <summary>Where it lies, for refusals.</summary>
    public string Path { get; }

    /// <summary>How many bytes there are.</summary>
    public long Length { get; }

    /// <summary>Maps a file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InputException">It is missing or cannot be read.</exception>
    public static FileBytes Open(string path)
    {
        try
        {
            // Nothing can be mapped of an empty file.
            var length = new FileInfo(path).Length;
            return length == 0 ? Of(path, []) : new FileBytes(path, length, MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new InputException($"{path} cannot be read: {e.Message} Give the path of a model.", e);
        }
    }

    /// <summary>Bytes that are in memory already.</summary>
    /// <param name="path">What to call them.</param>
    /// <param name="bytes">Must not change.</param>
    public static FileBytes Of(string path, byte[] bytes)
    {
        var pinned = GCHandle.Alloc(bytes, GCHandleType.Pinned);
        return new FileBytes(path, bytes.Length, null) { _pinned = pinned, _first = (byte*)pinned.AddrOfPinnedObject() };
    }

    /// <summary>A part of the bytes; must not outlive this.</summary>
    /// <param name="at">The first.</param>
    /// <param name="count">How many; the caller has checked that they are there.</param>
    public ReadOnlySpan<byte> Part(long at, int count)
    {
        Invariant.Check(_first != null || Length == 0);
        Invariant.Check(at >= 0 && count >= 0 && at <= Length - count);
        return new ReadOnlySpan<byte>(_first + at, count);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_view is not null && _first != null)
        {
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
        }

        if (_pinned.IsAllocated)
        {
            _pinned.Free();
        }

        _first = null;
        _view?.Dispose();
        _file?.Dispose();
    }
}
