using Cairn.Base;
using Cairn.Gauntlet;
using Cairn.Ledger;

namespace Cairn.Simulation;

/// <summary>One validator's judgement of one round: it fetches and checks as its own eyes see; the
/// rules that decide are the product's (<see cref="RoundTrial"/>).</summary>
internal sealed class SimJudge
{
    private const int AttemptsMax = 4;
    private readonly World _world;
    private readonly SimNode _node;
    private readonly RoundView _view;
    private readonly FastCheck[] _checks;
    private readonly bool[] _decided;
    private int _attempts;

    public SimJudge(World world, SimNode node, RoundView view)
    {
        (_world, _node, _view) = (world, node, view);
        (_checks, _decided) = (new FastCheck[view.Peers.Length], new bool[view.Peers.Length]);
    }

    /// <summary>Fetches what is not there yet.</summary>
    /// <returns>False if another attempt may find more.</returns>
    public bool TryFetch()
    {
        var (open, last) = (0, ++_attempts == AttemptsMax);
        for (var i = 0; i < _checks.Length; i++)
        {
            if (_decided[i])
            {
                continue;
            }

            var (reason, decided) = Check(i);
            _checks[i] = new FastCheck(_view.Peers[i].Uid, reason);
            _decided[i] = decided || last;
            open += _decided[i] ? 0 : 1;
        }

        return open == 0;
    }

    /// <summary>Ends the judgement.</summary>
    public (Verdict Verdict, PeerBook Book) Close()
    {
        var book = _world.Trials.Before(_node.Replica.Book, _view.Round, _node.View.PaidIn(new Round(_view.Round.Number - 1)));
        var point = _node.Replica.Held.Point;
        var view = _world.Mutation == Mutation.DrawsProbesAlone ? _view.DrawnAlone(_world, _node.Member) : _view;
        var shared = _world.Trials.Of(view, book, point, _checks);
        if (_world.ReplaysPrivately(_node))
        {
            var own = _world.Trials.Compute(view, book, point, _checks);
            Must.Hold(own.Outcome.Observations.SequenceEqual(shared.Outcome.Observations), "same verdict", $"{_node.Name} judges otherwise by itself");
        }

        if (_node.Plan.IsHonest)
        {
            _world.Oracle.Drawn(_node, _view, view, shared.Trial.Probed);
        }

        var entries = new VerdictEntry[_checks.Length];
        for (var i = 0; i < entries.Length; i++)
        {
            var seen = shared.Outcome.Observations[i];
            var reason = _world.Mutation == Mutation.AdmitsEverything && _view.Openings[i] is { } any && _world.Store.Open(any.ObjectDigest).Move is not null
                ? Rejection.None : seen.Reason;
            reason = reason == Rejection.None && _world.Fate("odd", _node.Plan.OddPerMille, _node.Member, seen.Uid.Value, _view.Round.Number)
                ? Rejection.Copied : reason;
            entries[i] = new VerdictEntry(seen.Uid, reason, reason == Rejection.None ? _view.Peers[i].Samples : 0);
        }

        _node.Conduct.Judge(entries, _view, _node, _world);
        for (var i = 0; i < entries.Length; i++)
        {
            if (entries[i].Reason == Rejection.None)
            {
                _world.Store.Hold(_view.Openings[i]!.ObjectDigest, _node);
            }
        }

        _world.Oracle.Said(_node, entries);
        return (new Verdict(_view.Round, entries), shared.Outcome.Book);
    }

    private (Rejection Reason, bool Decided) Check(int place)
    {
        var uid = _view.Peers[place].Uid;
        if (_view.Openings[place] is not { } opening)
        {
            return (Rejection.Missing, true);
        }

        if (opening.BaseDigest != _node.Replica.BaseOfNext?.Digest)
        {
            return (Rejection.WrongBase, true);
        }

        if (opening.Receipt != _world.Oracle.ReceiptOf(_view.Round, uid))
        {
            return (Rejection.WrongSamples, true);
        }

        if (opening.SizeBytes > _world.Objective.BytesMax)
        {
            return (Rejection.TooLarge, true);
        }

        if (_world.Store.Read(opening.ObjectDigest, _node) != ReadOutcome.Intact)
        {
            return (Rejection.Missing, false);
        }

        return _world.Store.SizeOf(opening.ObjectDigest) != opening.SizeBytes
            ? (Rejection.NotAsCommitted, true)
            : (_world.Store.Open(opening.ObjectDigest).Why, true);
    }
}
