using Cairn.Base;
using Cairn.Ledger;
using Cairn.Ledger.Evm;

namespace Cairn.Node;

/// <summary>Keeps a node's status up to date: what the machine says it waits for, since when, and from the ledger for whom. Safe to read from any thread.</summary>
internal sealed class StatusBoard
{
    private const int WhomShown = 32;
    private readonly string _folder;
    private readonly TimeProvider _time;
    private readonly long _began;
    private readonly Lock _gate = new();
    private NodeStatus _now;
    private NodeCounts _counts;
    private double _idle;
    private double _inRounds;

    /// <summary>Begins.</summary>
    /// <param name="name">The node.</param>
    /// <param name="role">Its role.</param>
    /// <param name="run">The run's name.</param>
    /// <param name="rounds">Its rounds.</param>
    /// <param name="folder">The node's folder, where the file goes.</param>
    /// <param name="time">The clock of its owner.</param>
    public StatusBoard(string name, Role role, string run, int rounds, string folder, TimeProvider time)
    {
        (_folder, _time, _began) = (folder, time, time.GetTimestamp());
        _now = new NodeStatus(name, role.ToString(), run, 0, rounds, "", 0, 0, "the ledger", [], time.GetUtcNow(), null, null, false, false);
    }

    /// <summary>The status.</summary>
    public NodeStatus Now
    {
        get
        {
            lock (_gate)
            {
                return _now;
            }
        }
    }

    /// <summary>What it has counted.</summary>
    public NodeCounts Counts
    {
        get
        {
            lock (_gate)
            {
                return _counts;
            }
        }
    }

    /// <summary>Seconds since what it waits for last changed.</summary>
    public double Waiting => (_time.GetUtcNow() - Now.Since).TotalSeconds;

    /// <summary>Seconds for which the run has waited for the chain that orders its ledger; 0 if it does not.</summary>
    public double WaitingForChain => Now.Chain is { Waits: true } trouble ? (_time.GetUtcNow() - trouble.Since).TotalSeconds : 0;

    /// <summary>Seconds since the node began.</summary>
    public double Uptime => _time.GetElapsedTime(_began).TotalSeconds;

    /// <summary>Says how far the replica is.</summary>
    /// <param name="applied">Rounds applied.</param>
    public void Begin(int applied)
    {
        lock (_gate)
        {
            _now = _now with { Applied = applied };
        }
    }

    /// <summary>Compares what stands with what stood.</summary>
    /// <param name="ledger">The ledger as the node sees it.</param>
    /// <param name="waitsFor">What the machine says.</param>
    /// <param name="finished">True at the end of the run.</param>
    /// <param name="halted">True after a halt.</param>
    public void Update(LedgerState ledger, string waitsFor, bool finished, bool halted)
    {
        lock (_gate)
        {
            var others = waitsFor.StartsWith("the others", StringComparison.Ordinal);
            string[] whom = others ? [.. ledger.Awaited().Take(WhomShown).Select(uid => ledger.Members[uid.Value].Name)] : [];
            var (round, stage) = (ledger.CurrentRound.Number, ledger.Stage.ToString());
            var same = _now.WaitsFor == waitsFor && _now.Round == round && _now.Stage == stage;
            if (same && _now.Height == ledger.Height && _now.Finished == finished && _now.Halted == halted && _now.Whom.SequenceEqual(whom))
            {
                return;
            }

            _now = _now with
            {
                Round = round,
                Stage = stage,
                Height = ledger.Height,
                WaitsFor = waitsFor,
                Whom = whom,
                Since = same ? _now.Since : _time.GetUtcNow(),
                Finished = finished,
                Halted = halted,
            };
            Write();
        }
    }

    /// <summary>Sees what is wrong with the chain that orders the ledger.</summary>
    /// <param name="trouble">What, or null if nothing.</param>
    public void SeeChain(ChainTrouble? trouble)
    {
        lock (_gate)
        {
            _now = _now with { Chain = trouble };
            Write();
        }
    }

    /// <summary>Sees what the node tells.</summary>
    /// <param name="happened">An event.</param>
    public void See(RunEvent happened)
    {
        lock (_gate)
        {
            switch (happened)
            {
                case StoreDoesNotAnswer silent:
                    _now = _now with { Trouble = silent.Detail };
                    _counts = _counts with { StoreTroubles = _counts.StoreTroubles + 1 };
                    break;
                case RoundCannotBeHad missing:
                    _now = _now with { Trouble = missing.Detail };
                    _counts = _counts with { StoreTroubles = _counts.StoreTroubles + 1 };
                    break;
                case CheckpointSaved or UpdatesJudged:
                    _now = _now with { Trouble = null };
                    return;
                case UpdatePublished sent:
                    _now = _now with { Trouble = null };
                    _counts = _counts with { Updates = _counts.Updates + 1, UpdateBytes = _counts.UpdateBytes + sent.Bytes };
                    return;
                case OperationRefused:
                    _counts = _counts with { Refused = _counts.Refused + 1 };
                    return;
                case PeerTrained { RoundSeconds: { } whole, IdleSeconds: { } idle }:
                    (_idle, _inRounds) = (_idle + idle, _inRounds + whole);
                    _now = _now with { Utilisation = _inRounds > 0 ? Math.Clamp(1 - (_idle / _inRounds), 0, 1) : null };
                    return;
                case RoundApplied applied:
                    _now = _now with { Applied = applied.Round + 1, Trouble = null };
                    return;
                default:
                    return;
            }

            Write();
        }
    }

    // For people and programs that look; lost with the process, so not flushed. A full disk must not stop the node.
    private void Write()
    {
        try
        {
            DurableFile.Write(Path.Combine(_folder, NodeStatus.FileName), System.Text.Encoding.UTF8.GetBytes(_now.ToJson()), flush: false);
        }
        catch (InputException)
        {
        }
    }
}
