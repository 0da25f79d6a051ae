using Cairn.Base;

namespace Cairn.Ledger.Tests;

/// <summary>Who follows a ledger window by window comes to the same state as who replays it at once.</summary>
public sealed class LedgerTailTests : IDisposable
{
    private readonly string _path = Path.Combine(Directory.CreateTempSubdirectory("cairn-tail-").FullName, "ledger.cairn");
    private readonly World _world = new();
    private readonly Lock _gate = new();

    public LedgerTailTests() => EmbeddedLedger.Create(_path, _world.Genesis, flush: false).Dispose();

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_path)!, recursive: true);

    [Fact]
    public void The_tail_comes_to_the_state_of_the_ledger_and_shows_each_operation_once()
    {
        using var tail = LedgerTail.Open(_path);
        Assert.False(tail.ReadNext(_gate, Nothing));
        Play(rounds: 2);
        var shown = new List<SignedOperation>();
        while (tail.ReadNext(_gate, (_, signed) => shown.Add(signed)))
        {
        }

        Play(rounds: 1);
        while (tail.ReadNext(_gate, (_, signed) => shown.Add(signed)))
        {
        }

        Assert.Equal((_world.State.Height, _world.State.Tip, _world.State.StateDigest()), (tail.State.Height, tail.State.Tip, tail.State.StateDigest()));
        Assert.Equal(_world.Blocks.SelectMany(block => block.Operations).Select(signed => signed.Content.ToArray()), shown.Select(signed => signed.Content.ToArray()));
    }

    [Fact]
    public void A_block_that_was_read_can_be_read_again_and_no_other()
    {
        Play(rounds: 1);
        using var tail = LedgerTail.Open(_path);
        for (var height = 1; tail.ReadNext(_gate, Nothing); height++)
        {
            Assert.Equal(_world.Blocks[height - 1].Hash, tail.BlockAt(height)!.Hash);
            Assert.Null(tail.BlockAt(height + 1));
        }

        Assert.Null(tail.BlockAt(0));
        Assert.Null(tail.BlockAt(-1));
        Assert.Null(tail.BlockAt(long.MaxValue));
    }

    [Fact]
    public void A_flipped_bit_is_named_by_its_height_after_all_that_is_good()
    {
        Play(rounds: 1);
        var bytes = File.ReadAllBytes(_path);
        bytes[^60] ^= 1;
        File.WriteAllBytes(_path, bytes);
        using var tail = LedgerTail.Open(_path);
        var fault = Assert.Throws<InputException>(() =>
        {
            while (tail.ReadNext(_gate, Nothing))
            {
            }
        });
        Assert.Contains($"height {_world.Blocks.Count}", fault.Message, StringComparison.Ordinal);
        Assert.Equal(_world.Blocks.Count - 1, tail.State.Height);
    }

    [Fact]
    public void A_block_that_is_being_written_is_waited_for()
    {
        Play(rounds: 1);
        var bytes = File.ReadAllBytes(_path);
        File.WriteAllBytes(_path, bytes[..^40]);
        using var tail = LedgerTail.Open(_path);
        while (tail.ReadNext(_gate, Nothing))
        {
        }

        Assert.Equal(_world.Blocks.Count - 1, tail.State.Height);
        File.WriteAllBytes(_path, bytes);
        Assert.True(tail.ReadNext(_gate, Nothing));
        Assert.Equal(_world.State.Tip, tail.State.Tip);
    }

    private void Play(int rounds)
    {
        var first = _world.Blocks.Count;
        for (var round = 0; round < rounds; round++)
        {
            _world.CommitAll();
            _world.RevealAll();
            foreach (var uid in _world.Validators.ToArray())
            {
                _world.Must(uid, _world.Verdict());
            }

            foreach (var uid in _world.Peers.Concat(_world.Validators).ToArray())
            {
                _world.Must(uid, _world.Base());
            }
        }

        using var ledger = EmbeddedLedger.Open(_path, flush: false);
        foreach (var block in _world.Blocks.Skip(first))
        {
            Assert.All(ledger.Append(block.Operations), outcome => Assert.Equal(Rejection.None, outcome.Why));
        }
    }

    private static void Nothing(Block block, SignedOperation signed)
    {
    }
}
