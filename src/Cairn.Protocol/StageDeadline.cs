using Cairn.Ledger;

namespace Cairn.Protocol;

/// <summary>A validator's watch over the stage in progress: asks for a timer, and says once on the ledger that the stage has lasted too long.</summary>
/// <remarks>The timer is the host's and dies with it, so that a new life arms the stage again; it may then last longer, never for ever.</remarks>
internal sealed class StageDeadline
{
    private (Base.Round Round, Stage Stage)? _armed;
    private bool _passed;
    private bool _said;

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
            (_passed, _said) = (false, false);
            effects.Add(new ArmDeadline(ledger.CurrentRound, ledger.Stage));
        }
    }

    /// <summary>The timer of a stage, perhaps of one long past.</summary>
    public void Pass(DeadlinePassed passed) => _passed |= _armed == (passed.Round, passed.Stage);

    /// <summary>Says that the armed stage is over, when its time has passed and this validator is not itself waited for.</summary>
    public void Close(LedgerState ledger, bool ownPartIsDone, List<Effect> effects)
    {
        if (_armed is not null && _passed && !_said && ownPartIsDone)
        {
            _said = true;
            effects.Add(new Submit(new Ledger.Timeout(ledger.CurrentRound, ledger.Stage)));
        }
    }
}
