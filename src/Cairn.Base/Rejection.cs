namespace Cairn.Base;

/// <summary>Why something that another party sent was refused: a closed list, carried in verdicts and logs. Data, never an exception.</summary>
public enum Rejection
{
    /// <summary>Not refused.</summary>
    None = 0,

    /// <summary>Nothing was there when the phase ended.</summary>
    Missing = 1,

    /// <summary>It came after its phase had ended, or for another round.</summary>
    Late = 2,

    /// <summary>The bytes do not follow the format.</summary>
    Malformed = 3,

    /// <summary>More bytes than the rules of the run allow.</summary>
    TooLarge = 4,

    /// <summary>The signature does not verify, or the signer is not who the bytes name.</summary>
    BadSignature = 5,

    /// <summary>Made under other rules than those of this run.</summary>
    WrongRules = 6,

    /// <summary>Computed from other parameters than the base of the round.</summary>
    WrongBase = 7,

    /// <summary>The opened content is not what was committed.</summary>
    NotAsCommitted = 8,

    /// <summary>A number is NaN or infinite, or a scale is out of its range.</summary>
    NotFinite = 9,

    /// <summary>Tensor names, shapes or chunk counts differ from the model's.</summary>
    WrongShape = 10,

    /// <summary>Indices do not rise strictly or point outside their chunk, or a code lies outside the code book.</summary>
    BadCode = 11,

    /// <summary>It shares more of its content with an earlier commit than chance explains.</summary>
    Copied = 12,

    /// <summary>A second, different statement where only one is allowed.</summary>
    Equivocation = 13,

    /// <summary>The author is not a member, or not one who may say this now.</summary>
    NotEntitled = 14,

    /// <summary>It claims samples that were not assigned to its author.</summary>
    WrongSamples = 15,

    /// <summary>The ledger's stage or height does not allow it.</summary>
    OutOfTurn = 16,

    /// <summary>Applied alone, it made the loss on its own assigned data worse.</summary>
    Harmful = 17,

    /// <summary>The same statement stands already: said twice, harmless.</summary>
    AlreadyThere = 18,
}
