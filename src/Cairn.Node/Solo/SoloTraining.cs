using System.Diagnostics;
using Cairn.Base;
using Cairn.Compute;
using Cairn.Data;
using Cairn.Model;
using Cairn.Training;

namespace Cairn.Node;

/// <summary>Ordinary training: one process, AdamW, the same model, data, order and kernels as a swarm. The centralised baseline, and a useful thing in itself.</summary>
public static class SoloTraining
{
    private const int ReportEvery = 15;
    private const int SaveEvery = 150;
    private const int ProgressSamples = 64;

    /// <summary>Trains until the steps are taken or it is told to stop; then writes the checkpoint.</summary>
    /// <param name="options">Validated.</param>
    /// <param name="prepare">Told what is being prepared.</param>
    /// <param name="watch">Told the progress.</param>
    /// <param name="cancellation">Stops after the step; the state is kept.</param>
    public static SoloReport Run(SoloOptions options, Action<string> prepare, Action<SoloProgress> watch, CancellationToken cancellation)
    {
        var directory = new RunDirectory(options.Directory);
        var statePath = Path.Combine(directory.Root, "state.bin");
        using var held = directory.Lock();
        if (options.Resume != File.Exists(statePath))
        {
            throw new InputException(options.Resume
                ? $"{directory.Root} holds no training to go on with: leave out --resume."
                : $"{directory.Root} already holds a training: go on with it by --resume, or choose another --dir.");
        }

        var shape = Presets.Get(options.Preset);
        using var data = options.Resume ? DataSet.Open(directory.Data) : Begin(options, directory, shape, prepare);
        shape = shape with { Vocabulary = data.Tokenizer.VocabularySize };
        using var session = new SoloSession(options, shape, data, statePath);
        return session.Train(watch, cancellation, Path.Combine(directory.Root, "checkpoint"));
    }

    // What goes on has its data beside it, and nothing is built anew in their place.
    private static DataSet Begin(SoloOptions options, RunDirectory directory, ModelShape shape, Action<string> prepare)
    {
        SoloOptionsFile.Write(options);
        return DataSet.Prepare(
            new DataSetOptions
            {
                Corpus = new CorpusOptions { Paths = options.Data, JsonField = options.TextField },
                VocabularySize = shape.Vocabulary,
            },
            directory.Data, new StepsTold(prepare));
    }

    private sealed class StepsTold(Action<string> tell) : IProgress<string>
    {
        public void Report(string value) => tell(value);
    }

    private sealed class SoloSession : IDisposable
    {
        private readonly SoloOptions _options;
        private readonly DataSet _data;
        private readonly string _statePath;
        private readonly int _batch;
        private readonly int _length;
        private readonly Engine _engine;
        private readonly AdamWBaseline _training;
        private readonly EpochOrder _order;
        private readonly Digest _settings;
        private readonly HeldOutSet _heldOut;

        public SoloSession(SoloOptions options, ModelShape shape, DataSet data, string statePath)
        {
            (_options, _data, _statePath, _length) = (options, data, statePath, shape.Context);
            var preset = SwarmPreset.Of(options.Preset);
            _batch = options.Batch ?? (4 * preset.Batch);
            var layout = new ParameterLayout(shape);
            var rate = options.Rate ?? preset.PeakRate;
            var warmUp = Math.Min(preset.WarmUpSteps, Math.Max(1, options.Steps / 10));
            var schedule = new LearningRateSchedule(rate, warmUp, Math.Max(1, options.Steps - warmUp));
            var settings = new AdamWSettings();
            _engine = new Engine(layout, settings, schedule, _batch, options.Threads, options.Precision == "bf16" ? MatMulPrecision.Bf16 : MatMulPrecision.Fp32);
            Initializer.Fill(_engine.Local, options.Seed);
            _training = new AdamWBaseline(_engine.Transformer, _engine.Local, settings, schedule, _batch, _length);
            _order = new EpochOrder(data.SampleCount(_length), options.Seed);
            _heldOut = new HeldOutSet(data, _length);
            _settings = Digest.Of("cairn/solo", System.Text.Encoding.UTF8.GetBytes(
                $"{shape}|{options.Steps}|{_batch}|{rate:R}|{warmUp}|{options.Seed}|{options.Precision}|{data.Digest}"));
            if (options.Resume)
            {
                Load();
            }
        }

        public SoloReport Train(Action<SoloProgress> watch, CancellationToken cancellation, string checkpoint)
        {
            HeldOutLoss initial;
            using (var begin = Initializer.Create(_engine.Local.Layout, _options.Seed))
            {
                initial = _heldOut.Measure(_engine, begin, Swarm.FinalSamples);
            }

            var clock = Stopwatch.StartNew();
            while (_training.StepsTaken < _options.Steps && !cancellation.IsCancellationRequested)
            {
                var first = _training.StepsTaken;
                var count = (int)Math.Min(ReportEvery, _options.Steps - first);
                clock.Restart();
                var result = _training.Train(count, (step, tokens, targets) => Fill(first + step, tokens, targets), () => cancellation.IsCancellationRequested);
                var speed = (long)result.Losses.Length * _batch * _length / clock.Elapsed.TotalSeconds;
                if (result.Losses.Length > 0)
                {
                    var now = _heldOut.Measure(_engine, _engine.Local, ProgressSamples);
                    watch(new SoloProgress((int)_training.StepsTaken, _options.Steps, Tokens, result.Losses[^1], now.Loss, now.BitsPerByte, speed));
                }

                if (_training.StepsTaken % SaveEvery == 0)
                {
                    Save();
                }
            }

            Save();
            return Conclude(initial, checkpoint);
        }

        public void Dispose()
        {
            _training.Dispose();
            _engine.Dispose();
        }

        private long Tokens => _training.StepsTaken * _batch * _length;

        private SoloReport Conclude(HeldOutLoss initial, string checkpoint)
        {
            var final = _heldOut.Measure(_engine, _engine.Local, Swarm.FinalSamples);
            CheckpointFolder.Save(checkpoint, _engine.Local, _data.Tokenizer);
            return new SoloReport(
                (int)_training.StepsTaken, _training.StepsTaken == _options.Steps, Tokens, initial.Loss, final.Loss,
                initial.BitsPerByte, final.BitsPerByte, _engine.Local.Digest().ToString(), checkpoint);
        }

        private void Fill(long step, Span<int> tokens, Span<int> targets)
        {
            for (var i = 0; i < _batch; i++)
            {
                _data.CopySample(_order.At((step * _batch) + i), _length, tokens.Slice(i * _length, _length), targets.Slice(i * _length, _length));
            }
        }

        private List<FloatBuffer> Sections => [_engine.Local.Buffer, _training.Optimizer.Moment1, _training.Optimizer.Moment2];

        private void Save() => ReplicaStateFile.Write(
            _statePath, new StateHeader(_settings, new Round((int)_training.StepsTaken), Digest.Zero, _training.Optimizer.Steps), Sections, [], flush: true);

        private void Load()
        {
            if (ReplicaStateFile.TryRead(_statePath, Sections) is not { } state)
            {
                throw new InputException($"{_statePath} is damaged or of another model: restore it from a copy, or begin anew in another --dir.");
            }

            if (state.Header.Rules != _settings)
            {
                throw new InputException(
                    $"{_statePath} was made with other options (preset, steps, batch, rate, seed or data): give the same ones, or begin anew in another --dir.");
            }

            _training.StepsTaken = state.Header.Next.Number;
            _training.Optimizer.RestoreSteps(state.Header.OptimizerSteps);
        }
    }
}
