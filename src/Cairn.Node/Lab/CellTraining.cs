using System.Diagnostics;
using Cairn.Data;
using Cairn.Model;
using Cairn.Training;

namespace Cairn.Node;

/// <summary>Computes one cell from its first step to its last, on one thread: the same cell gives the same bits, whatever runs beside it.</summary>
internal static class CellTraining
{
    private const int Points = 10;

    /// <summary>Trains and measures.</summary>
    /// <param name="setting">What all cells share.</param>
    /// <param name="cell">Which one.</param>
    /// <param name="data">Read by several cells at once.</param>
    /// <param name="cancellation">Gives the cell up; it begins anew another time.</param>
    public static CellResult Run(LabSetting setting, LabCell cell, DataSet data, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        var batch = cell.Method.JoinsBatches ? setting.Peers * setting.Batch : setting.Batch;
        using var engine = new Engine(new ParameterLayout(setting.Shape), setting.Adam, setting.Schedule, batch, threads: 1);
        Initializer.Fill(engine.Local, cell.Seed);
        using var method = cell.Method.Create(new LabBench(engine, setting));
        var heldOut = new HeldOutSet(data, setting.Shape.Context);
        var samples = new PeerSamples(data, setting, cell.Seed, cancellation);
        var curve = new List<CurvePoint> { new(0, heldOut.Measure(engine, engine.Local, LabSetting.CurveSamples).Loss) };
        var (rounds, bytes, diverged) = (setting.Steps / cell.InnerSteps, 0L, false);
        var stride = Math.Max(1, rounds / Points);
        for (var round = 0; round < rounds && !diverged; round++)
        {
            var first = (long)round * cell.InnerSteps;
            var sent = method.Round(cell.InnerSteps, peer => samples.Of(peer, first));
            (bytes, diverged) = (bytes + (sent ?? 0), sent is null);
            if ((round + 1) % stride == 0 && !diverged)
            {
                var tokens = (first + cell.InnerSteps) * setting.Tokens / setting.Steps;
                curve.Add(new CurvePoint(tokens, heldOut.Measure(engine, engine.Local, LabSetting.CurveSamples).Loss));
            }
        }

        var final = diverged ? new HeldOutLoss(double.NaN, double.NaN) : heldOut.Measure(engine, engine.Local, LabSetting.FinalSamples);
        return new CellResult(
            setting.KeyOf(cell), cell.Method.Name, cell.H, cell.Seed, rounds, final.Loss, final.BitsPerByte, (double)bytes / setting.Peers, curve,
            engine.Local.Digest().ToString(), clock.Elapsed.TotalSeconds);
    }
}

/// <summary>Which samples a peer trains on at which inner step: the same ones in every cell of a seed, whatever its method and H.</summary>
/// <remarks>Step t of peer p takes the batch at place (t · peers + p) of the epoch's order. So all cells have trained on the same samples after the same
/// number of steps, and the joined batches of all peers are those of data-parallel training.</remarks>
internal sealed class PeerSamples(DataSet data, LabSetting setting, ulong seed, CancellationToken cancellation)
{
    private readonly EpochOrder _order = new(data.SampleCount(setting.Shape.Context), seed);

    /// <summary>The batches of a peer.</summary>
    /// <param name="peer">0 to the number of peers − 1.</param>
    /// <param name="firstStep">The inner step of the cell that step 0 of the batches is.</param>
    public BatchSource Of(int peer, long firstStep) => (step, tokens, targets) =>
    {
        // The one place that every method comes by at every step.
        cancellation.ThrowIfCancellationRequested();
        var (length, first) = (setting.Shape.Context, (((firstStep + step) * setting.Peers) + peer) * setting.Batch);
        for (var i = 0; i < setting.Batch; i++)
        {
            data.CopySample(_order.At(first + i), length, tokens.Slice(i * length, length), targets.Slice(i * length, length));
        }
    };
}
