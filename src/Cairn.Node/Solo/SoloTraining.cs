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

    /// <summary>Trains until the steps are taken or it is told to stop; then writes the checkpoint. The curve so far lies in <see cref="BaselineFile"/>.</summary>
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

        if (!options.Resume)
        {
            SoloOptionsFile.Write(options);
        }
        else if (SoloOptionsFile.Read(options.Directory) is { } kept)
        {
            RefuseOthers(options, kept);
        }

        var (plan, data) = Open(options, directory, prepare);
        using var owned = data;
        using var session = new SoloSession(options, plan, data, statePath);
        return session.Train(watch, cancellation, Path.Combine(directory.Root, "checkpoint"));
    }

    // Text is never prepared anew, and what is taken from a run never given: both would be passed by in silence. The key of the plan tells all others apart.
    private static void RefuseOthers(SoloOptions options, SoloOptions kept)
    {
        static string Whole(string path) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        var (like, before) = (options.Like is { } run ? Whole(run) : null, kept.Like is { } other ? Whole(other) : null);
        var ofTheRun = before is not null;
        (bool Differs, string Name)[] all =
        [
            (like != before, "--like"),
            (!options.Data.Select(Whole).SequenceEqual(kept.Data.Select(Whole)), "--data"),
            (options.TextField != kept.TextField, "--text-field"),
            (ofTheRun && options.Preset != kept.Preset, "--preset"),
            (ofTheRun && options.Batch != kept.Batch, "--batch"),
            (ofTheRun && options.Seed != kept.Seed, "--seed"),
        ];
        var differ = all.Where(one => one.Differs).Select(one => one.Name).ToList();
        if (differ.Count > 0)
        {
            throw new InputException(
                $"{options.Directory} holds a training that was begun with other {string.Join(", ", differ)}: leave that out, or begin anew in another --dir.");
        }
    }

    private static (SoloPlan Plan, DataSet Data) Open(SoloOptions options, RunDirectory directory, Action<string> prepare)
    {
        if (options.Like is { } like)
        {
            var run = new RunDirectory(like);
            var rules = RunSetup.ReadRules(run);
            return (SoloPlan.Like(options, rules), Swarm.DataOf(run, rules));
        }

        // What goes on has its data beside it, and nothing is built anew in their place.
        var data = options.Resume ? DataSet.Open(directory.Data) : DataSet.Prepare(
            new DataSetOptions
            {
                Corpus = new CorpusOptions { Paths = options.Data, JsonField = options.TextField },
                VocabularySize = Presets.Get(options.Preset).Vocabulary,
            },
            directory.Data, new StepsTold(prepare));
        return (SoloPlan.Of(options, data), data);
    }

    private sealed class StepsTold(Action<string> tell) : IProgress<string>
    {
        public void Report(string value) => tell(value);
    }

    private sealed class SoloSession : IDisposable
    {
        private readonly SoloPlan _plan;
        private readonly DataSet _data;
        private readonly string _statePath;
        private readonly int _length;
        private readonly Engine _engine;
        private readonly AdamWBaseline _training;
        private readonly HeldOutSet _heldOut;
        private readonly List<CurvePoint> _curve = [];

        public SoloSession(SoloOptions options, SoloPlan plan, DataSet data, string statePath)
        {
            (_plan, _data, _statePath, _length) = (plan, data, statePath, plan.Shape.Context);
            var precision = options.Precision == "bf16" ? MatMulPrecision.Bf16 : MatMulPrecision.Fp32;
            _engine = new Engine(new ParameterLayout(plan.Shape), plan.Adam, plan.Schedule, plan.Batch, options.Threads, precision);
            Initializer.Fill(_engine.Local, plan.Seed);
            _training = new AdamWBaseline(_engine.Transformer, _engine.Local, plan.Adam, plan.Schedule, plan.Batch, _length);
            _heldOut = new HeldOutSet(data, _length);
            if (options.Resume)
            {
                Load();
            }
        }

        public SoloReport Train(Action<SoloProgress> watch, CancellationToken cancellation, string checkpoint)
        {
            HeldOutLoss initial;
            using (var begin = Initializer.Create(_engine.Local.Layout, _plan.Seed))
            {
                initial = _heldOut.Measure(_engine, begin, Swarm.FinalSamples);
                if (_curve.Count == 0)
                {
                    _curve.Add(new CurvePoint(0, _heldOut.Measure(_engine, begin, Swarm.CurveSamples).Loss));
                }
            }

            var clock = Stopwatch.StartNew();
            while (_training.StepsTaken < _plan.Steps && !cancellation.IsCancellationRequested)
            {
                var first = _training.StepsTaken;
                var count = (int)Math.Min(ReportEvery, _plan.Steps - first);
                clock.Restart();
                var result = _training.Train(count, (step, tokens, targets) => Fill(first + step, tokens, targets), () => cancellation.IsCancellationRequested);
                var speed = (long)result.Losses.Length * _plan.Batch * _length / clock.Elapsed.TotalSeconds;
                if (result.Losses.Length > 0)
                {
                    var now = _heldOut.Measure(_engine, _engine.Local, Swarm.CurveSamples);
                    _curve.Add(new CurvePoint(Tokens, now.Loss));
                    watch(new SoloProgress((int)_training.StepsTaken, _plan.Steps, Tokens, result.Losses[^1], now.Loss, now.BitsPerByte, speed));
                }

                if (_training.StepsTaken % SaveEvery == 0)
                {
                    Save(Swarm.CurveSamples);
                }
            }

            return Conclude(initial, Save(Swarm.FinalSamples), checkpoint);
        }

        public void Dispose()
        {
            _training.Dispose();
            _engine.Dispose();
        }

        private long Tokens => _training.StepsTaken * _plan.Batch * _length;

        private SoloReport Conclude(HeldOutLoss initial, HeldOutLoss final, string checkpoint)
        {
            CheckpointFolder.Save(checkpoint, _engine.Local, _data.Tokenizer);
            return new SoloReport(
                (int)_training.StepsTaken, _training.StepsTaken == _plan.Steps, Tokens, initial.Loss, final.Loss,
                initial.BitsPerByte, final.BitsPerByte, _engine.Local.Digest().ToString(), checkpoint);
        }

        private void Fill(long step, Span<int> tokens, Span<int> targets)
        {
            for (var i = 0; i < _plan.Batch; i++)
            {
                _data.CopySample(_plan.Order.At((step * _plan.Batch) + i), _length, tokens.Slice(i * _length, _length), targets.Slice(i * _length, _length));
            }
        }

        private List<FloatBuffer> Sections => [_engine.Local.Buffer, _training.Optimizer.Moment1, _training.Optimizer.Moment2];

        private string CurvePath => Path.Combine(Path.GetDirectoryName(_statePath)!, BaselineFile.Name);

        // The curve first: one that is ahead of the state is cut to it when the training goes on.
        private HeldOutLoss Save(int samples)
        {
            var now = _heldOut.Measure(_engine, _engine.Local, samples);
            BaselineFile.Write(CurvePath, new TrainingCurve(
                $"AdamW, one process, rate {_plan.Schedule.Peak:0.#####}", now.Loss, now.BitsPerByte, 0, _curve,
                SampleText.Of(_data.Tokenizer, _engine, _engine.Local), _data.Digest.ToString()));
            ReplicaStateFile.Write(
                _statePath, new StateHeader(_plan.Key, new Round((int)_training.StepsTaken), Digest.Zero, _training.Optimizer.Steps), Sections, [], flush: true);
            return now;
        }

        private void Load()
        {
            if (ReplicaStateFile.TryRead(_statePath, Sections) is not { } state)
            {
                throw new InputException($"{_statePath} is damaged or of another model: restore it from a copy, or begin anew in another --dir.");
            }

            if (state.Header.Rules != _plan.Key)
            {
                throw new InputException(
                    $"{_statePath} was made with other options (preset, steps, batch, rate, seed or data): give the same ones, or begin anew in another --dir.");
            }

            _training.StepsTaken = state.Header.Next.Number;
            _training.Optimizer.RestoreSteps(state.Header.OptimizerSteps);
            _curve.AddRange(BaselineFile.Read(CurvePath)?.Curve.TakeWhile(point => point.Tokens <= Tokens) ?? []);
        }
    }
}
