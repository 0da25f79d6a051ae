using Cairn.Exchange;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Node;

/// <summary>What a member announced that is no place of a store: nothing is there, and its objects count as missing.</summary>
internal sealed class NoStore(string place) : IObjectStore
{
    public string Name => $"'{place}'";

    public Task<PutOutcome> PutAsync(ObjectKey key, ReadOnlyMemory<byte> bytes, CancellationToken cancel = default) =>
        Task.FromResult(new PutOutcome(PutStatus.Refused, Reason));

    public Task<PutOutcome> PutAsync(ObjectKey key, SafeFileHandle file, CancellationToken cancel = default) =>
        Task.FromResult(new PutOutcome(PutStatus.Refused, Reason));

    public Task<PutOutcome> CreateAsync(ObjectKey key, ReadOnlyMemory<byte> bytes, CancellationToken cancel = default) => PutAsync(key, bytes, cancel);

    public Task<FetchOutcome> GetAsync(ObjectKey key, long bytesMax, CancellationToken cancel = default) =>
        Task.FromResult(FetchOutcome.Failed(FetchStatus.Missing, Reason));

    public Task<FetchOutcome> GetAsync(ObjectKey key, long bytesMax, SafeFileHandle file, CancellationToken cancel = default) => GetAsync(key, bytesMax, cancel);

    public Task<FetchOutcome> GetRangeAsync(ObjectKey key, long from, int count, CancellationToken cancel = default) => GetAsync(key, count, cancel);

    public Task<bool> ExistsAsync(ObjectKey key, CancellationToken cancel = default) => Task.FromResult(false);

    public Task<bool> DeleteAsync(ObjectKey key, CancellationToken cancel = default) => Task.FromResult(false);

    public IAsyncEnumerable<ObjectKey> ListAsync(string prefix, CancellationToken cancel = default) => AsyncEnumerable.Empty<ObjectKey>();

    private string Reason => $"its author announced '{place}', which is no store that this program knows.";
}
