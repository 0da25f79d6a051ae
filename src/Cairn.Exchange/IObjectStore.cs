using Microsoft.Win32.SafeHandles;

namespace Cairn.Exchange;

/// <summary>A place where objects are kept under keys. It is not trusted: whoever reads checks what it read (<see cref="VerifiedFetch"/>).</summary>
/// <remarks>Every store passes the same tests (ObjectStoreContract). All members may be called from many threads at once.</remarks>
public interface IObjectStore
{
    /// <summary>Where it is, for people: a folder, or bucket and server; nothing secret.</summary>
    string Name { get; }

    /// <summary>Puts an object: afterwards every reader sees all of it; before, and if this fails or is cancelled, none of it.
    /// Putting again replaces it, equally at once; of several puts at the same time one wins whole.</summary>
    /// <param name="key">Where.</param>
    /// <param name="bytes">The whole object; must not change until the task ends.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>Stored, or why not.</returns>
    Task<PutOutcome> PutAsync(ObjectKey key, ReadOnlyMemory<byte> bytes, CancellationToken cancel = default);

    /// <summary>The same from a file, of which no more than a few pieces are in memory at a time: for what is too large to be there whole.</summary>
    /// <param name="key">Where.</param>
    /// <param name="file">The whole object, from first byte to last; must not change until the task ends.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>Stored, or why not.</returns>
    Task<PutOutcome> PutAsync(ObjectKey key, SafeFileHandle file, CancellationToken cancel = default);

    /// <summary>The same where nothing is yet; what is there stays as it is. Of several at the same time exactly one is stored.</summary>
    /// <param name="key">Where.</param>
    /// <param name="bytes">The whole object; must not change until the task ends.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>Stored, <see cref="PutStatus.Exists"/>, or why not.</returns>
    Task<PutOutcome> CreateAsync(ObjectKey key, ReadOnlyMemory<byte> bytes, CancellationToken cancel = default);

    /// <summary>Gets an object. The size is compared with the limit before anything is read or allocated.</summary>
    /// <param name="key">Which.</param>
    /// <param name="bytesMax">The most bytes to accept; computed from the rules of the run, never from what the author says.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The bytes, or why not.</returns>
    Task<FetchOutcome> GetAsync(ObjectKey key, long bytesMax, CancellationToken cancel = default);

    /// <summary>Gets an object into a file, of which no more than a few pieces are in memory at a time. The size is compared with the limit before anything is
    /// read.</summary>
    /// <param name="key">Which.</param>
    /// <param name="bytesMax">The most bytes to accept.</param>
    /// <param name="file">Receives it: exactly the object if it was found, else anything.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>Found, without bytes, or why not.</returns>
    Task<FetchOutcome> GetAsync(ObjectKey key, long bytesMax, SafeFileHandle file, CancellationToken cancel = default);

    /// <summary>Gets a part of an object.</summary>
    /// <param name="key">Which.</param>
    /// <param name="from">First byte, 0 or more.</param>
    /// <param name="count">How many, 1 or more: exactly so many come, or none.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The bytes, or why not; <see cref="FetchStatus.Corrupt"/> where the object is shorter.</returns>
    Task<FetchOutcome> GetRangeAsync(ObjectKey key, long from, int count, CancellationToken cancel = default);

    /// <summary>Whether an object is there. An unreachable store counts as "no".</summary>
    /// <param name="key">Which.</param>
    /// <param name="cancel">Gives up.</param>
    Task<bool> ExistsAsync(ObjectKey key, CancellationToken cancel = default);

    /// <summary>Removes an object; nothing happens if there is none.</summary>
    /// <param name="key">Which.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>False if the store does not answer, or does not allow it: the object may still be there.</returns>
    Task<bool> DeleteAsync(ObjectKey key, CancellationToken cancel = default);

    /// <summary>The keys that begin with a text, in byte order. Names that are no keys are passed over; what a store that does not answer would have listed is
    /// left out.</summary>
    /// <param name="prefix">Compared as text, not as a folder: "rounds/0000" finds rounds 0 to 99. Empty for all.</param>
    /// <param name="cancel">Gives up.</param>
    IAsyncEnumerable<ObjectKey> ListAsync(string prefix, CancellationToken cancel = default);
}
