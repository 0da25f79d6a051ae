using Cairn.Exchange;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Node.Tests;

/// <summary>A store that takes nothing and fails every fetch alike.</summary>
internal sealed class OneAnswer(FetchStatus status) : IObjectStore
{
    private int _asked;

    public string Name => "a store";

    public int Asked => _asked;

    public Task<PutOutcome> PutAsync(ObjectKey key, ReadOnlyMemory<byte> bytes, CancellationToken cancel = default) =>
        Task.FromResult(new PutOutcome(PutStatus.Refused, "full"));

    public Task<PutOutcome> PutAsync(ObjectKey key, SafeFileHandle file, CancellationToken cancel = default) => PutAsync(key, Array.Empty<byte>(), cancel);

    public Task<PutOutcome> CreateAsync(ObjectKey key, ReadOnlyMemory<byte> bytes, CancellationToken cancel = default) => PutAsync(key, bytes, cancel);

    public Task<FetchOutcome> GetAsync(ObjectKey key, long bytesMax, CancellationToken cancel = default)
    {
        Interlocked.Increment(ref _asked);
        return Task.FromResult(FetchOutcome.Failed(status, "a reason"));
    }

    public Task<FetchOutcome> GetAsync(ObjectKey key, long bytesMax, SafeFileHandle file, CancellationToken cancel = default) => GetAsync(key, bytesMax, cancel);

    public Task<FetchOutcome> GetRangeAsync(ObjectKey key, long from, int count, CancellationToken cancel = default) => GetAsync(key, count, cancel);

    public Task<bool> ExistsAsync(ObjectKey key, CancellationToken cancel = default) => Task.FromResult(false);

    public Task<bool> DeleteAsync(ObjectKey key, CancellationToken cancel = default) => Task.FromResult(false);

    public IAsyncEnumerable<ObjectKey> ListAsync(string prefix, CancellationToken cancel = default) => AsyncEnumerable.Empty<ObjectKey>();
}
