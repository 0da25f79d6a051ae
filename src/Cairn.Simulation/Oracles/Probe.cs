namespace Cairn.Simulation;

/// <summary>Rare paths that the seeds must reach, or they prove nothing about them.</summary>
public enum Probe
{
    /// <summary>A stage ended by timeouts.</summary>
    TimeoutClosedStage,

    /// <summary>A round closed with an empty manifest.</summary>
    EmptyRound,

    /// <summary>A peer rolled back an update that was not in the manifest.</summary>
    ExcludedUpdate,

    /// <summary>Samples came back and were issued again.</summary>
    SamplesIssuedAgain,

    /// <summary>A peer died with its commit made and not opened.</summary>
    KilledBetweenCommitAndReveal,

    /// <summary>A peer died with its commit opened and the round not applied.</summary>
    KilledBetweenRevealAndApply,

    /// <summary>A node died with a statement signed and not sent.</summary>
    KilledBetweenSigningAndSending,

    /// <summary>A peer trained a round again that it had published before it died.</summary>
    TrainedAgainAfterRestart,

    /// <summary>The newest durable state was lost.</summary>
    FellBackOneState,

    /// <summary>A dropped member came back.</summary>
    ReturnedAfterAbsence,

    /// <summary>More peers than places.</summary>
    NotInRoster,

    /// <summary>Nobody was there to train.</summary>
    NobodyInRoster,

    /// <summary>A training diverged and nothing was sent.</summary>
    TrainingDiverged,

    /// <summary>A round was applied while the next was trained: only with an apply delay.</summary>
    AppliedWhileTraining,

    /// <summary>A commit was never opened.</summary>
    CommitNotOpened,

    /// <summary>A second statement for one slot was refused.</summary>
    EquivocationRefused,

    /// <summary>A statement came too late.</summary>
    RefusedAsLate,

    /// <summary>A round ended without a quorum on its base.</summary>
    RoundWithoutQuorum,

    /// <summary>A wrong replica healed by computing again.</summary>
    RecomputeHealed,

    /// <summary>A replica that is always wrong halted.</summary>
    HaltedAlwaysWrong,

    /// <summary>A replica that is otherwise wrong each time halted.</summary>
    HaltedOtherwiseEachTime,

    /// <summary>A validator never came back.</summary>
    ValidatorGoneForGood,

    /// <summary>A newcomer's update is in a manifest.</summary>
    NewcomersWeighed,

    /// <summary>The data was begun a second time.</summary>
    SecondEpoch,

    /// <summary>A round trained on the annealing part.</summary>
    Annealed,

    /// <summary>Samples of the main part waited when the annealing began, and wait to the end.</summary>
    LeftByAnnealing,

    /// <summary>Samples of the annealing part came back and were issued again.</summary>
    AnnealedAgain,

    /// <summary>A peer registered while the run was on.</summary>
    JoinedLate,

    /// <summary>A slow peer declared that it trains on fewer samples.</summary>
    DeclaredFewer,

    /// <summary>A peer that did less declared that it does all again.</summary>
    DeclaredAllAgain,

    /// <summary>A member said that its objects are in another place than before.</summary>
    MovedItsStore,

    /// <summary>Validators changed the rules, and a later round was governed by them.</summary>
    RulesChanged,

    /// <summary>A late joiner began from a checkpoint that the ledger names.</summary>
    BeganFromCheckpoint,

    /// <summary>A checkpoint was not what the ledger names, and was not taken.</summary>
    RefusedCheckpoint,

    /// <summary>A read gave other bytes than were put, and was refused.</summary>
    CorruptRead,

    /// <summary>An object was put and never there.</summary>
    ObjectLost,

    /// <summary>A member of a manifest came from a validator, for the store had it no more.</summary>
    ServedByValidator,

    /// <summary>A node stepped on an old view of the ledger.</summary>
    SteppedOnOldView,

    /// <summary>The ledger stood still for a while.</summary>
    LedgerStalled,

    /// <summary>Statements changed their order before they were final.</summary>
    Reordered,

    /// <summary>Validators said different things about one update.</summary>
    VerdictsDiffered,

    /// <summary>An update was refused as a copy.</summary>
    CopyRefused,

    /// <summary>An update was refused as harmful.</summary>
    HarmRefused,

    /// <summary>Validators said together that nothing can be told yet, and pay waited.</summary>
    PayKeptBack,
}
