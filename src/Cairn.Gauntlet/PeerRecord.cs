using Cairn.Base;

namespace Cairn.Gauntlet;

/// <summary>What a validator remembers of one peer.</summary>
public sealed record PeerRecord
{
    /// <summary>How many findings of probes are remembered.</summary>
    public const int ProbesKept = 8;

    /// <summary>No clearness beyond these is remembered: an infinite one would make means of nothing.</summary>
    internal const double ClearnessMin = -10;

    /// <summary>See <see cref="ClearnessMin"/>.</summary>
    internal const double ClearnessMax = 100;

    /// <summary>How many reasons there are, None included.</summary>
    internal const int ReasonCount = (int)Rejection.Harmful + 1;

    /// <summary>Whose.</summary>
    public required Uid Uid { get; init; }

    /// <summary>The first round it was in the roster.</summary>
    public required Round FirstRound { get; init; }

    /// <summary>The last round it was in the roster.</summary>
    public required Round LastRound { get; init; }

    /// <summary>Rounds in the roster.</summary>
    public int RoundsPresent { get; init; }

    /// <summary>Updates accepted.</summary>
    public int Accepted => Reasons[(int)Rejection.None];

    /// <summary>Updates by reason of refusal, indexed by <see cref="Rejection"/>; at None those accepted.</summary>
    public IReadOnlyList<int> Reasons { get; init; } = new int[ReasonCount];

    /// <summary>Accepted samples since the last settlement.</summary>
    public long SamplesSinceSettle { get; init; }

    /// <summary>What it is to be paid for since the last settlement: accepted samples times the part of the work that was found, in sixteenths of a sample.</summary>
    public long CreditSinceSettle { get; init; }

    /// <summary>Accepted samples of which nothing can be told yet: they are credited as <see cref="WorkShare.OfAll"/> finds, claimed as
    /// <see cref="WorkShare.Unknown"/> as soon as anything is told of others, and forfeited with an update that is refused as harmful or copied.</summary>
    public long Waiting { get; init; }

    /// <summary>True once what waited has been told: from then on each round is credited at once.</summary>
    public bool IsTold { get; init; }

    /// <summary>The average of <see cref="WorkShare"/>; without meaning while <see cref="WorkCount"/> is 0.</summary>
    public double Work { get; init; }

    /// <summary>Findings of <see cref="WorkShare"/>, as far as <see cref="ProbesKept"/>.</summary>
    public int WorkCount { get; init; }

    /// <summary><see cref="ComputationIndicator.Clearness"/> of its last accepted updates that were probed, the newest first, as far as
    /// <see cref="WorkShare.Remembered"/>; an update that was refused for anything but lack of work leaves no trace here.</summary>
    public IReadOnlyList<Clearness> Clearness { get; init; } = [];

    /// <summary>Belief about its updates.</summary>
    public Rating Rating { get; init; } = Rating.Newcomer;

    /// <summary>Moving average of <see cref="ComputationIndicator"/>, −1 to 1.</summary>
    public double Indicator { get; init; }

    /// <summary>Probes made of it, as far as <see cref="ProbesKept"/>.</summary>
    public int ProbeCount { get; init; }

    /// <summary>The last probes, the newest in the lowest bit: 1 for a negative one.</summary>
    public int NegativeBits { get; init; }

    /// <summary>Relative improvements found by the last probe on assigned and on held-back samples; 0 before the first.</summary>
    public (double Assigned, double HeldBack) LastScores { get; init; }

    /// <summary>Negative probes among the last <see cref="ProbesKept"/>.</summary>
    public int NegativeCount => System.Numerics.BitOperations.PopCount((uint)NegativeBits);

    /// <summary>Negative probes without a positive one since.</summary>
    public int NegativesInRow => Math.Min(ProbeCount, System.Numerics.BitOperations.TrailingZeroCount(~(uint)NegativeBits));

    /// <summary>Adds the clearness of an accepted update's probe.</summary>
    internal PeerRecord WithClearness(in LossScore score)
    {
        var found = Gauntlet.Clearness.Of(score);
        return this with
        {
            Clearness = [found with { Errors = Math.Clamp(found.Errors, ClearnessMin, ClearnessMax) }, .. Clearness.Take(WorkShare.Remembered - 1)],
        };
    }

    /// <summary>Adds the finding of a probe.</summary>
    internal PeerRecord WithProbe(in LossScore score, bool negative) => this with
    {
        Indicator = ComputationIndicator.Average(Indicator, ComputationIndicator.Of(score)),
        ProbeCount = Math.Min(ProbeCount + 1, ProbesKept),
        NegativeBits = ((NegativeBits << 1) | (negative ? 1 : 0)) & ((1 << ProbesKept) - 1),
        LastScores = (score.Assigned.Relative, score.HeldBack.Relative),
    };

    /// <summary>Adds the outcome of a round.</summary>
    /// <param name="round">The round.</param>
    /// <param name="reason">Why it was refused, or None.</param>
    /// <param name="samples">Samples of an accepted update.</param>
    /// <param name="work">The part of the work that this round's probe found; NaN if it says nothing, and then the average counts, or
    /// <see cref="WorkShare.Unknown"/> without one.</param>
    /// <param name="all">The part of all that is remembered, by which is credited what has waited; NaN while that cannot be told.</param>
    /// <param name="waits">False where nothing will ever be found: then nothing waits, and what has waited until then is credited.</param>
    internal PeerRecord WithOutcome(Round round, Rejection reason, long samples, double work, double all, bool waits)
    {
        var (known, accepted) = (!double.IsNaN(work), reason == Rejection.None ? samples : 0);
        // Of who is told nothing waits: what is credited at once is this round, or all that waited until a vote ended the probing.
        var (atOnce, told) = (IsTold || !waits, IsTold || !double.IsNaN(all));
        var waiting = (reason is Rejection.Harmful or Rejection.Copied ? 0 : Waiting) + accepted;
        var counted = !atOnce && told ? WorkShare.Sixteenths(all) : known ? WorkShare.Sixteenths(work) : WorkCount > 0 ? WorkShare.Sixteenths(Work) : WorkShare.Unknown;
        var reasons = Reasons.ToArray();
        reasons[(int)reason]++;
        return this with
        {
            LastRound = round,
            RoundsPresent = RoundsPresent + 1,
            Reasons = reasons,
            SamplesSinceSettle = SamplesSinceSettle + accepted,
            CreditSinceSettle = CreditSinceSettle + (atOnce || told ? waiting * counted : 0),
            Waiting = atOnce || told ? 0 : waiting,
            IsTold = told,
            Work = known ? WorkShare.Average(Work, WorkCount, work) : Work,
            WorkCount = known ? Math.Min(WorkCount + 1, ProbesKept) : WorkCount,
        };
    }
}
