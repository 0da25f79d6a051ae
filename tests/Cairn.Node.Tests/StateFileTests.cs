using Cairn.Base;
using Cairn.Compute;

namespace Cairn.Node.Tests;

public sealed class StateFileTests
{
    private static readonly StateHeader _header = new(Digest.Of("test", [1]), new Round(3), Digest.Of("test", [2]), 45);

    [Fact]
    public void A_state_reads_back_as_it_was_written()
    {
        using var folder = new TestFolder();
        using var buffers = new Sections(0.5f);
        ReplicaStateFile.Write(folder["state"], _header, buffers.All, [7, 8, 9], flush: false);
        using var read = new Sections(0);
        var state = ReplicaStateFile.TryRead(folder["state"], read.All)!.Value;
        Assert.Equal(_header, state.Header);
        Assert.Equal(_header, ReplicaStateFile.Peek(folder["state"]));
        Assert.Equal([7, 8, 9], state.Book);
        Assert.All(buffers.All.Zip(read.All), pair => Assert.True(pair.First.Span.SequenceEqual(pair.Second.Span)));
    }

    [Fact]
    public void No_flipped_bit_and_no_cut_passes_for_a_state()
    {
        using var folder = new TestFolder();
        using var buffers = new Sections(0.5f);
        ReplicaStateFile.Write(folder["state"], _header, buffers.All, [7, 8, 9], flush: false);
        var whole = File.ReadAllBytes(folder["state"]);
        for (var at = 0; at < whole.Length; at++)
        {
            var hurt = whole.ToArray();
            hurt[at] ^= (byte)(1 << (at % 8));
            File.WriteAllBytes(folder["hurt"], at % 2 == 0 ? hurt : whole[..at]);
            Assert.Null(ReplicaStateFile.TryRead(folder["hurt"], buffers.All));
        }

        File.WriteAllBytes(folder["hurt"], [.. whole, 0]);
        Assert.Null(ReplicaStateFile.TryRead(folder["hurt"], buffers.All));
        Assert.Null(ReplicaStateFile.TryRead(folder["nothing"], buffers.All));
        Assert.Null(ReplicaStateFile.Peek(folder["nothing"]));
    }

    private sealed class Sections : IDisposable
    {
        public Sections(float value)
        {
            All = [new FloatBuffer(20), new FloatBuffer(7)];
            All.ForEach(section => section.Span.Fill(value));
        }

        public List<FloatBuffer> All { get; }

        public void Dispose() => All.ForEach(section => section.Dispose());
    }
}
