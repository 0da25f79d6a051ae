using Cairn.Ledger;

namespace Cairn.Simulation;

/// <summary>Replays the whole ledger apart from the state that the nodes share, verifying what there is to verify, and compares at every round.</summary>
internal sealed class PrivateReplay
{
    private readonly World _world;
    private readonly LedgerState? _state;
    private int _compared = -1;

    public PrivateReplay(World world)
    {
        _world = world;
        _state = world.Scenario.PrivateReplays > 0 ? LedgerState.FromGenesis(world.Founding.Genesis) : null;
    }

    /// <summary>Applies the new blocks.</summary>
    public void Follow()
    {
        if (_state is null)
        {
            return;
        }

        while (_state.Height < _world.Ledger.Head.Height)
        {
            _state.Apply(_world.Ledger.Blocks[(int)_state.Height], _world.Scenario.RealKeys);
        }

        if (_state.CurrentRound.Number != _compared || _state.Stage == Stage.Finished)
        {
            _compared = _state.CurrentRound.Number;
            Must.Hold(_state.StateDigest() == _world.Ledger.Head.StateDigest(), "replay", $"the state of round {_compared} is another when it is replayed");
        }
    }
}
