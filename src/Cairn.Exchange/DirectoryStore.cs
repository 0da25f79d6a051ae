using System.Buffers;
using System.Runtime.CompilerServices;
using Cairn.Base;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Exchange;

/// <summary>Objects as files below one folder: for a swarm on one machine, a shared disk, and tests.</summary>
/// <remarks>A put writes beside and renames, so that a reader sees the whole object or none, also after a kill. Nothing outside the folder is
/// ever read or written: keys cannot name it, and symbolic links below the root are not followed. (The check of links comes before the opening,
/// so whoever may write into the folder at the same time could still race it: give the folder only to accounts that may read what this process may.)</remarks>
public sealed class DirectoryStore : IObjectStore
{
    private const int PieceBytes = 1 << 20;
    private readonly string _root;
    private readonly bool _flush;

    /// <summary>Opens or creates the folder.</summary>
    /// <param name="root">The folder; it may itself be a link.</param>
    /// <param name="flush">True to have an object survive a power cut once its put has ended; false to survive only the death of the process.</param>
    /// <exception cref="InputException">The folder cannot be created.</exception>
    public DirectoryStore(string root, bool flush = true)
    {
        _root = Path.GetFullPath(root);
        _flush = flush;
        try
        {
            Directory.CreateDirectory(_root);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"cannot open the object store {_root}: {e.Message} Give a folder that can be written.", e);
        }
    }

    /// <inheritdoc/>
    public string Name => _root;

    /// <inheritdoc/>
    public Task<PutOutcome> PutAsync(ObjectKey key, ReadOnlyMemory<byte> bytes, CancellationToken cancel = default) =>
        Task.Run(() => Put(key, path => DurableFile.Write(path, stream => stream.Write(bytes.Span), _flush)), cancel);

    /// <inheritdoc/>
    public Task<PutOutcome> PutAsync(ObjectKey key, SafeFileHandle file, CancellationToken cancel = default) =>
        Task.Run(() => Put(key, path => DurableFile.Write(path, stream => Copy(file, stream, cancel), _flush)), cancel);

    /// <inheritdoc/>
    public Task<PutOutcome> CreateAsync(ObjectKey key, ReadOnlyMemory<byte> bytes, CancellationToken cancel = default) =>
        Task.Run(
            () =>
            {
                var created = true;
                var outcome = Put(key, path => created = DurableFile.TryCreate(path, stream => stream.Write(bytes.Span), _flush));
                return outcome.Status == PutStatus.Stored && !created ? new PutOutcome(PutStatus.Exists, $"{key} is in {_root} already.") : outcome;
            },
            cancel);

    /// <inheritdoc/>
    public Task<FetchOutcome> GetAsync(ObjectKey key, long bytesMax, CancellationToken cancel = default) => ReadAsync(key, async file =>
    {
        var size = file is null ? 0 : RandomAccess.GetLength(file);
        return size > Math.Min(bytesMax, Array.MaxLength)
            ? FetchOutcome.Failed(FetchStatus.TooLarge, $"{key} has {size} bytes, {bytesMax} are allowed.")
            : await FillAsync(key, file, 0, (int)size, FetchStatus.Unreachable, cancel).ConfigureAwait(false);
    });

    /// <inheritdoc/>
    public Task<FetchOutcome> GetAsync(ObjectKey key, long bytesMax, SafeFileHandle file, CancellationToken cancel = default) => ReadAsync(key, async source =>
    {
        var size = source is null ? 0 : RandomAccess.GetLength(source);
        if (size > bytesMax)
        {
            return FetchOutcome.Failed(FetchStatus.TooLarge, $"{key} has {size} bytes, {bytesMax} are allowed.");
        }

        RandomAccess.SetLength(file, size);
        var piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            for (var at = 0L; at < size;)
            {
                var read = await RandomAccess.ReadAsync(source!, piece.AsMemory(0, (int)Math.Min(PieceBytes, size - at)), at, cancel).ConfigureAwait(false);
                if (read == 0)
                {
                    return FetchOutcome.Failed(FetchStatus.Unreachable, $"{key} ends {size - at} bytes before the end of what was asked for.");
                }

                await RandomAccess.WriteAsync(file, piece.AsMemory(0, read), at, cancel).ConfigureAwait(false);
                at += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }

        return FetchOutcome.Found([]);
    });

    /// <inheritdoc/>
    public Task<FetchOutcome> GetRangeAsync(ObjectKey key, long from, int count, CancellationToken cancel = default) =>
        ReadAsync(key, file => FillAsync(key, file, from, count, FetchStatus.Corrupt, cancel));

    /// <inheritdoc/>
    public Task<bool> ExistsAsync(ObjectKey key, CancellationToken cancel = default) => Task.FromResult(Look(key, out _) is null);

    /// <inheritdoc/>
    public Task<bool> DeleteAsync(ObjectKey key, CancellationToken cancel = default)
    {
        try
        {
            if (LinkOnTheWay(key) is null)
            {
                File.Delete(PathOf(key));
            }
        }
        catch (DirectoryNotFoundException)
        {
            // Neither the object nor its folder was there.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Task.FromResult(false);
        }

        return Task.FromResult(true);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectKey> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        // One folder at a time, each read off the caller's thread; a stack of sorted folders gives byte order without holding all keys.
        var open = new Stack<(string[] Names, int At)>();
        open.Push((await Task.Run(() => Names("", prefix), cancel).ConfigureAwait(false), 0));
        while (open.TryPop(out var folder))
        {
            if (folder.At == folder.Names.Length)
            {
                continue;
            }

            cancel.ThrowIfCancellationRequested();
            open.Push(folder with { At = folder.At + 1 });
            var name = folder.Names[folder.At];
            if (name.EndsWith('/'))
            {
                open.Push((await Task.Run(() => Names(name, prefix), cancel).ConfigureAwait(false), 0));
            }
            else if (ObjectKey.TryParse(name, out var key))
            {
                yield return key;
            }
        }
    }

    // Of an empty object there is no handle.
    private async Task<FetchOutcome> ReadAsync(ObjectKey key, Func<SafeFileHandle?, Task<FetchOutcome>> read)
    {
        try
        {
            if (Look(key, out var size) is { } trouble)
            {
                return trouble;
            }

            // An empty file is known without opening it, and what is not a plain file (a pipe would hang its reader) shows as empty.
            if (size == 0)
            {
                return await read(null).ConfigureAwait(false);
            }

            using var file = File.OpenHandle(PathOf(key), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.Asynchronous);
            return await read(file).ConfigureAwait(false);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return FetchOutcome.Failed(FetchStatus.Missing, $"{key} is not in the store.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return FetchOutcome.Failed(FetchStatus.Unreachable, $"{key} cannot be read: {e.Message}");
        }
    }

    private static async Task<FetchOutcome> FillAsync(
        ObjectKey key, SafeFileHandle? file, long from, int count, FetchStatus ifShort, CancellationToken cancel)
    {
        var bytes = GC.AllocateUninitializedArray<byte>(count);
        for (var at = 0; at < bytes.Length;)
        {
            var read = file is null ? 0 : await RandomAccess.ReadAsync(file, bytes.AsMemory(at), from + at, cancel).ConfigureAwait(false);
            if (read == 0)
            {
                return FetchOutcome.Failed(ifShort, $"{key} ends {count - at} bytes before the end of what was asked for.");
            }

            at += read;
        }

        return FetchOutcome.Found(bytes);
    }

    private static void Copy(SafeFileHandle file, Stream target, CancellationToken cancel)
    {
        var piece = new byte[PieceBytes];
        var (at, read) = (0L, 0);
        while ((read = RandomAccess.Read(file, piece, at)) > 0)
        {
            cancel.ThrowIfCancellationRequested();
            target.Write(piece, 0, read);
            at += read;
        }
    }

    private PutOutcome Put(ObjectKey key, Action<string> write)
    {
        var path = PathOf(key);
        if (LinkOnTheWay(key) is { } link)
        {
            return new PutOutcome(PutStatus.Refused, $"cannot write {path}: {link} is a link out of the object store; remove it.");
        }

        try
        {
            write(path);
            return PutOutcome.Stored;
        }
        catch (InputException refused)
        {
            return new PutOutcome(PutStatus.Refused, refused.Message);
        }
    }

    // What lies in a folder ("" or ending in '/') and can begin with the prefix: folders end in '/', so that sorting gives the order of whole keys.
    private string[] Names(string folder, string prefix)
    {
        try
        {
            var names = new List<string>();
            foreach (var entry in new DirectoryInfo(Path.Combine(_root, folder)).EnumerateFileSystemInfos())
            {
                var name = folder + entry.Name + (entry is DirectoryInfo ? "/" : "");
                var begins = name.StartsWith(prefix, StringComparison.Ordinal) || (entry is DirectoryInfo && prefix.StartsWith(name, StringComparison.Ordinal));
                if (begins && ObjectKey.IsPart(entry.Name) && !entry.Attributes.HasFlag(FileAttributes.ReparsePoint))
                {
                    names.Add(name);
                }
            }

            names.Sort(StringComparer.Ordinal);
            return [.. names];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Deleted meanwhile, or not ours to see: nothing to list.
            return [];
        }
    }

    // Null if a plain file stands there that may be opened.
    private FetchOutcome? Look(ObjectKey key, out long size)
    {
        size = 0;
        var file = new FileInfo(PathOf(key));
        if (LinkOnTheWay(key) is { } link || (link = file.LinkTarget is null ? null : file.FullName) is not null)
        {
            return FetchOutcome.Failed(FetchStatus.Corrupt, $"{key} is not read: {link} is a link.");
        }

        if (!file.Exists)
        {
            return FetchOutcome.Failed(FetchStatus.Missing, $"{key} is not in the store.");
        }

        size = file.Length;
        return null;
    }

    // The first folder below the root on the way to the object that is a link, if any.
    private string? LinkOnTheWay(ObjectKey key)
    {
        var text = key.Text;
        for (var slash = text.IndexOf('/'); slash >= 0; slash = text.IndexOf('/', slash + 1))
        {
            var folder = new DirectoryInfo(Path.Combine(_root, text[..slash]));
            if (folder.LinkTarget is not null)
            {
                return folder.FullName;
            }
        }

        return null;
    }

    private string PathOf(ObjectKey key) => Path.Combine(_root, key.Text);
}
