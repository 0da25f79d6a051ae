using Cairn.Base;

namespace Cairn.Training;

/// <summary>The name of a course of training: on the CPU inner steps are bit-exact, so an auditor who replays them finds the same name or
/// refutes the claim.</summary>
public static class TrainingTrace
{
    /// <summary>SHA-256 over the count and the bits of the losses in order. Tier T1 over its input.</summary>
    /// <param name="losses">One per inner step.</param>
    public static Digest Of(ReadOnlySpan<double> losses)
    {
        using var hasher = new Hasher("cairn/training/trace");
        hasher.Append(losses.Length);
        foreach (var loss in losses)
        {
            hasher.Append(BitConverter.DoubleToInt64Bits(loss));
        }

        return hasher.Finish();
    }
}
