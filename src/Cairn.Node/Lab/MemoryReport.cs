namespace Cairn.Node;

/// <summary>Peak memory of one part of an update's way.</summary>
/// <param name="Name">Which part.</param>
/// <param name="PeakBytes">The most that the process used during it.</param>
/// <param name="ModelBytes">Of that base, local parameters and error feedback, as far as they are there in this part.</param>
/// <param name="Ratio">What is left, over the bytes of the largest tensor.</param>
public sealed record MemoryStage(string Name, long PeakBytes, long ModelBytes, double Ratio)
{
    /// <summary>Beyond base, local parameters and error feedback.</summary>
    public long ExtraBytes => PeakBytes - ModelBytes;
}

/// <summary>What one round of updates takes of memory beyond the model itself.</summary>
/// <param name="Parameters">Of the model.</param>
/// <param name="LargestTensorBytes">In fp32.</param>
/// <param name="Peers">Updates in the round.</param>
/// <param name="UpdateBytes">Of one, encoded and sealed.</param>
/// <param name="DeltaBytes">Of the mean of all, as it is put.</param>
/// <param name="RuntimeBytes">What the process used before it held anything of the model: counted in every part.</param>
/// <param name="Stages">The parts.</param>
/// <param name="Ratio">The largest of their ratios.</param>
/// <param name="Bar">What it may be.</param>
public sealed record MemoryReport(
    long Parameters, long LargestTensorBytes, int Peers, long UpdateBytes, long DeltaBytes, long RuntimeBytes, IReadOnlyList<MemoryStage> Stages, double Ratio,
    double Bar)
{
    /// <summary>Whether it is no more than it may be.</summary>
    public bool Holds => Ratio <= Bar;
}
