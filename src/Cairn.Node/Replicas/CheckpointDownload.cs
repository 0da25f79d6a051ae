using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Cairn.Base;
using Cairn.Exchange;
using Cairn.Model;

namespace Cairn.Node;

/// <summary>A checkpoint from several sources at once: every piece of 1 MiB is asked of whichever source is free and compared with its digest, the list of digests
/// with what the ledger names. Who gives a wrong piece gives no other; who fails is asked less.</summary>
/// <remarks>Memory: the parameters, and a piece for each request on the way.</remarks>
internal sealed class CheckpointDownload
{
    private const int RequestsPerSource = 2;
    private const int FailuresMax = 3;
    private readonly ParameterLayout _layout;
    private readonly TimeProvider _time;
    private readonly Action<string> _tell;
    private readonly Round _round;
    private readonly Digest _digest;
    private readonly ConcurrentQueue<int> _pieces = new();
    private readonly ConcurrentDictionary<IObjectStore, int> _failures = new();
    private Digest[] _leaves = [];
    private int _missing;
    private volatile bool _isUnreachable;

    /// <summary>Prepares.</summary>
    /// <param name="layout">Of the model.</param>
    /// <param name="time">For the waits.</param>
    /// <param name="tell">Told what was wrong with a source.</param>
    /// <param name="round">The round after which the checkpoint stands.</param>
    /// <param name="digest">Its digest, as the ledger names it.</param>
    public CheckpointDownload(ParameterLayout layout, TimeProvider time, Action<string> tell, Round round, Digest digest) =>
        (_layout, _time, _tell, _round, _digest) = (layout, time, tell, round, digest);

    /// <summary>True if a source did not answer: what was not had of it may be had later. Else asking again gives the same.</summary>
    public bool IsUnreachable => _isUnreachable;

    /// <summary>Fetches it.</summary>
    /// <param name="sources">Stores that may have it; none is trusted.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>Just those parameters, for the caller to dispose; or null where the sources together do not have them.</returns>
    public async Task<Parameters?> FetchAsync(IReadOnlyList<IObjectStore> sources, CancellationToken cancellation)
    {
        var listed = new List<IObjectStore>(sources);
        if (!await FindLeavesAsync(listed, cancellation))
        {
            var count = $"none of {sources.Count} {(sources.Count == 1 ? "source" : "sources")}";
            _tell(_isUnreachable ? $"{count} gave it, and not all answered" : $"{count} {(sources.Count == 1 ? "has" : "have")} it");
            return null;
        }

        var parameters = new Parameters(_layout);
        _missing = _leaves.Length;
        for (var i = 0; i < _leaves.Length; i++)
        {
            _pieces.Enqueue(i);
        }

        while (_missing > 0)
        {
            var able = listed.Where(IsAble).ToList();
            if (able.Count == 0)
            {
                parameters.Dispose();
                return null;
            }

            await Task.WhenAll(able.SelectMany(source => Enumerable.Range(0, RequestsPerSource).Select(_ => WorkAsync(source, parameters, cancellation))));
        }

        return parameters;
    }

    private void Note(FetchOutcome outcome) => _isUnreachable |= outcome.Status is FetchStatus.Unreachable or FetchStatus.Silent;

    private bool IsAble(IObjectStore source) => _failures.GetValueOrDefault(source) < FailuresMax;

    // The first list that leads to the named digest; who has another is asked nothing more.
    private async Task<bool> FindLeavesAsync(List<IObjectStore> sources, CancellationToken cancellation)
    {
        var size = BaseDigest.PieceCount(_layout.Length) * Base.Digest.Size;
        var key = ObjectKey.Checkpoint(_round, CheckpointFolder.PiecesFile);
        foreach (var source in sources.ToList())
        {
            var outcome = await PatientFetch.AskAsync(() => source.GetAsync(key, size, cancellation), _time, cancellation);
            Note(outcome);
            if (outcome.Status != FetchStatus.Found)
            {
                continue;
            }

            Digest[] leaves = [.. outcome.Bytes.Chunk(Base.Digest.Size).Where(leaf => leaf.Length == Base.Digest.Size).Select(leaf => new Digest(leaf))];
            if (outcome.Bytes.Length == size && Checkpoint.Digest(_layout.Shape, MerkleTree.Root(leaves)) == _digest)
            {
                _leaves = leaves;
                return true;
            }

            sources.Remove(source);
            _tell($"{source.Name} has another than the ledger names");
        }

        return false;
    }

    private async Task WorkAsync(IObjectStore source, Parameters parameters, CancellationToken cancellation)
    {
        var key = ObjectKey.Checkpoint(_round, Checkpoint.ParametersFile);
        var header = SafetensorsFile.SizeBytes(_layout) - (_layout.Length * sizeof(float));
        while (IsAble(source) && _pieces.TryDequeue(out var piece))
        {
            var from = (long)piece * BaseDigest.PieceBytes;
            var count = (int)Math.Min(BaseDigest.PieceBytes, (_layout.Length * (long)sizeof(float)) - from);
            var outcome = await PatientFetch.AskAsync(() => source.GetRangeAsync(key, header + from, count, cancellation), _time, cancellation);
            if (outcome.Status == FetchStatus.Found && outcome.Bytes.Length == count && BaseDigest.OfPiece(outcome.Bytes) == _leaves[piece])
            {
                outcome.Bytes.CopyTo(MemoryMarshal.AsBytes(parameters.Span.Slice((int)(from / sizeof(float)), count / sizeof(float))));
                Interlocked.Decrement(ref _missing);
                // Who failed a while ago and gives now is trusted with more; a liar stays one.
                if (_failures.TryGetValue(source, out var failures) && failures < FailuresMax)
                {
                    _failures.TryUpdate(source, 0, failures);
                }

                continue;
            }

            _pieces.Enqueue(piece);
            Note(outcome);
            if (outcome.Status is FetchStatus.Found or FetchStatus.Corrupt)
            {
                if (_failures.AddOrUpdate(source, FailuresMax, (_, before) => before + FailuresMax) == FailuresMax)
                {
                    _tell($"{source.Name} gave a piece that is another than the ledger names");
                }
            }
            else
            {
                _failures.AddOrUpdate(source, 1, (_, before) => before + 1);
            }
        }
    }
}
