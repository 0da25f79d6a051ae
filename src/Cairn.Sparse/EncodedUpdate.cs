using System.Buffers;
using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>An update that stays in its bytes: judged whole when it is opened, decoded again tensor by tensor as it is used. So the updates of a round take the memory
/// of one tensor of each, however large the model.</summary>
/// <remarks>Extra memory: the decoded form of the longest tensor. Cost: each use is one decoding more. Not for two threads at once.</remarks>
public sealed class EncodedUpdate : ISparseUpdate, IDisposable
{
    private readonly SparseUpdateCodec _codec;
    private readonly Stream _bytes;
    private readonly (long From, int Count)[] _sections;
    private readonly TensorRoom _room;

    private EncodedUpdate(SparseUpdateCodec codec, Stream bytes, SparseUpdateReader judged, Round round, Uid uid)
    {
        (_codec, _bytes, Round, Uid) = (codec, bytes, round, uid);
        (_sections, _room) = (judged.Sections, judged.Room);
    }

    /// <inheritdoc/>
    public ChunkGrid Grid => _codec.Grid;

    /// <inheritdoc/>
    public Round Round { get; }

    /// <inheritdoc/>
    public Uid Uid { get; }

    /// <inheritdoc/>
    public SparseTensor this[int tensor]
    {
        get
        {
            var (from, count) = _sections[tensor];
            _bytes.Position = from;
            var section = ArrayPool<byte>.Shared.Rent(count);
            try
            {
                _bytes.ReadExactly(section, 0, count);
                // Judged when it was opened, and nobody else writes there.
                Invariant.Check(_codec.TryDecodeTensor(section.AsSpan(0, count), tensor, _room, out var sent, out _));
                return sent!;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(section);
            }
        }
    }

    /// <summary>Judges an update from anywhere, as <see cref="SparseUpdateCodec.TryDecode"/> does, and keeps it as it is.</summary>
    /// <param name="codec">Grid and format.</param>
    /// <param name="bytes">Can seek; holds the update and nothing else, and does not change any more. Becomes this object's if true comes back.</param>
    /// <param name="rules">The rules it must be made under.</param>
    /// <param name="round">The round it must be of.</param>
    /// <param name="uid">Whose it must be.</param>
    /// <param name="update">The update, or null.</param>
    /// <param name="why">As of <see cref="SparseUpdateCodec.TryDecode"/>.</param>
    /// <returns>True if it may be used.</returns>
    public static bool TryOpen(SparseUpdateCodec codec, Stream bytes, Digest rules, Round round, Uid uid, out EncodedUpdate? update, out Rejection why)
    {
        update = null;
        bytes.Position = 0;
        if (bytes.Length > codec.BytesMax)
        {
            why = Rejection.TooLarge;
            return false;
        }

        var reader = new SparseUpdateReader(codec, bytes, rules, round, uid);
        if (reader.Why == Rejection.None && !codec.IsPossible(bytes.Length))
        {
            why = Rejection.Malformed;
            return false;
        }

        while (reader.TryRead(out _))
        {
            // Only judged: what it says is decoded again when it is used.
        }

        why = reader.Why;
        if (why != Rejection.None)
        {
            reader.Dispose();
            return false;
        }

        update = new EncodedUpdate(codec, bytes, reader, round, uid);
        return true;
    }

    /// <summary>Whether its bytes lie in memory.</summary>
    public bool IsInMemory => _bytes is MemoryStream;

    /// <summary>Gives back the memory of the tensor that was read last, which is of no use any more; the next use takes it again.</summary>
    public void Rest() => _room.Dispose();

    /// <summary>Closes the bytes; tensors that were read are of no use any more.</summary>
    public void Dispose()
    {
        _room.Dispose();
        _bytes.Dispose();
    }
}
