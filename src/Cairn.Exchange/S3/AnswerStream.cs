using Cairn.Base;

namespace Cairn.Exchange;

/// <summary>What a server answers, over the stream of the connection: whoever reads it waits for it.</summary>
internal abstract class AnswerStream(Stream inner) : ReadingStream(inner)
{
    public abstract override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
}
