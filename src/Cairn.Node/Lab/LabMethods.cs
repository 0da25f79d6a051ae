using Cairn.Sparse;
using Cairn.Training;

namespace Cairn.Node;

/// <summary>All methods of the grid, in the order of the table.</summary>
internal static class LabMethods
{
    public const string Ours = "sparseloco-ours";
    public const string OursSignMagnitude = "sparseloco-ours-sign-magnitude";
    public const string OursPublishedQuantizer = "sparseloco-ours-published-quantiser";
    public const string OursFeedbackSent = "sparseloco-ours-feedback-sent";
    public const string OursDelayed = "sparseloco-ours-apply-delay";
    public const string OursDelayedUnled = "sparseloco-ours-apply-delay-unled";
    public const string Published = "sparseloco-published";
    public const string Diloco = "diloco";
    public const string DilocoInt8 = "diloco-int8";
    public const string Demo = "demo";
    public const string DataParallel = "ddp-adamw";

    // The best of 3e-4, 1e-3, 3e-3 and 1e-2 in 150 steps of nano, 4 peers, batch 1, seed 1: 6.870, 5.968, 5.821, 5.924 nats/token.
    private const double DemoRate = 3e-3;

    // The best of 0.4, 0.65 and 1.0 on nano at H = 15, 4 peers, batch 1, seed 1: 6.347, 6.364 and 6.519 nats/token after 10 rounds; 5.906 for 0.4 and
    // 5.945 for 0.65 after 20. A mean of selectors moves a coordinate at full size, so it wants a smaller step than a mean over all.
    private const float PublishedRate = 0.4f;

    // What a swarm runs: RunCreator and SwarmPreset. The numbers stand here again because a cell's key must not move with a preset.
    /// <summary>What a swarm runs.</summary>
    public static readonly SparseVariant OursVariant = new(QuantizerKind.Sign, new Aggregation(AggregationRule.Mean, Clip: true), FeedbackRule.Applied, 1.5f, 0.95f);

    private static readonly SparseVariant PublishedVariant =
        new(QuantizerKind.Published, new Aggregation(AggregationRule.MeanOfSelectors, Clip: true), FeedbackRule.Sent, PublishedRate, 0.95f);

    public static IReadOnlyList<LabMethod> All { get; } =
    [
        new(DataParallel, "data-parallel AdamW: one optimizer, every step sends the dense fp32 gradient", "", bench => new DataParallelMethod(bench))
        {
            HasH = false, AllSeeds = true, JoinsBatches = true,
        },
        new(
            Demo,
            $"DeMo: DCT of the momentum in blocks of 64×64, the 64 largest of 4096 sent every step as 12 bits of place and bf16, sign step " +
            $"(rate {DemoRate}, by trial)",
            $"{new DemoSettings()} rate {DemoRate}", bench => new DemoMethod(bench, DemoRate))
        {
            HasH = false,
        },
        new(Diloco, "DiLoCo: dense fp32 pseudo-gradients, Nesterov outer step 0.7/0.9", "0.7 0.9", bench => new DilocoMethod(bench, int8: false)) { AllSeeds = true },
        new(DilocoInt8, "DiLoCo with pseudo-gradients of 8 bits and a scale for each 4096", "0.7 0.9", bench => new DilocoMethod(bench, int8: true)),
        Sparse(
            Published,
            $"SparseLoCo as published: mean of selectors, median clip, error feedback less what was sent, α {PublishedRate} (by trial), β 0.95",
            PublishedVariant) with
        {
            AllSeeds = true,
        },
        Sparse(Ours, "SparseLoCo as a swarm runs it: mean over all peers, median clip, error feedback less what was applied, α 1.5, β 0.95", OursVariant) with
        {
            AllSeeds = true,
        },
        Sparse(OursPublishedQuantizer, $"{Ours} but for the quantiser", OursVariant with { Quantizer = QuantizerKind.Published }) with { AllSeeds = true },
        Sparse(OursSignMagnitude, $"{Ours} but for the quantiser: sign and magnitude, two bits", OursVariant with { Quantizer = QuantizerKind.SignMagnitude }) with
        {
            AllSeeds = true,
        },
        Sparse(OursFeedbackSent, $"{Ours} but for the error feedback: less what was sent", OursVariant with { Feedback = FeedbackRule.Sent }) with
        {
            InQuick = false, AllSeeds = true,
        },
        Sparse(
            OursDelayed, $"{Ours} with apply delay 1: a round is trained from where the peer's own last update would bring the base before the last",
            OursVariant with { ApplyDelay = 1, Leads = true }) with
        {
            InQuick = false, AllSeeds = true,
        },
        Sparse(OursDelayedUnled, $"{OursDelayed}, but from that base itself", OursVariant with { ApplyDelay = 1 }) with
        {
            InQuick = false, AllSeeds = true,
        },
    ];

    /// <summary>The cells that options ask for, the first seed of all methods first: none twice.</summary>
    public static IReadOnlyList<LabCell> Cells(LabOptions options) =>
    [
        .. from seed in Enumerable.Range(1, options.SeedCountOrDefault)
           from method in All
           where (seed == 1 || method.AllSeeds) && (method.InQuick || !options.Quick)
           from h in method.HasH ? options.InnerStepsOrDefault.Select(h => (int?)h) : [null]
           select new LabCell(method, h, (ulong)seed),
    ];

    private static LabMethod Sparse(string name, string text, SparseVariant variant) =>
        new(
            name, text, $"{variant}{(variant.ApplyDelay > 0 ? $" delay {variant.ApplyDelay}" : "")}{(variant.Leads ? " led" : "")}",
            bench => new SparseMethod(bench, variant));
}
