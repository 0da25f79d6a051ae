using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Simulation;

/// <summary>The ledger that all nodes share: statements wait until the next block, blocks are final, one statement each. The seam of the ledger knows no
/// reorganisation (nodes see final blocks only), so that a reorganisation is what it can be before finality: other order, other block.</summary>
/// <remarks>The state after a height is computed once and read by every node that has seen that height. A node that is cut off reads an older one, kept
/// for as long as somebody needs it.</remarks>
internal sealed class SimLedger
{
    private readonly World _world;
    private readonly List<Block> _blocks = [];
    private readonly List<OldView> _old = [];
    private List<(SignedOperation Signed, SimNode Author)> _waiting = [];
    private bool _planned;

    public SimLedger(World world, Genesis genesis)
    {
        (_world, Genesis) = (world, genesis);
        Head = LedgerState.FromGenesis(genesis);
    }

    public Genesis Genesis { get; }

    /// <summary>The state after the newest final block.</summary>
    public LedgerState Head { get; }

    public IReadOnlyList<Block> Blocks => _blocks;

    /// <summary>A statement has come in.</summary>
    public void Receive(SignedOperation signed, SimNode author)
    {
        _waiting.Add((signed, author));
        Plan();
    }

    /// <summary>The state at an older height: shared by all who stand there.</summary>
    public LedgerState At(long height)
    {
        if (height == Head.Height)
        {
            return Head;
        }

        var view = _old.Find(old => old.State.Height == height) ?? _old.Find(old => old.State.Height < height && !_world.Reads(old.State.Height));
        if (view is null)
        {
            view = new OldView(LedgerState.FromGenesis(Genesis));
            _old.Add(view);
        }

        while (view.State.Height < height)
        {
            view.State.Apply(_blocks[(int)view.State.Height], verifySignatures: false);
        }

        return view.State;
    }

    private void Plan()
    {
        if (!_planned)
        {
            _planned = true;
            var stalled = _world.Faulty && _world.Strikes(_world.Scenario.Faults.StallPerMille);
            _world.Reach(Probe.LedgerStalled, stalled);
            _world.Heap.After(_world.Scenario.BlockTime + (stalled ? _world.Fault(2_000, 30_000) : 0), Close);
        }
    }

    private void Close()
    {
        _planned = false;
        var batch = _waiting;
        _waiting = [];
        if (_world.Faulty && batch.Count > 1 && _world.Strikes(_world.Scenario.Faults.ReorgPerMille))
        {
            Reorder(batch);
        }

        var before = Head.Height;
        foreach (var (signed, author) in batch)
        {
            Append(signed, author);
        }

        if (Head.Height > before)
        {
            _world.Spread();
        }

        if (_waiting.Count > 0)
        {
            Plan();
        }
    }

    private void Reorder(List<(SignedOperation Signed, SimNode Author)> batch)
    {
        _world.Reach(Probe.Reordered);
        for (var i = batch.Count - 1; i > 0; i--)
        {
            var other = (int)_world.Fault(0, i);
            (batch[i], batch[other]) = (batch[other], batch[i]);
        }

        var kept = (int)_world.Fault(1, batch.Count);
        _waiting.AddRange(batch.Skip(kept));
        batch.RemoveRange(kept, batch.Count - kept);
    }

    private void Append(SignedOperation signed, SimNode author)
    {
        var (round, stage) = (Head.CurrentRound, Head.Stage);
        var block = Block.Create(Head.Height + 1, Head.Tip, [signed]);
        var taken = Head.TryApply(block, _world.Scenario.RealKeys, out var why);
        author.Answered(signed, why);
        if (!taken)
        {
            return;
        }

        _blocks.Add(block);
        _world.Reach(Probe.TimeoutClosedStage, signed.Operation is Ledger.Timeout && (Head.CurrentRound, Head.Stage) != (round, stage));
        _world.Oracle.See(signed);
    }

    private sealed record OldView(LedgerState State);
}
