using Cairn.Base;

namespace Cairn.Exchange;

/// <summary>A place where objects are kept under keys. It is not trusted: whoever reads checks what it read (<see cref="VerifiedFetch"/>).</summary>
/// <remarks>Every store passes the same tests (ObjectStoreContract). All members may be called from many threads at once.</remarks>
public interface IObjectStore
{
    /// <summary>Puts an object: afterwards every reader sees all of it; before, and if this fails or is cancelled, none of it.
    /// Putting again replaces it, equally at once; of several puts at the same time one wins whole.</summary>
    /// <param name="key">Where.</param>
    /// <param name="bytes">The whole object; must not change until the task ends.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="InputException">The store cannot take it: full, or not writable.</exception>
    Task PutAsync(ObjectKey key, ReadOnlyMemory<byte> bytes, CancellationToken cancel = default);

    /// <summary>Gets an object. The size is compared with the limit before anything is read or allocated.</summary>
    /// <param name="key">Which.</param>
    /// <param name="bytesMax">The most bytes to accept; computed from the rules of the run, never from what the author says.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The bytes, or why not.</returns>
    Task<FetchOutcome> GetAsync(ObjectKey key, long bytesMax, CancellationToken cancel = default);

    /// <summary>Whether an object is there. An unreachable store counts as "no".</summary>
    /// <param name="key">Which.</param>
    /// <param name="cancel">Gives up.</param>
    Task<bool> ExistsAsync(ObjectKey key, CancellationToken cancel = default);

    /// <summary>Removes an object; nothing happens if there is none.</summary>
    /// <param name="key">Which.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="InputException">The store does not allow it.</exception>
    Task DeleteAsync(ObjectKey key, CancellationToken cancel = default);

    /// <summary>The keys that begin with a text, in byte order. Names that are no keys are passed over.</summary>
    /// <param name="prefix">Compared as text, not as a folder: "rounds/0000" finds rounds 0 to 99. Empty for all.</param>
    /// <param name="cancel">Gives up.</param>
    IAsyncEnumerable<ObjectKey> ListAsync(string prefix, CancellationToken cancel = default);
}
