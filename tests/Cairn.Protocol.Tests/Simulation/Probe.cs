namespace Cairn.Protocol.Tests.Simulation;

/// <summary>Rare paths that the seeds must reach, or they prove nothing about them.</summary>
internal enum Probe
{
    TimeoutClosedStage,
    EmptyRound,
    ExcludedUpdate,
    SamplesIssuedAgain,
    KilledBetweenCommitAndReveal,
    KilledBetweenRevealAndApply,
    KilledBetweenSigningAndSending,
    TrainedAgainAfterRestart,
    FellBackOneState,
    ReturnedAfterAbsence,
    NotInRoster,
    NobodyInRoster,
    TrainingDiverged,
    CommitNotOpened,
    EquivocationRefused,
    RefusedAsLate,
    RoundWithoutQuorum,
    RecomputeHealed,
    HaltedAlwaysWrong,
    HaltedOtherwiseEachTime,
    ValidatorGoneForGood,
    NewcomersWeighed,
    SecondEpoch,
}
