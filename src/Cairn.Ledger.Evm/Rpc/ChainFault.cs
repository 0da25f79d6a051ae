namespace Cairn.Ledger.Evm;

/// <summary>Why a chain's node gave no answer that can be used.</summary>
public enum ChainFaultKind
{
    /// <summary>It could not be reached, took too long, or answered with an error of the connection.</summary>
    Unreachable,

    /// <summary>It answered, but with more bytes than are taken, or with what is no answer.</summary>
    BadAnswer,

    /// <summary>It understood and refused: the transaction or call is not one that the chain takes.</summary>
    Refused,

    /// <summary>The chain took the transaction, was paid for it, and it failed in its block and changed nothing.</summary>
    Failed,
}

/// <summary>The world's trouble with a chain's node: an outcome for whoever asked, never our own bug.</summary>
/// <param name="kind">What kind.</param>
/// <param name="message">One sentence.</param>
/// <param name="data">What a contract gave as reason, or empty.</param>
/// <param name="inner">Where it comes from.</param>
public sealed class ChainFaultException(ChainFaultKind kind, string message, byte[]? data = null, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What kind.</summary>
    public ChainFaultKind Kind { get; } = kind;

    /// <summary>What a contract gave as reason (an error's four bytes and its values), or empty.</summary>
    public byte[] Reason { get; } = data ?? [];
}
