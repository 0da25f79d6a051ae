using Cairn.Base;
using Cairn.Compute;
using Cairn.Model;
using Cairn.Training;

namespace Cairn.Bench;

/// <summary>A model, its optimizer and one batch of random tokens: what a training step is timed on.</summary>
internal sealed class TrainWorkload : IDisposable
{
    private readonly CpuKernels _kernels;
    private readonly Parameters _parameters;
    private readonly Transformer _transformer;
    private readonly OptimizerState _optimizer;
    private readonly InnerLoop _loop;
    private readonly int[] _tokens;

    public TrainWorkload(TrainShape shape, int threads, MatMulPrecision precision)
    {
        Shape = shape;
        _kernels = new CpuKernels(threads, precision);
        _parameters = Initializer.Create(new ParameterLayout(shape.Model), 1);
        _transformer = new Transformer(_parameters.Layout, _kernels, shape.Batch, shape.Length);
        _optimizer = new OptimizerState(_parameters.Layout);
        _loop = new InnerLoop(_transformer, new AdamWSettings(), new LearningRateSchedule(3e-4, 0, 1_000_000), shape.Batch, shape.Length);
        _tokens = new int[(shape.Batch * shape.Length) + 1];
        var random = new SeededRandom(1, "bench");
        for (var i = 0; i < _tokens.Length; i++)
        {
            _tokens[i] = random.NextBelow(shape.Model.Vocabulary);
        }
    }

    public TrainShape Shape { get; }

    public int TokensPerStep => Shape.Batch * Shape.Length;

    /// <summary>Loss of the last step: the checksum of the run.</summary>
    public double Loss { get; private set; }

    public void Step(int count) => Loss = _loop.Run(_parameters, _optimizer, Fill, 0, count).Losses[^1];

    private void Fill(int step, Span<int> tokens, Span<int> targets)
    {
        _tokens.AsSpan(0, tokens.Length).CopyTo(tokens);
        _tokens.AsSpan(1, tokens.Length).CopyTo(targets);
    }

    public void Dispose()
    {
        _loop.Dispose();
        _optimizer.Dispose();
        _transformer.Dispose();
        _parameters.Dispose();
        _kernels.Dispose();
    }
}

/// <summary>A model and a batch under a name.</summary>
internal sealed record TrainShape(string Name, ModelShape Model, int Batch, int Length)
{
    /// <summary>A and B are the shapes that the project's figures are stated for (untied heads); presets train 8 full contexts.</summary>
    public static TrainShape Get(string name) => name switch
    {
        "A" or "a" => new("A", new ModelShape(4096, 384, 6, 6, 6, 1024, 256, TiedHead: false), 8, 256),
        "B" or "b" => new("B", new ModelShape(8192, 512, 8, 8, 4, 1408, 512, TiedHead: false), 8, 512),
        _ => new(name, Presets.Get(name), 8, Presets.Get(name).Context),
    };
}
