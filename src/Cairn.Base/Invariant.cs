using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Cairn.Base;

/// <summary>Our own bug: a condition that the code guarantees did not hold. Caught only by a host, to log and fail fast.</summary>
public sealed class InvariantViolation : Exception
{
    /// <summary>Creates the violation.</summary>
    /// <param name="message">The broken condition, with its place.</param>
    public InvariantViolation(string message) : base(message)
    {
    }
}

/// <summary>Checks of what the code itself guarantees, on in Release. Never used to judge input: that is a <see cref="Rejection"/> or an
/// <see cref="InputException"/>.</summary>
public static class Invariant
{
    /// <summary>Throws <see cref="InvariantViolation"/> unless the condition holds. The text of the condition is the message.</summary>
    /// <param name="condition">What must be true.</param>
    /// <param name="text">Filled in by the compiler.</param>
    /// <param name="member">Filled in by the compiler.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Check(
        [DoesNotReturnIf(false)] bool condition,
        [CallerArgumentExpression(nameof(condition))] string text = "",
        [CallerMemberName] string member = "")
    {
        if (!condition)
        {
            Fail(text, member);
        }
    }

    /// <summary>Throws <see cref="InvariantViolation"/>: a place that cannot be reached was.</summary>
    /// <param name="why">What was assumed.</param>
    /// <param name="member">Filled in by the compiler.</param>
    [DoesNotReturn]
    public static void Fail(string why, [CallerMemberName] string member = "") =>
        throw new InvariantViolation($"invariant broken in {member}: {why}");
}
