namespace Cairn.Simulation;

/// <summary>Planted bugs, one for each rule of the round (docs/flow.md) at least: the tests turn one on and the oracles must find it. No verb and no scenario can
/// name one.</summary>
internal enum Mutation
{
    None,

    /// <summary>Rule 1: error feedback keeps what was trained though the update is not in the manifest.</summary>
    KeepsTrainingOfExcluded,

    /// <summary>Rule 2: no timer ever fires.</summary>
    NeverTimesOut,

    /// <summary>Rule 3: each validator draws its probes for itself.</summary>
    DrawsProbesAlone,

    /// <summary>Rule 4: what was signed before a death is signed anew, with other content.</summary>
    SignsAnew,

    /// <summary>Rule 5: an update that cannot be fetched is left out of the mean.</summary>
    AppliesFewer,

    /// <summary>Rule 6: whatever can be read is accepted.</summary>
    AdmitsEverything,

    /// <summary>Rule 7: a node that should go back keeps its base.</summary>
    GoesOnInsteadOfBack,

    /// <summary>Rule 8: a joiner takes a checkpoint without comparing it with the ledger.</summary>
    TrustsCheckpoint,

    /// <summary>Rule 9: after a death the round counter is that of the newest state, the base that of the older.</summary>
    StateTornByDeath,

    /// <summary>Rule 10: a round is trained from the base before the last one.</summary>
    TrainsBeforeApplying,
}
