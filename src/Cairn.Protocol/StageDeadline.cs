using Cairn.Ledger;

namespace Cairn.Protocol;

/// <summary>A validator's watch over the stage in progress: asks for a timer, and says once on the ledger that the stage has lasted too long.</summary>
/// <remarks>In <see cref="Stage.Reveal"/> validators reveal their parts of the beacon only when every commit is opened or the time has passed. In the second case they
/// all do it at once, so that the first to call the stage late would call each other late too: they wait a little more, unless all parts are there.
/// The timer is the host's and dies with it, so that a new life arms the stage again; it may then last longer, never for ever.</remarks>
internal sealed class StageDeadline
{
    private (Base.Round Round, Stage Stage)? _armed;
    private bool _passed;
    private bool _again;
    private bool _passedAgain;
    private bool _said;

    /// <summary>True if the time of the stage in progress has passed.</summary>
    public bool HasPassed => _armed is not null && _passed;

    /// <summary>Asks for a timer when the stage is new. A run that waits for peers has no stage that could last too long.</summary>
    public void Arm(LedgerState ledger, List<Effect> effects)
    {
        if (ledger.Stage == Stage.Finished || ledger.Roster.Count == 0)
        {
            _armed = null;
        }
        else if (_armed != (ledger.CurrentRound, ledger.Stage))
        {
            _armed = (ledger.CurrentRound, ledger.Stage);
            (_passed, _again, _passedAgain, _said) = (false, false, false, false);
            effects.Add(new ArmDeadline(ledger.CurrentRound, ledger.Stage));
        }
    }

    /// <summary>The timer of a stage, perhaps of one long past.</summary>
    public void Pass(DeadlinePassed passed)
    {
        if (_armed == (passed.Round, passed.Stage))
        {
            (_passed, _passedAgain) = (true, _again);
        }
    }

    /// <summary>Says that the armed stage is over, when its time has passed and this validator is not itself waited for.</summary>
    public void Close(LedgerState ledger, bool ownPartIsDone, List<Effect> effects)
    {
        if (_armed is null || !_passed || _said || !ownPartIsDone)
        {
            return;
        }

        if (_passedAgain || ledger.Stage != Stage.Reveal || ledger.EveryCommitIsOpen || ledger.EveryBeaconIsRevealed)
        {
            _said = true;
            effects.Add(new Submit(new Ledger.Timeout(ledger.CurrentRound, ledger.Stage)));
        }
        else if (!_again)
        {
            _again = true;
            effects.Add(new ArmDeadline(ledger.CurrentRound, ledger.Stage, Again: true));
        }
    }
}
