using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>How a run's ledger on a chain is followed and spoken to.</summary>
public sealed record EvmLedgerOptions
{
    /// <summary>The contract.</summary>
    public required EvmAddress Contract { get; init; }

    /// <summary>Blocks that must stand on one before anybody acts on it.</summary>
    public required ulong Confirmations { get; init; }

    /// <summary>How long all nodes of the chain may know fewer blocks than one has shown before that is believed, and what was in the others is posted again.</summary>
    public TimeSpan LagMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long what was said may be nowhere on the chain before that is trouble, and what was posted is posted again.</summary>
    public TimeSpan UnseenMax { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How often to look at the chain.</summary>
    public TimeSpan LookEvery { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The clock of the waits.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>What is to be known of a chain and its nodes at present.</summary>
/// <param name="What">In words; names the nodes.</param>
/// <param name="Since">Since when; UTC.</param>
/// <param name="Waits">True if the run waits for it; false where another node of the chain helps.</param>
public sealed record ChainTrouble(string What, DateTimeOffset Since, bool Waits);

/// <summary>A run's ledger whose order a chain makes. What is said here is posted there, many at a time; what the chain has made final comes into the run's ledger
/// file, from which everybody reads as from an embedded one.</summary>
/// <remarks>What is judged before it is posted is judged at the chain's head, to spare the fee of what would be void. What a reorganisation has thrown out is posted
/// again. Trouble with the chain's nodes is waited out. Safe for several threads.</remarks>
public sealed class EvmLedger : IDisposable
{
    // A transaction of chains holds at most 128 KiB.
    private const int BatchBytesMax = 90_000;
    private const int BatchMax = 200;
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LongestWaitPaid = TimeSpan.FromMinutes(10);
    private readonly Lock _gate = new();
    private readonly EvmLedgerOptions _options;
    private readonly ChainMirror _mirror;
    private readonly ChainReplay _replay;
    private readonly ChainFollower _follower;
    private readonly ChainSender? _sender;
    private readonly ChainEndpoints _chain;
    private readonly Channel<SignedOperation> _queue = Channel.CreateUnbounded<SignedOperation>();

    // What was said and is not final yet, by what it says.
    private readonly Dictionary<Digest, Said> _said = [];

    // Since when something that was said has been seen nowhere; null if all was seen.
    private DateTimeOffset? _unseenSince;
    private string _postingFault = "";

    // Block: in which it was seen; 0 in none. Posted: when a receipt was said to exist for it; null while it waits for one.
    private sealed record Said(SignedOperation Operation, ulong Block = 0, long? Posted = null);

    private EvmLedger(EvmLedgerOptions options, ChainMirror mirror, ChainReplay replay, ChainFollower follower, ChainEndpoints chain, ChainSender? sender)
    {
        (_options, _mirror, _replay, _follower, _chain, _sender) = (options, mirror, replay, follower, chain, sender);
    }

    /// <summary>Raised after the file has grown.</summary>
    public event Action? Moved;

    /// <summary>Raised when <see cref="Trouble"/> is another.</summary>
    public event Action<ChainTrouble?>? Troubled;

    /// <summary>What is wrong with the chain or its nodes at present; null if nothing.</summary>
    public ChainTrouble? Trouble { get; private set; }

    /// <summary>How often the chain has taken something back.</summary>
    public int Reorganisations => _replay.RolledBack;

    /// <summary>Opens the ledger's file and brings it to where the chain is final.</summary>
    /// <param name="path">The file; <see cref="EmbeddedLedger.Create"/> has made it with the run's genesis.</param>
    /// <param name="chain">The chain's nodes.</param>
    /// <param name="sender">Who pays for what is posted; null to follow only. Disposed by the caller.</param>
    /// <param name="options">Where and how.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="InputException">The contract knows no such run, or the file holds another history.</exception>
    /// <exception cref="ChainFaultException">The chain does not answer.</exception>
    public static async Task<EvmLedger> OpenAsync(string path, ChainClient chain, ChainSender? sender, EvmLedgerOptions options, CancellationToken cancellation)
    {
        var mirror = new ChainMirror(path);
        try
        {
            var run = mirror.Genesis.Digest;
            var created = await CreatedAsync(chain, options.Contract, run, cancellation);
            var after = mirror.Cursor?.Place ?? new ChainPlace(created - 1, Digest.Zero);
            var following = new ChainFollowing(options.Contract, run, options.Confirmations) { LagMax = options.LagMax, Time = options.Time };
            var follower = new ChainFollower(chain, following, after);
            var ledger = new EvmLedger(options, mirror, new ChainReplay(mirror.Genesis, mirror.Done), follower, chain.Endpoints, sender);
            while (!await ledger.LookAsync(cancellation))
            {
                await Task.Delay(options.LookEvery, options.Time, cancellation);
            }

            return ledger;
        }
        catch
        {
            mirror.Dispose();
            throw;
        }
    }

    /// <summary>The block in which a contract took a run.</summary>
    /// <param name="chain">The chain's nodes.</param>
    /// <param name="contract">The contract.</param>
    /// <param name="run">Digest of the run's genesis.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="InputException">No node knows such a run.</exception>
    /// <exception cref="ChainFaultException">No node answers.</exception>
    public static async Task<ulong> CreatedAsync(ChainClient chain, EvmAddress contract, Digest run, CancellationToken cancellation)
    {
        // All are asked: one that is behind does not know the run yet, and one that lies may deny it. Too early a block does no harm.
        var (found, answered, last) = (ulong.MaxValue, false, (ChainFaultException?)null);
        for (var node = 0; node < chain.Endpoints.Count; node++)
        {
            try
            {
                var block = CairnContract.CreatedBlock(await chain.At(node).ReadAsync(contract, CairnContract.RunQuestion(run), 4096, cancellation));
                (found, answered) = (block > 0 ? Math.Min(found, block) : found, true);
            }
            catch (ChainFaultException fault)
            {
                last = fault;
            }
        }

        return found < ulong.MaxValue ? found
            : !answered ? throw last!
            : throw new InputException($"the contract {contract} on that chain knows no run {run.Short}: correct the address, or the chain's node.");
    }

    /// <summary>Says something: judges it as the chain stands now, and posts it if it may stand.</summary>
    /// <param name="operation">Signed by a member.</param>
    /// <returns>None if it is on its way or there already; otherwise why it would be void.</returns>
    public Rejection Append(SignedOperation operation)
    {
        Invariant.Check(_sender is not null);
        lock (_gate)
        {
            var what = operation.OperationDigest(_replay.State.Run);
            if (_said.ContainsKey(what))
            {
                return Rejection.None;
            }

            var why = _replay.State.Check(operation);
            if (why == Rejection.None)
            {
                _said.Add(what, new Said(operation));
                _unseenSince ??= _options.Time.GetUtcNow();
                _queue.Writer.TryWrite(operation);
            }

            return why == Rejection.AlreadyThere ? Rejection.None : why;
        }
    }

    /// <summary>Follows the chain and posts what is said, until it is told to stop.</summary>
    /// <param name="cancellation">Stops.</param>
    /// <exception cref="InputException">The chain was reorganised deeper than it may be, or the file holds another history.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task[] both = [FollowAsync(stop.Token), PostAsync(stop.Token)];
        await Task.WhenAny(both);
        await stop.CancelAsync();
        await Task.WhenAll(both).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (both.FirstOrDefault(task => task.IsFaulted)?.Exception?.InnerException is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        cancellation.ThrowIfCancellationRequested();
    }

    /// <inheritdoc/>
    public void Dispose() => _mirror.Dispose();

    private async Task FollowAsync(CancellationToken cancellation)
    {
        for (var wait = _options.LookEvery; ;)
        {
            try
            {
                var moved = await LookAsync(cancellation);
                wait = _options.LookEvery;
                Show(moved ? "" : string.Join("; ", _follower.Remarks));
                await _chain.NewsAsync(wait, _options.Time, cancellation);
            }
            catch (ChainFaultException fault)
            {
                wait = Longer(wait, LongestWait);
                Show(fault.Message);
                await Task.Delay(wait, _options.Time, cancellation);
            }
        }
    }

    private async Task<bool> LookAsync(CancellationToken cancellation)
    {
        var seen = await _follower.LookAsync(cancellation);
        bool grown;
        lock (_gate)
        {
            if (seen is not { } step)
            {
                PostUnseenAgain();
                return false;
            }

            _replay.Take(step);
            Note(step);
            PostUnseenAgain();
            grown = _mirror.Bring(_replay, step.Final);
        }

        if (grown)
        {
            Moved?.Invoke();
        }

        return true;
    }

    // The worst first: that nothing can be seen, that what is said cannot be posted, that it comes to stand nowhere, that some node is not to be used.
    private void Show(string unseen)
    {
        ChainTrouble? trouble;
        lock (_gate)
        {
            var now = _options.Time.GetUtcNow();
            var late = _unseenSince is { } since && now - since > _options.UnseenMax;
            var what = unseen.Length > 0 ? unseen : _postingFault.Length > 0 ? _postingFault : late ? Unseen() : string.Join("; ", _follower.Remarks);
            var waits = unseen.Length > 0 || _postingFault.Length > 0 || late;
            trouble = what.Length == 0 ? null : new ChainTrouble(what, Trouble is { } before && before.Waits == waits ? before.Since : now, waits);
            if (trouble == Trouble)
            {
                return;
            }

            Trouble = trouble;
        }

        Troubled?.Invoke(trouble);
    }

    private string Unseen() => _sender?.Trouble is { Length: > 0 } trouble ? trouble
        : $"{_said.Count(said => said.Value.Block == 0)} operations are in no block of the chain yet";

    // What was said and seen is watched until it is final; what was taken back is posted again.
    private void Note(ChainStep step)
    {
        foreach (var (what, said) in _said.ToArray())
        {
            if (said.Block > step.KeptUpTo)
            {
                SayAgain(what, said);
            }
        }

        foreach (var log in step.New)
        {
            if (CairnContract.TryReadPosted(log, out var operation) && operation!.OperationDigest(_replay.State.Run) is var what && _said.TryGetValue(what, out var said))
            {
                _said[what] = said with { Block = log.Block };
            }
        }

        foreach (var (what, said) in _said.ToArray())
        {
            if (said.Block > 0 && said.Block <= step.Final.Number)
            {
                _said.Remove(what);
            }
        }

        _unseenSince = _said.Values.Any(said => said.Block == 0) ? _unseenSince ?? _options.Time.GetUtcNow() : null;
    }

    // A receipt is only what a node said: it may be forged, or its block be taken back before anybody looks. What stands twice is void the second time.
    private void PostUnseenAgain()
    {
        foreach (var (what, said) in _said.ToArray())
        {
            if (said is { Block: 0, Posted: { } posted } && _options.Time.GetElapsedTime(posted) > _options.UnseenMax)
            {
                SayAgain(what, said);
            }
        }
    }

    private void SayAgain(Digest what, Said said)
    {
        _said[what] = new Said(said.Operation);
        _queue.Writer.TryWrite(said.Operation);
    }

    private void NotePosted(IReadOnlyList<SignedOperation> batch)
    {
        lock (_gate)
        {
            foreach (var what in batch.Select(operation => operation.OperationDigest(_replay.State.Run)))
            {
                if (_said.TryGetValue(what, out var said))
                {
                    _said[what] = said with { Posted = _options.Time.GetTimestamp() };
                }
            }
        }
    }

    // What was seen meanwhile, though its posting seemed to fail, is not paid for again.
    private void DropSeen(List<SignedOperation> batch)
    {
        lock (_gate)
        {
            batch.RemoveAll(operation => _said.GetValueOrDefault(operation.OperationDigest(_replay.State.Run)) is not { Block: 0 });
        }
    }

    private async Task PostAsync(CancellationToken cancellation)
    {
        var batch = new List<SignedOperation>();
        for (var (wait, waitPaid) = (_options.LookEvery, LongestWait); ;)
        {
            await Gather(batch, cancellation);
            DropSeen(batch);
            if (batch.Count == 0)
            {
                _postingFault = "";
                continue;
            }

            try
            {
                var run = _replay.State.Run;
                var call = batch.Count == 1 ? CairnContract.Post(run, batch[0]) : CairnContract.PostBatch(run, batch);
                await _sender!.SendAsync(_options.Contract, call, 0, cancellation);
                NotePosted(batch);
                batch.Clear();
                (wait, waitPaid, _postingFault) = (_options.LookEvery, LongestWait, "");
            }
            catch (ChainFaultException fault) when (fault.Kind == ChainFaultKind.Failed)
            {
                // Every try costs as much as one that succeeds.
                waitPaid = Longer(waitPaid, LongestWaitPaid);
                _postingFault = $"{fault.Message}: the next one is sent {waitPaid.TotalSeconds:0} s later";
                await Task.Delay(waitPaid, _options.Time, cancellation);
            }
            catch (ChainFaultException fault)
            {
                (wait, _postingFault) = (Longer(wait, LongestWait), fault.Message);
                await Task.Delay(wait, _options.Time, cancellation);
            }
        }
    }

    // What waits already goes along.
    private async Task Gather(List<SignedOperation> batch, CancellationToken cancellation)
    {
        if (batch.Count == 0)
        {
            batch.Add(await _queue.Reader.ReadAsync(cancellation));
        }

        var bytes = batch.Sum(operation => operation.ToBytes().Length);
        while (batch.Count < BatchMax && _queue.Reader.TryPeek(out var next) && bytes + next.ToBytes().Length <= BatchBytesMax && _queue.Reader.TryRead(out next))
        {
            batch.Add(next);
            bytes += next.ToBytes().Length;
        }
    }

    private static TimeSpan Longer(TimeSpan wait, TimeSpan longest) => wait * 2 < longest ? wait * 2 : longest;
}
