using System.Threading.Channels;
using Cairn.Compute;
using Cairn.Model;
using Cairn.Training;

namespace Cairn.Node;

/// <summary>Everything that computing with one model takes, besides a replica's own state: kernels, activations, gradients, a working copy.</summary>
internal sealed class Engine : IDisposable
{
    public Engine(ParameterLayout layout, AdamWSettings settings, LearningRateSchedule schedule, int batch, int threads, MatMulPrecision precision = MatMulPrecision.Fp32)
    {
        Kernels = new CpuKernels(threads, precision);
        Transformer = new Transformer(layout, Kernels, batch, layout.Shape.Context);
        InnerLoop = new InnerLoop(Transformer, settings, schedule, batch, layout.Shape.Context);
        Local = new Parameters(layout);
    }

    public CpuKernels Kernels { get; }

    public Transformer Transformer { get; }

    public InnerLoop InnerLoop { get; }

    /// <summary>The parameters that inner steps or a probe move; of no value between two leases.</summary>
    public Parameters Local { get; }

    public void Dispose()
    {
        InnerLoop.Dispose();
        Transformer.Dispose();
        Kernels.Dispose();
        Local.Dispose();
    }
}

/// <summary>The engines that the nodes of one process share: as many as can compute at a time. Two peers at a time with a thread each beat one peer
/// on two threads; with fewer peers than threads each engine has several.</summary>
internal sealed class EnginePool : IDisposable
{
    private readonly Channel<Lazy<Engine>> _free = Channel.CreateUnbounded<Lazy<Engine>>();
    private readonly List<Lazy<Engine>> _all = [];

    /// <summary>Names the engines; each takes its memory when it is first rented.</summary>
    /// <param name="make">Makes one with that many threads.</param>
    /// <param name="threads">Threads in all.</param>
    /// <param name="users">Peers that may want to compute at a time.</param>
    public EnginePool(Func<int, Engine> make, int threads, int users)
    {
        var count = Math.Max(1, Math.Min(threads, users));
        for (var i = 0; i < count; i++)
        {
            // The first engines take the threads that do not divide evenly.
            var its = (threads / count) + (i < threads % count ? 1 : 0);
            var engine = new Lazy<Engine>(() => make(its));
            _all.Add(engine);
            _free.Writer.TryWrite(engine);
        }
    }

    /// <summary>Waits for a free engine; dispose the lease to give it back.</summary>
    public async Task<Lease> RentAsync(CancellationToken cancellation) => new(this, await _free.Reader.ReadAsync(cancellation));

    public void Dispose()
    {
        foreach (var engine in _all.Where(engine => engine.IsValueCreated))
        {
            engine.Value.Dispose();
        }
    }

    /// <summary>One engine, for as long as it is held.</summary>
    internal sealed class Lease(EnginePool pool, Lazy<Engine> engine) : IDisposable
    {
        private Lazy<Engine>? _engine = engine;

        public Engine Engine => _engine?.Value ?? throw new ObjectDisposedException(nameof(Lease));

        public void Dispose()
        {
            if (_engine is { } engine)
            {
                _engine = null;
                pool._free.Writer.TryWrite(engine);
            }
        }
    }
}
