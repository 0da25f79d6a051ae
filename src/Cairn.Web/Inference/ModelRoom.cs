namespace Cairn.Web;

/// <summary>The model that is served, and those that were before it as long as somebody still listens to them.</summary>
internal sealed class ModelRoom : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly List<Engine> _engines = [];
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _parallel;
    private readonly Action<Engine> _goes;
    private bool _closed;

    /// <param name="first">The model to begin with.</param>
    /// <param name="parallel">The most texts of one model at once.</param>
    /// <param name="goes">Told of each engine that is let go.</param>
    public ModelRoom(ServedModel first, int parallel, Action<Engine> goes)
    {
        (_parallel, _goes) = (parallel, goes);
        Switch(first);
    }

    /// <summary>The engine of the newest model.</summary>
    public Engine Current
    {
        get
        {
            lock (_gate)
            {
                return _engines[^1];
            }
        }
    }

    /// <summary>All that run.</summary>
    public IReadOnlyList<Engine> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _engines];
            }
        }
    }

    /// <summary>Fails when an engine fails; else never ends.</summary>
    public Task Failed => _failed.Task;

    /// <summary>Serves another model from now on. Requests that run end with the model they began with.</summary>
    public void Switch(ServedModel next)
    {
        var engine = new Engine(next, _parallel, fault => _failed.TrySetException(fault));
        lock (_gate)
        {
            if (_closed)
            {
                engine.Dispose();
            }

            _engines.ForEach(old => old.IsRetired = true);
            _engines.Add(engine);
            Forget();
        }
    }

    /// <summary>Keeps the newest model until the lease is disposed.</summary>
    public Lease Rent()
    {
        lock (_gate)
        {
            _engines[^1].Users++;
            return new Lease(this, _engines[^1]);
        }
    }

    public async ValueTask DisposeAsync()
    {
        List<Engine> all;
        lock (_gate)
        {
            _closed = true;
            all = [.. _engines];
        }

        all.ForEach(engine => engine.Dispose());
        foreach (var engine in all)
        {
            await engine.Ended.ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    private void Return(Engine engine)
    {
        lock (_gate)
        {
            engine.Users--;
            Forget();
        }
    }

    private void Forget()
    {
        foreach (var engine in _engines.Where(engine => engine is { IsRetired: true, Users: 0 }).ToList())
        {
            _engines.Remove(engine);
            _goes(engine);
            engine.Dispose();
        }
    }

    /// <summary>An engine that stays as long as this does.</summary>
    public sealed class Lease(ModelRoom room, Engine engine) : IDisposable
    {
        public Engine Engine => engine;

        public ServedModel Served => engine.Served;

        public void Dispose() => room.Return(engine);
    }
}
