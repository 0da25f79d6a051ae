namespace Cairn.Node;

/// <summary>What runs over the internet have published of themselves, and what their own numbers make of it.</summary>
public static class PublishedRuns
{
    // Parameters/64 values of so many bits each: 12 bits of place and 2 of value on paper.
    private const double SparseLocoBytesPerParameter = 14 / 8.0 / 64;

    /// <summary>A published run and its claim.</summary>
    /// <param name="Model">Its inputs.</param>
    /// <param name="ClaimedSeconds">Seconds of communication that it claims.</param>
    /// <param name="Inputs">Where the inputs are from.</param>
    public sealed record Claim(WanModel Model, double ClaimedSeconds, string Inputs)
    {
        /// <summary>Utilisation by the claim.</summary>
        public double ClaimedUtilisation => Model.ComputeSeconds / (Model.ComputeSeconds + ClaimedSeconds);

        /// <summary>True if the stated line can carry the stated bytes in the claimed time.</summary>
        public bool IsPossible => Model.LeastSeconds <= ClaimedSeconds;
    }

    /// <summary>INTELLECT-1 (10 B, int8 ring all-reduce every 38 minutes), SparseLoCo 8 B and Covenant-72B (arXiv 2603.08163, 4.3).</summary>
    public static IReadOnlyList<Claim> All { get; } =
    [
        new(
            new WanModel("INTELLECT-1, 500 Mb/s", 10.2e9, 1, 14, 38 * 60, 500, 500, AllReduce: true), 8.3 * 60,
            "8 bits for each parameter, ring of 14 nodes; the slowest of the links of 500 Mb/s to 4 Gb/s"),
        new(
            new WanModel("INTELLECT-1, 4 Gb/s", 10.2e9, 1, 14, 38 * 60, 4000, 4000, AllReduce: true), 8.3 * 60,
            "the same on the fastest of its links"),
        new(
            new WanModel("SparseLoCo 8B", 8.0e9, SparseLocoBytesPerParameter, 15, 4.5 * 60, 110, 500), 12,
            "14 bits for one value of 64, 15 peers, 110 Mb/s up and 500 Mb/s down"),
        new(
            new WanModel("Covenant-72B", 72.747e9, SparseLocoBytesPerParameter, 20, 20 * 60, 110, 500), 70,
            "14 bits for one value of 64, 20 peers, 110 Mb/s up and 500 Mb/s down"),
        new(
            new WanModel("Covenant-72B, 17 peers", 72.747e9, SparseLocoBytesPerParameter, 17, 20 * 60, 110, 500), 70,
            "the same with its mean of contributors"),
    ];
}
