using Cairn.Base;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Ledger;

/// <summary>The right to append to a ledger file: held by one handle of one process of this host at a time, and freed by the system when
/// its process dies.</summary>
internal static class LedgerLock
{
    private const int WaitMillisecondsMax = 60_000;

    /// <summary>Waits for the lock. Dispose the result to free it.</summary>
    /// <param name="path">The ledger; the lock is a file beside it.</param>
    /// <exception cref="InputException">It cannot be had: no rights there, or another process has stopped while holding it.</exception>
    public static SafeFileHandle Take(string path)
    {
        var since = Environment.TickCount64;
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return File.OpenHandle(path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (Exception e) when (e is UnauthorizedAccessException or DirectoryNotFoundException)
            {
                throw new InputException($"cannot lock {path}: {e.Message} Check that this user may write there.", e);
            }
            catch (IOException e) when (Environment.TickCount64 - since > WaitMillisecondsMax)
            {
                throw new InputException($"cannot lock {path}: {e.Message} Another process of this run hangs: end it, then go on with --resume.", e);
            }
            catch (IOException)
            {
                // Held for a fraction of a millisecond, as a rule.
                Thread.Sleep(attempt < 10 ? 0 : 1);
            }
        }
    }
}
