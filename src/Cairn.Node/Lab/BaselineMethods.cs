using Cairn.Training;

namespace Cairn.Node;

/// <summary>Data-parallel AdamW: the mean of the peers' gradients is the gradient of their joined batch, so one optimizer takes that.</summary>
internal sealed class DataParallelMethod : ILabMethod
{
    private readonly AdamWBaseline _training;
    private readonly LabSetting _setting;

    public DataParallelMethod(LabBench bench)
    {
        var (engine, setting) = (bench.Engine, bench.Setting);
        _setting = setting;
        _training = new AdamWBaseline(
            engine.Transformer, engine.Local, setting.Adam, setting.Schedule, setting.Peers * setting.Batch, setting.Shape.Context);
    }

    public long? Round(int steps, Func<int, BatchSource> batchesOf)
    {
        var part = _setting.Batch * _setting.Shape.Context;
        _training.Train(steps, (step, tokens, targets) =>
        {
            for (var peer = 0; peer < _setting.Peers; peer++)
            {
                batchesOf(peer)(step, tokens.Slice(peer * part, part), targets.Slice(peer * part, part));
            }
        });
        return _setting.Peers * steps * LabBytes.Dense(_training.Parameters.Layout.Length);
    }

    public void Dispose() => _training.Dispose();
}

/// <summary>DiLoCo, its pseudo-gradients dense in fp32 or in 8 bits.</summary>
internal sealed class DilocoMethod : ILabMethod
{
    private readonly DilocoBaseline _training;
    private readonly long _bytes;

    public DilocoMethod(LabBench bench, bool int8)
    {
        var (engine, setting, count) = (bench.Engine, bench.Setting, bench.Engine.Local.Layout.Length);
        _training = new DilocoBaseline(
            engine.Transformer, engine.Local, setting.Peers, setting.Adam, setting.Schedule, setting.Batch, setting.Shape.Context,
            transmission: int8 ? Int8Blocks.RoundTrip : null);
        _bytes = setting.Peers * (int8 ? Int8Blocks.BytesOf(count) : LabBytes.Dense(count));
    }

    public long? Round(int steps, Func<int, BatchSource> batchesOf)
    {
        _training.Round(steps, batchesOf);
        return _bytes;
    }

    public void Dispose() => _training.Dispose();
}

/// <summary>DeMo with a rate of its own: a sign step of AdamW's size would be another thing.</summary>
internal sealed class DemoMethod : ILabMethod
{
    private readonly DemoBaseline _training;
    private readonly int _peers;

    public DemoMethod(LabBench bench, double rate)
    {
        var (engine, setting) = (bench.Engine, bench.Setting);
        _peers = setting.Peers;
        _training = new DemoBaseline(
            engine.Transformer, engine.Local, setting.Peers, new DemoSettings(), setting.Schedule with { Peak = rate }, setting.Batch, setting.Shape.Context);
    }

    public long? Round(int steps, Func<int, BatchSource> batchesOf)
    {
        for (var step = 0; step < steps; step++)
        {
            var at = step;
            _training.Step(peer => (_, tokens, targets) => batchesOf(peer)(at, tokens, targets));
        }

        return _peers * steps * _training.BytesPerStep;
    }

    public void Dispose() => _training.Dispose();
}

/// <summary>What dense numbers weigh.</summary>
internal static class LabBytes
{
    /// <summary>All parameters in fp32.</summary>
    public static long Dense(long parameters) => sizeof(float) * parameters;
}
