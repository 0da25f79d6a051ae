using Cairn.Base;

namespace Cairn.Ledger.Tests;

public sealed class EmbeddedLedgerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-ledger").FullName;

    private string LedgerPath => Path.Combine(_folder, "run", "ledger");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Two_handles_see_one_order_and_repeats_write_nothing()
    {
        var world = new World(peers: 2);
        using var first = EmbeddedLedger.Create(LedgerPath, world.Genesis);
        using var second = EmbeddedLedger.Open(LedgerPath);
        var commit = world.Sign(0, world.Commit(0));
        Assert.Equal(new AppendOutcome(Rejection.None, 1), first.Append(commit));
        Assert.True(second.HasNews());
        Assert.Equal(new AppendOutcome(Rejection.AlreadyThere, 1), second.Append(world.Sign(0, world.Commit(0))));
        Assert.Equal(new AppendOutcome(Rejection.None, 2), second.Append(world.Sign(1, world.Commit(1))));
        Assert.Equal([1L, 2L], first.ReadNew().Select(block => block.Height));
        Assert.Equal([1L, 2L], second.ReadNew().Select(block => block.Height));
        Assert.False(first.HasNews());
        Assert.Empty(first.ReadNew());
        Assert.Equal(world.Genesis.Digest, first.Genesis.Digest);
    }
}
