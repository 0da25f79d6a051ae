using System.Diagnostics;
using Cairn.Base;
using Cairn.Data;
using Cairn.Formats;
using Cairn.Ledger;
using Cairn.Model;
using Cairn.Protocol;
using Cairn.Sparse;
using Cairn.Training;

namespace Cairn.Node;

/// <summary>Creates a run on this machine: data, rules, keys, genesis. The ledger is written last, so that a half-created run is no run.</summary>
internal static class RunCreator
{
    // As much as a settlement pays; a newcomer is established with a tenth of it, so that probation takes settlements and a cut costs something.
    internal const long GenesisBond = 1_000_000_000;

    // Updates are kept for longer than that, so that a node can come back from the state of the last settlement.
    private const int SettleEvery = 5;

    private const int CalibrationSteps = 16;

    // Published models name contexts that no peer trains on.
    private const int FromContextMax = 2048;
    private const int NameCharactersMax = 40;

    // What a round takes besides training: checks, probes, applying, evaluation; and what a run takes besides its rounds.
    private const double RoundOverhead = 1.25;
    private const double FixedSeconds = 4;

    public static RunRules Create(
        RunDirectory directory, SwarmOptions options, bool forStrangers, Action<string> prepare, Action<byte[]> publish, Action<Genesis> order)
    {
        var taken = options.From is { } model ? InitialParameters.Take(directory, model, FromContextMax) : ((ModelShape Shape, Digest Base, string Tokenizer)?)null;
        var shape = taken?.Shape ?? Presets.Get(options.Preset);
        CheckMemory(options, shape);
        if (shape.ParameterCount >= int.MaxValue)
        {
            // A replica's parameters are one buffer.
            throw new InputException(
                $"a model of {shape.ParameterCount:N0} parameters is too large for this version, which runs fewer than {int.MaxValue:N0}: " +
                "choose a smaller --preset.");
        }

        using var data = DataSet.Prepare(
            new DataSetOptions
            {
                Corpus = new CorpusOptions { Paths = options.Data, JsonField = options.TextField },
                VocabularySize = shape.Vocabulary,
                TokenizerPath = taken?.Tokenizer,
            },
            directory.Data, new Steps(prepare));

        // A model that was brought may have more rows in its embedding than its tokenizer has ids; a new one has as many.
        shape = taken is null ? shape with { Vocabulary = data.Tokenizer.VocabularySize } : shape;
        var preset = SwarmPreset.Of(taken is null ? options.Preset : "");
        var layout = new ParameterLayout(shape);
        using var initial = new Parameters(layout);
        if (taken is null)
        {
            Initializer.Fill(initial, options.Seed);
        }
        else
        {
            BaseFile.Read(InitialParameters.PathOf(directory), initial);
        }

        var training = new TrainingRules(
            options.InnerSteps ?? preset.InnerSteps, options.Batch ?? preset.Batch, preset.PeakRate, preset.WarmUpSteps, 0.1, 0.9, 0.95, 1e-8, 0.1, 1.0);
        var places = options.Places ?? options.Peers;
        var probes = ProbesOf(options, places, (long)training.InnerSteps * training.Batch);
        var rounds = options.Rounds ?? Calibrate(options, layout, initial, training, data, prepare);
        var rules = new RunRules(
            RunRules.CurrentVersion, Path.GetFileName(directory.Root), options.Seed, places,
            new ModelRules(
                NameOf(options), shape.Vocabulary, shape.Dim, shape.Layers, shape.Heads, shape.KvHeads, shape.FeedForward, shape.Context,
                shape.RopeTheta, shape.NormEpsilon, shape.TiedHead, layout.Length, initial.Digest(), shape.HeadWidth, RopeOf(shape.RopeScaling),
                FromModel: taken is not null),
            new DataRules(data.Digest, data.Tokenizer.Digest, data.SampleCount(shape.Context), data.HeldOut.SampleCount(shape.Context)),
            training with { WarmUpSteps = Math.Min(training.WarmUpSteps, Math.Max(1, rounds * training.InnerSteps / 10)) },
            new SparseRules(
                preset.ErrorDecay, options.OuterRate ?? preset.OuterRate, options.Combination, ToleratedOf(options), ClipToMedianNorm: true, ChunkGrid.PublishedKeep,
                options.Quantization, options.Coding),
            new RoundRules(
                rounds, SettleEvery, options.ApplyDelay, probes.Peers, probes.Sequences, ProbeStep: 0.2, OverlapPerMille: 400,
                RetainedRounds: SettleEvery + 3, options.StageSeconds ?? StageSecondsMax(training, shape, options.Peers)),
            MoneyRules.Default with { PeerBondMin = GenesisBond / 10, ValidatorBondMin = GenesisBond / 10 },
            Annealing.Of(options, data.AnnealSampleCount(shape.Context), rounds, training.InnerSteps));
        if (rules.Anneal is { } anneal)
        {
            prepare($"the last {rounds - anneal.FromStep} of {rounds} rounds anneal: {anneal}");
        }

        var faults = rules.Faults();
        if (faults.Count > 0)
        {
            throw new InputException($"this run cannot be begun: {string.Join("; ", faults)}.");
        }

        // The ledger makes the run: what is to be there for others is there before it.
        publish(RunRulesFile.Write(rules));
        WriteLedger(directory, options.Peers, options.Validators, rules, forStrangers, order);
        return rules;
    }

    /// <summary>The names of the nodes of a local swarm, peers first: the order of their uids.</summary>
    public static IEnumerable<(string Name, Role Role)> NodesOf(int peers, int validators) =>
        Enumerable.Range(1, peers).Select(i => ($"peer-{i}", Role.Peer))
            .Concat(Enumerable.Range(1, validators).Select(i => ($"validator-{i}", Role.Validator)));

    /// <summary>The secret from which a validator's hash chain begins. In a run that strangers join it was drawn at random; where there is no file, in a swarm of one
    /// process, all nodes are one person's: there it follows from the seed, and the same seed gives the same probes.</summary>
    /// <exception cref="InputException">The file is damaged, or open to others.</exception>
    public static Digest BeaconSecret(RunDirectory directory, RunRules rules, string name)
    {
        var path = BeaconFile(directory, name);
        if (!File.Exists(path))
        {
            return Digest.Of("cairn/swarm/beacon", [.. BitConverter.GetBytes(rules.Seed), .. System.Text.Encoding.UTF8.GetBytes(name)]);
        }

        var bytes = SecretFile.ReadOrCreate(path, () => []);
        return bytes.Length == Digest.Size ? new Digest(bytes) : throw new InputException($"{path} is damaged: restore it from a copy.");
    }

    private static string BeaconFile(RunDirectory directory, string name) => Path.Combine(directory.Node(name), "beacon.key");

    // What people call the shape: a preset, or the model that it is from.
    private static string NameOf(SwarmOptions options)
    {
        var name = options.From is null ? options.Preset.ToLowerInvariant() : Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.From)));
        return name[..Math.Min(name.Length, NameCharactersMax)];
    }

    private static RopeRules? RopeOf(RopeScaling? scaling) => scaling is null ? null
        : new RopeRules(scaling.Factor, scaling.Llama3?.LowFrequency ?? 0, scaling.Llama3?.HighFrequency ?? 0, scaling.Llama3?.OriginalContext ?? 0);

    // Progress<T> would post to another thread and lose the order.
    private sealed class Steps(Action<string> tell) : IProgress<string>
    {
        public void Report(string value) => tell(value);
    }

    private static ProbeBudget ProbesOf(SwarmOptions options, int places, long samplesPerPeer)
    {
        var affordable = ProbeBudget.Of(places, samplesPerPeer, options.ApplyDelay);
        return new ProbeBudget(Math.Min(options.Probes ?? affordable.Peers, places), options.ProbeSequences ?? affordable.Sequences);
    }

    private static int ToleratedOf(SwarmOptions options) =>
        options.Tolerated ?? (options.Combination is Combination.Support or Combination.TrimmedMean ? Math.Max(1, options.Peers / 4) : 0);

    /// <summary>Writes rules, keys and the ledger's first block.</summary>
    public static void WriteLedger(RunDirectory directory, int peers, int validators, RunRules rules, bool forStrangers, Action<Genesis> order)
    {
        var members = new List<GenesisMember>();
        foreach (var (name, role) in NodesOf(peers, validators))
        {
            using var key = directory.OpenKey(name);
            if (forStrangers && role == Role.Validator)
            {
                SecretFile.ReadOrCreate(BeaconFile(directory, name), () => System.Security.Cryptography.RandomNumberGenerator.GetBytes(Digest.Size));
            }

            var tip = role == Role.Validator ? BeaconChain.Tip(BeaconSecret(directory, rules, name), rules.Round.Rounds) : Digest.Zero;
            members.Add(new GenesisMember(role, name, key.Public, GenesisBond, tip));
        }

        DurableFile.Write(directory.Rules, RunRulesFile.Write(rules));
        File.Delete(directory.Ledger);
        var genesis = new Genesis { RulesDigest = rules.ComputeDigest(), Rules = rules.ToLedgerRules(), InitialBase = rules.Model.InitialBase, Members = members };
        order(genesis);
        using var ledger = EmbeddedLedger.Create(directory.Ledger, genesis);
    }

    // Known before the first byte of text is read: better one sentence now than a machine that swaps, or a killed process, later.
    private static void CheckMemory(SwarmOptions options, ModelShape shape)
    {
        var perPeer = NodeNeeds.ModelsOf(Role.Peer, options.ApplyDelay);
        const int PerEngine = 2; // working copy, gradients; activations come on top
        var models = (perPeer * (long)options.Peers) + options.Validators + (PerEngine * (long)Math.Min(options.Threads, options.Peers));
        var (needed, there) = (models * sizeof(float) * (double)shape.ParameterCount, (double)GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        if (needed > there)
        {
            throw new InputException(
                $"{options.Peers} peers of {NameOf(options)} take at least {needed / 1e9:N1} GB of memory, this machine has {there / 1e9:N1} GB: " +
                "choose a smaller --preset or fewer --peers.");
        }
    }

    // What the slowest machine may take for the round of all peers, one after another: in a local swarm a deadline is for what hangs, not for what is slow.
    private static int StageSecondsMax(TrainingRules training, ModelShape shape, int peers)
    {
        const double SlowestFlopsPerSecond = 1e9;
        const int Month = 30 * 24 * 3600;
        var flops = (double)peers * training.InnerSteps * training.Batch * shape.Context * shape.FlopsPerToken(shape.Context);
        return (int)Math.Clamp(flops / SlowestFlopsPerSecond, 600, Month);
    }

    // How many rounds fit into the wanted minutes on this machine, from a few real inner steps of all engines at once.
    private static int Calibrate(
        SwarmOptions options, ParameterLayout layout, Parameters initial, TrainingRules training, DataSet data, Action<string> prepare)
    {
        var users = Math.Min(options.Threads, options.Peers);
        var schedule = new LearningRateSchedule(training.PeakRate, 1, 1);
        var seconds = new double[users];
        Parallel.For(0, users, new ParallelOptions { MaxDegreeOfParallelism = users }, i =>
        {
            using var engine = new Engine(layout, RunContext.AdamOf(training), schedule, training.Batch, Math.Max(1, options.Threads / users));
            using var optimizer = new OptimizerState(layout);
            engine.Local.CopyFrom(initial);
            var length = layout.Shape.Context;
            void Fill(int step, Span<int> tokens, Span<int> targets)
            {
                for (var s = 0; s < training.Batch; s++)
                {
                    data.CopySample(0, length, tokens.Slice(s * length, length), targets.Slice(s * length, length));
                }
            }

            var (clock, times) = (Stopwatch.StartNew(), new List<double>());
            engine.InnerLoop.Run(engine.Local, optimizer, Fill, 0, CalibrationSteps, null, _ =>
            {
                times.Add(clock.Elapsed.TotalSeconds);
                clock.Restart();
            });

            // The lower quartile: what a step takes once warm, when nobody else wants the processor.
            times.Sort();
            seconds[i] = times[times.Count / 4];
        });
        var waves = (options.Peers + users - 1) / users;
        var round = waves * training.InnerSteps * seconds.Max() * RoundOverhead;
        var rounds = Math.Max(1, (int)(((options.Minutes * 60) - FixedSeconds) / round));
        prepare($"one round takes about {round:F1} s here: {rounds} rounds for {options.Minutes:0.##} minutes");
        return rounds;
    }
}
