using Cairn.Base;

namespace Cairn.Gauntlet;

/// <summary>The outcome of the checks that need no model: size, signature, rules, shapes, codes, committed root, samples, overlap.</summary>
/// <param name="Uid">Whose update.</param>
/// <param name="Reason">The first check that failed, from the closed list of <see cref="Rejection"/>; None if all passed.</param>
public readonly record struct FastCheck(Uid Uid, Rejection Reason)
{
    /// <summary>True if all passed.</summary>
    public bool Passed => Reason == Rejection.None;

    /// <summary>Marks copies as refused: an update refused already keeps its reason.</summary>
    /// <param name="checks">The checks of a round.</param>
    /// <param name="copies">What <see cref="OverlapRule.FindCopies"/> found.</param>
    /// <returns>As many checks in the same order.</returns>
    public static IReadOnlyList<FastCheck> WithCopies(IReadOnlyList<FastCheck> checks, IReadOnlyList<(Uid Uid, OverlapSeverity Severity)> copies)
    {
        var copied = copies.Select(copy => copy.Uid).ToHashSet();
        return [.. checks.Select(check => check.Passed && copied.Contains(check.Uid) ? check with { Reason = Rejection.Copied } : check)];
    }
}
