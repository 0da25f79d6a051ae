using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>Two signed statements of one author where only one may be said: a proof that needs nothing but the two signatures.</summary>
public static class Contradiction
{
    /// <summary>True if two statements contradict each other. Signatures are not looked at.</summary>
    /// <param name="first">One statement.</param>
    /// <param name="second">The other: same author, kind and round, and content that sorts after the first's, so that a pair has one form only.</param>
    public static bool IsOne(SignedOperation first, SignedOperation second) =>
        first.Author == second.Author
        && RoundOf(first.Operation) is { } round && RoundOf(second.Operation) == round
        && first.Operation.GetType() == second.Operation.GetType()
        && first.Content.SequenceCompareTo(second.Content) < 0;

    /// <summary>Makes the accusation that two statements justify, in its one form.</summary>
    /// <param name="one">A statement.</param>
    /// <param name="other">Another.</param>
    /// <returns>Null if they do not contradict each other.</returns>
    public static Accuse? Between(SignedOperation one, SignedOperation other) =>
        IsOne(one, other) ? new Accuse(one, other) : IsOne(other, one) ? new Accuse(other, one) : null;

    /// <summary>The round of a statement that its author may make once a round, else null.</summary>
    /// <param name="operation">Any.</param>
    public static Round? RoundOf(Operation operation) => operation switch
    {
        Commit commit => commit.Round,
        Verdict verdict => verdict.Round,
        PostBase posted => posted.Round,
        PostShares posted => posted.Round,
        _ => null,
    };

    /// <summary>Names what was said twice, whatever was said: one cut for each.</summary>
    /// <param name="author">Who.</param>
    /// <param name="statement">One of the two.</param>
    public static Digest SlotOf(Uid author, SignedOperation statement)
    {
        using var hasher = new Hasher("cairn/slot");
        hasher.Append(author.Value);
        hasher.Append(RoundOf(statement.Operation)!.Value.Number);
        hasher.Append(statement.Content[0]);
        return hasher.Finish();
    }
}
