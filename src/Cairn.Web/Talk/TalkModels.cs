using Cairn.Base;
using Cairn.Data;
using Cairn.Formats;
using Cairn.Model;

namespace Cairn.Web;

/// <summary>Checkpoints in memory, a few at a time, each compared with the digest that the ledger names before anybody hears it.</summary>
internal sealed class TalkModels(RunBook book, RunSources sources) : IDisposable
{
    private const int Kept = 2;
    private const long BytesMax = 4L << 30;
    private readonly List<Loaded> _loaded = [];
    private bool _closed;

    /// <summary>A checkpoint, loaded if it is not; the caller disposes the lease.</summary>
    /// <param name="round">After which round; −1 for the model before training.</param>
    /// <exception cref="InputException">The ledger names none, it is not here, or it is another than the ledger says.</exception>
    public Lease Rent(int round)
    {
        // Under the lock while it loads: two who want the same wait for one.
        lock (_loaded)
        {
            var found = _loaded.Find(loaded => loaded.Round == round);
            if (found is null)
            {
                found = Load(round);
                _loaded.Add(found);
            }
            else
            {
                _loaded.Remove(found);
                _loaded.Add(found);
            }

            found.Users++;
            Forget();
            return new Lease(this, found);
        }
    }

    public void Dispose()
    {
        lock (_loaded)
        {
            // Somebody may still be computing with one: that one goes when it comes back.
            _closed = true;
            Forget();
        }
    }

    private void Return(Loaded loaded)
    {
        lock (_loaded)
        {
            loaded.Users--;
            Forget();
        }
    }

    // The ones that were asked for longest ago, if nobody talks to them.
    private void Forget()
    {
        for (var i = 0; i < _loaded.Count && (_closed || _loaded.Count > Kept);)
        {
            if (_loaded[i].Users > 0)
            {
                i++;
                continue;
            }

            _loaded[i].Parameters.Dispose();
            _loaded.RemoveAt(i);
        }
    }

    private Loaded Load(int round)
    {
        (int Round, Digest Digest) named;
        lock (book.Gate)
        {
            // The model before training has the shape of any checkpoint.
            var of = book.State.Checkpoints.LastOrDefault(checkpoint => round < 0 || checkpoint.Round.Number == round);
            named = (of.Round.Number, of.Digest);
        }

        if (named.Digest.IsZero)
        {
            throw new InputException(round < 0 ? "There is no checkpoint yet: wait for the first settlement." : $"There is no checkpoint of round {round + 1}.");
        }

        if (book.Rules.Model.ParameterCount * sizeof(float) > BytesMax)
        {
            throw new InputException("This model is too large to talk to here: use cairn generate.");
        }

        var folder = CheckpointRoom.FolderOf(sources, named.Round);
        var (parameters, tokenizer) = Read(folder);
        if (Checkpoint.Digest(parameters) != named.Digest)
        {
            parameters.Dispose();
            throw new InputException($"The model in {folder} is not the one that the ledger names ({named.Digest.Short}).");
        }

        if (round < 0)
        {
            if (book.Rules.Model.FromModel)
            {
                BaseFile.Read(Path.Combine(sources.Folder, BaseFile.FileName), parameters);
            }
            else
            {
                Initializer.Fill(parameters, book.Rules.Seed);
            }
        }

        return new Loaded(round, parameters, tokenizer);
    }

    private static (Parameters Parameters, Tokenizer Tokenizer) Read(string folder)
    {
        try
        {
            var parameters = Checkpoint.Load(name => new FileStream(Path.Combine(folder, name), FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16));
            try
            {
                return (parameters, Tokenizer.Load(Path.Combine(folder, "tokenizer.json")));
            }
            catch
            {
                parameters.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException("The files of that checkpoint are not here, or no longer: fetch it on the page Checkpoints, or choose a newer one.", e);
        }
    }

    /// <summary>A checkpoint in memory.</summary>
    private sealed record Loaded(int Round, Parameters Parameters, Tokenizer Tokenizer)
    {
        public int Users { get; set; }
    }

    /// <summary>Keeps a checkpoint in memory until it is disposed.</summary>
    public sealed class Lease : IDisposable
    {
        private readonly TalkModels _models;
        private readonly Loaded _loaded;

        internal Lease(TalkModels models, object loaded) => (_models, _loaded) = (models, (Loaded)loaded);

        public Parameters Parameters => _loaded.Parameters;

        public Tokenizer Tokenizer => _loaded.Tokenizer;

        public void Dispose() => _models.Return(_loaded);
    }
}
