namespace Cairn.Node;

/// <summary>Rings when another process has appended to the ledger, so that no node waits for its next look. Where the system does not tell of changed files (network
/// disks, too many watchers) everything goes on by looking.</summary>
internal sealed class LedgerWatch : IDisposable
{
    private readonly FileSystemWatcher _watcher;

    private LedgerWatch(FileSystemWatcher watcher) => _watcher = watcher;

    /// <summary>Begins to watch.</summary>
    /// <param name="path">The ledger's file.</param>
    /// <param name="bell">Rung at every change.</param>
    /// <returns>Null where the system does not tell.</returns>
    public static LedgerWatch? Begin(string path, LedgerBell bell)
    {
        FileSystemWatcher? watcher = null;
        try
        {
            path = Path.GetFullPath(path);
            watcher = new FileSystemWatcher(Path.GetDirectoryName(path)!, Path.GetFileName(path)) { NotifyFilter = NotifyFilters.Size | NotifyFilters.LastWrite };
            watcher.Changed += (_, _) => bell.Ring();
            watcher.EnableRaisingEvents = true;
            return new LedgerWatch(watcher);
        }
        catch (Exception e) when (e is IOException or ArgumentException or PlatformNotSupportedException or UnauthorizedAccessException)
        {
            watcher?.Dispose();
            return null;
        }
    }

    public void Dispose() => _watcher.Dispose();
}
