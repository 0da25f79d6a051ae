using Cairn.Base;
using Cairn.Data;
using Cairn.Exchange;
using Cairn.Ledger;
using Cairn.Ledger.Evm;
using Cairn.Model;
using Cairn.Protocol;
using Cairn.Sparse;
using Cairn.Training;

namespace Cairn.Node;

/// <summary>What all nodes of one process share about a run: the rules and everything that follows from them, the data, the store, the log.</summary>
internal sealed class RunContext : IDisposable
{
    // Of small updates, which wait in memory; large ones are in files, for which NodeNeeds asks.
    private const long HeldInMemoryMax = 4L << 30;
    private const int OpenedAtOnce = 1;
    private readonly Lazy<EnginePool> _engines;

    public RunContext(RunDirectory directory, RunRules rules, DataSet data, EventLog log, int threads, int users, Spool? spool = null)
    {
        (Directory, Rules, Data, Log) = (directory, rules, data, log);
        RulesDigest = rules.ComputeDigest();
        RulesBook = new RulesBook(rules);
        Layout = new ParameterLayout(ShapeOf(rules.Model));
        Grid = GridOf(Layout, rules.Sparse.Keep);
        Codec = new SparseUpdateCodec(Grid, new UpdateFormat((QuantizerKind)rules.Sparse.Quantization, (WireMode)rules.Sparse.Coding));
        Stores = RunStores.One(new DirectoryStore(directory.Store));
        Spool = spool ?? new Spool(directory.Spool);
        Held = new HeldUpdates(Spool, HeldBytesMax);
        Opened = new OpenedUpdates(Spool, HeldBytesMax);
        Copies = new OwnCopies(this);
        HeldOut = new HeldOutSet(data, rules.Model.Context);
        Schedule = ScheduleOf(rules);
        Adam = AdamOf(rules.Training);
        _engines = new Lazy<EnginePool>(() => new EnginePool(
            share => new Engine(Layout, Adam, Schedule, rules.Training.Batch, share), threads, users));
    }

    // Updates of the round that was applied last, of the one that is being closed, and with an apply delay of the one after it.
    private long HeldBytesMax
    {
        get
        {
            var all = 3L * Rules.PeersMax * ObjectBytesMax;
            return Spool.IsForFiles(ObjectBytesMax) ? all : Math.Min(HeldInMemoryMax, all);
        }
    }

    public RunDirectory Directory { get; }

    /// <summary>Those that the run began with: right for everything that no vote can change.</summary>
    public RunRules Rules { get; }

    /// <summary>What votes can change, by round; follows the ledger.</summary>
    public RulesBook RulesBook { get; }

    public Digest RulesDigest { get; }

    public ParameterLayout Layout { get; }

    public ChunkGrid Grid { get; }

    public SparseUpdateCodec Codec { get; }

    public DataSet Data { get; }

    public RunStores Stores { get; init; }

    /// <summary>Where that waits which grows with the model.</summary>
    public Spool Spool { get; }

    /// <summary>The turns of those that open updates.</summary>
    public SemaphoreSlim Opening { get; } = new(OpenedAtOnce);

    /// <summary>What was fetched from other stores and is still needed.</summary>
    public HeldUpdates Held { get; }

    /// <summary>What of it was opened ahead of its use.</summary>
    public OpenedUpdates Opened { get; }

    /// <summary>What of it is put into the own store, as a validator does.</summary>
    public OwnCopies Copies { get; }

    /// <summary>Which stores have said nothing lately.</summary>
    public Silences Silences { get; } = new();

    /// <summary>The clock of the waits for a store that does not answer.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>What orders the ledger, if it is not the ledger's file itself.</summary>
    public EvmLedger? Chain { get; init; }

    public HeldOutSet HeldOut { get; }

    public EventLog Log { get; }

    /// <summary>Made when first asked for: who only exchanges updates has none.</summary>
    public EnginePool Engines => _engines.Value;

    public LearningRateSchedule Schedule { get; }

    public AdamWSettings Adam { get; }

    public Aggregation Aggregation =>
        new((AggregationRule)Rules.Sparse.Combination, Rules.Sparse.ClipToMedianNorm, Rules.Sparse.Tolerated);

    /// <summary>The most that an update object of the run can take: nothing longer is fetched.</summary>
    public long ObjectBytesMax => Envelope.SealedSize(Codec.BytesMax);

    /// <summary>Rounds for which the means are kept after their updates are gone: how far behind a node may come back.</summary>
    public int DeltasRetained => RunRules.RetainedMeansPerUpdate * Rules.Round.RetainedRounds;

    public static ModelShape ShapeOf(ModelRules m) => new(
        m.Vocabulary, m.Dim, m.Layers, m.Heads, m.KvHeads, m.FeedForward, m.Context, m.RopeTheta, (float)m.NormEpsilon, m.TiedHead, m.HeadWidth,
        m.RopeScaling is not { } rope ? null
            : new RopeScaling(rope.Factor, rope.HighFrequency == 0 ? null : new RopeBlend(rope.LowFrequency, rope.HighFrequency, rope.OriginalContext)));

    public static AdamWSettings AdamOf(TrainingRules t) => new(t.Beta1, t.Beta2, t.Epsilon, t.WeightDecay, t.ClipNorm);

    /// <summary>The learning rate of every inner step. Where the annealing has a rate of its own, the cosine ends where it begins.</summary>
    public static LearningRateSchedule ScheduleOf(RunRules rules)
    {
        var (training, total) = (rules.Training, (long)rules.InnerStepsTotal);
        if (rules.Anneal is not { PeakFraction: > 0 } anneal)
        {
            return Until(total);
        }

        var start = (long)training.InnerSteps * anneal.FromStep;
        return Until(start) with
        {
            AnnealStart = start,
            AnnealWarmupSteps = anneal.WarmUpSteps,
            AnnealDecaySteps = total - start - anneal.WarmUpSteps,
            AnnealPeakFactor = anneal.PeakFraction,
        };

        LearningRateSchedule Until(long end) => new(training.PeakRate, training.WarmUpSteps, Math.Max(1, end - training.WarmUpSteps), training.FloorFraction);
    }

    public static ChunkGrid GridOf(ParameterLayout layout, int keep = ChunkGrid.PublishedKeep) =>
        new([.. layout.Tensors.Select(t => new TensorSpec(t.Name, t.Rows, t.Columns, t.Offset))], keep);

    /// <summary>Copies consecutive samples of a list into a batch.</summary>
    public void FillBatch(IReadOnlyList<long> samples, int first, int count, Span<int> tokens, Span<int> targets)
    {
        var length = Rules.Model.Context;
        for (var i = 0; i < count; i++)
        {
            Data.CopySample(samples[first + i], length, tokens.Slice(i * length, length), targets.Slice(i * length, length));
        }
    }

    /// <summary>Replays the run's ledger from its first block, every signature verified.</summary>
    /// <exception cref="InputException">It is damaged, or belongs to other rules.</exception>
    public LedgerState ReplayLedger()
    {
        using var ledger = EmbeddedLedger.Open(Directory.Ledger);
        return ledger.Genesis.RulesDigest == RulesDigest
            ? LedgerHistory.Replay(ledger).State
            : throw new InputException($"{Directory.Ledger} belongs to other rules than {Directory.Rules}: restore both from one copy of the run.");
    }

    public void Dispose()
    {
        if (_engines.IsValueCreated)
        {
            _engines.Value.Dispose();
        }

        Copies.Dispose();
        Opened.Dispose();
        Held.Dispose();
        Opening.Dispose();
        Stores.Dispose();
        Data.Dispose();
    }
}
