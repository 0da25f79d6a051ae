using Cairn.Ledger;

namespace Cairn.Web;

/// <summary>The page Run: where the run stands and how it went so far.</summary>
internal static class RunPage
{
    private const int WhomShown = 32;
    private const int NotesShown = 12;
    private const int RoundsAveraged = 5;
    private const int CurvePiece = 4096;

    public static RunView Run(RunBook book, RunSources sources)
    {
        var rules = book.Rules;
        return new RunView(
            rules.Name, sources.Folder, rules.ComputeDigest().ToString(), book.State.Run.ToString(), rules.Seed, rules.Model.Preset, rules.Model.ParameterCount,
            rules.Model.Layers, rules.Model.Dim, rules.Model.Context, rules.Model.Vocabulary, rules.Round.Rounds, rules.PeersMax, rules.Training.InnerSteps,
            rules.Training.Batch, rules.Round.SettleEvery, rules.Data.TrainSamples, rules.Data.HeldOutSamples, rules.Sparse.Combination.ToString(), book.Speed,
            rules.Anneal?.Samples ?? 0, rules.Anneal?.FromStep ?? 0);
    }

    public static NowView Now(RunBook book)
    {
        lock (book.Gate)
        {
            var (state, now) = (book.State, book.Round(book.State.CurrentRound.Number));
            var before = book.Round(state.CurrentRound.Number - 1);
            var finished = state.Stage == Stage.Finished;
            var whom = state.Awaited();
            var ended = book.Rounds.TakeLast(4 * RoundsAveraged).Where(row => row.Seconds is not null && row.Members is not null).TakeLast(RoundsAveraged).ToList();
            double? seconds = ended.Count > 0 ? ended.Sum(row => row.Seconds!.Value) : null;
            var context = book.Rules.Model.Context;
            var peers = ended.Sum(row => row.Seconds!.Value * row.Roster);
            var points = book.Curve.Points;
            var (first, last) = points.Count > 0 ? (points[0], points[^1]) : ((CurvePoint?)null, (CurvePoint?)null);
            return new NowView(
                book.Version, book.Now, book.Speed, book.CaughtUp, book.Failure, state.CurrentRound.Number, book.Rules.Round.Rounds, state.Stage.ToString(), state.Paused,
                finished, book.LastSign, [.. whom.Take(WhomShown).Select(uid => state.Members[uid.Value].Name)], whom.Count,
                now is null ? [] : Stages(book, now), before is null ? [] : Stages(book, before), state.Roster.Count, state.Members.Count,
                state.Members.Count(member => member.Role == Role.Peer && member.Active && !member.HasLeft),
                state.Members.Count(member => member.Role == Role.Validator && member.Active && !member.HasLeft), book.Tokens,
                seconds is { } time ? ended.Sum(row => row.Samples) * context / time : null, seconds / Math.Max(1, ended.Count),
                peers > 0 && ended.Sum(row => row.Computing) is > 0 and var computing ? Math.Min(1, computing / peers) : null,
                book.Bytes, book.Updates > 0 ? (double)book.Bytes / book.Updates : null, book.Compression, state.Height, state.Tip.ToString(),
                book.Agreement, state.QuorumBase(finished ? state.CurrentRound : new(state.CurrentRound.Number - 1))?.ToString(),
                first?.Loss, last?.Loss, first?.BitsPerByte, last?.BitsPerByte, book.Curve.Generation, points.Count, book.TextsSeen,
                book.BaselinesSeen, book.LastLine is not null, state.Checkpoints.Count, state.PartOf(state.CurrentRound).First > 0,
                [.. book.Notes.TakeLast(NotesShown).Reverse().Select(View)]);
        }
    }

    public static CurveView Curve(RunBook book, int generation, int from)
    {
        lock (book.Gate)
        {
            var curve = book.Curve;
            from = generation == curve.Generation ? Math.Clamp(from, 0, curve.Points.Count) : 0;
            return new CurveView(
                curve.Generation, from,
                [.. curve.Points.Skip(from).Take(CurvePiece).Select(point => new[] { point.Round + 1, point.Tokens, point.Loss, point.BitsPerByte })]);
        }
    }

    public static IReadOnlyList<TextView> Texts(RunBook book)
    {
        lock (book.Gate)
        {
            return [.. book.Texts.Select(text => new TextView(text.Round, text.Text))];
        }
    }

    public static IReadOnlyList<BaselineView> Baselines(RunBook book)
    {
        lock (book.Gate)
        {
            return book.Baselines;
        }
    }

    /// <summary>The baseline whose text is shown beside those of the run: the best of those that have one. Under no gate.</summary>
    public static BaselineView? Central(RunBook book) => Baselines(book).Where(baseline => baseline.Sample is not null).MinBy(baseline => baseline.LossFinal);

    public static NoteView View(Note note) => new(note.Time, note.Round, note.Who, note.What);

    /// <summary>The stages of a round, how long each took, and how many have acted in it. Under the gate.</summary>
    public static IReadOnlyList<StageView> Stages(RunBook book, RoundRow row)
    {
        var stages = new List<StageView>();
        var settles = book.State.Rules.Settles(new(row.Number));
        var validators = book.State.Members.Count(member => member.Role == Role.Validator && !member.HasLeft);
        for (var stage = Stage.Commit; stage <= (settles ? Stage.Settle : Stage.Apply); stage++)
        {
            var next = row.Began.Skip((int)stage + 1).FirstOrDefault(time => time is not null) ?? row.Ended;
            var began = row.Began[(int)stage];
            var (done, of) = stage switch
            {
                Stage.Commit => (row.Commits, row.Roster),
                Stage.Reveal => (row.Reveals, row.Commits),
                Stage.Judge => (row.Verdicts, validators),
                Stage.Apply => (row.Bases, row.Reveals + validators),
                _ => (row.Shares, validators),
            };
            stages.Add(new StageView(stage.ToString(), began, (next - began)?.TotalSeconds, done, of));
        }

        return stages;
    }
}
