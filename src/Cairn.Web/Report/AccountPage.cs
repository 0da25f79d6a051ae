using Cairn.Ledger;

namespace Cairn.Web;

/// <summary>The account of a run as a page.</summary>
internal static class AccountPage
{
    private const int RoundsShown = 30;
    private const string Head = """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <style>
        :root { color-scheme: light dark; --page: #f6f6f3; --card: #fff; --ink: #1d2420; --dim: #5f6b64; --edge: #e3e5e0; --c0: #2f6f52; --c1: #b07d2b; --c2:
        #4f86a6; --c3: #a8556b; --c4: #7d63a8; }
        @media (prefers-color-scheme: dark) { :root { --page: #121614; --card: #1a201d; --ink: #e4eae6; --dim: #98a59d; --edge: #2a322e; --c0: #7fc4a0; --c1:
        #e0b566; --c2: #82b6d6; --c3: #e08ea3; --c4: #b39ddb; } }
        body { margin: 0 auto; max-width: 980px; padding: 24px 20px 64px; background: var(--page); color: var(--ink); font: 15px/1.55 system-ui, sans-serif; }
        h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 0 0 10px; } p { margin: 6px 0; } .dim { color: var(--dim); }
        section { background: var(--card); border: 1px solid var(--edge); border-radius: 14px; padding: 18px 20px; margin: 16px 0; }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: 3px 18px; margin: 0; } dt { color: var(--dim); } dd { margin: 0; overflow-wrap:
        anywhere; font-variant-numeric: tabular-nums; }
        .scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: 14px; } th, td { text-align: left; padding: 6px 10px;
        white-space: nowrap; } th { color: var(--dim); font-weight: 500; } tbody tr { border-top: 1px solid var(--edge); } .n { text-align: right;
        font-variant-numeric: tabular-nums; }
        svg { width: 100%; height: auto; } svg text { fill: var(--dim); font-size: 12px; } .g { stroke: var(--edge); } .key { list-style: none; padding: 0;
        display: flex; flex-wrap: wrap; gap: 4px 20px; font-size: 14px; } .key i { display: inline-block; width: 12px; height: 12px; border-radius: 3px;
        margin-right: 7px; } .k0 { background: var(--c0); } .k1 { background: var(--c1); } .k2 { background: var(--c2); } .k3 { background: var(--c3); } .k4 {
        background: var(--c4); }
        .side { display: grid; grid-template-columns: repeat(auto-fit, minmax(240px, 1fr)); gap: 14px; } figure { margin: 0; } figcaption { color: var(--dim); font-size:
        13px; } .links a { margin-right: 16px; } a { color: var(--c0); }
        blockquote { margin: 4px 0 0; padding: 10px 14px; border-left: 3px solid var(--edge); white-space: pre-wrap; overflow-wrap: anywhere; } pre {
        white-space: pre-wrap; overflow-wrap: anywhere; background: var(--page); padding: 10px 14px; border-radius: 10px; }
        @media (max-width: 600px) { dl { grid-template-columns: 1fr; } dd { margin-bottom: 6px; } }
        </style>

        """;

    public static string Of(RunBook book, string? dataSource)
    {
        var (page, now) = (new Html().Raw(Head), RunPage.Now(book));
        page.Element("title", $"Cairn: run {book.Rules.Name}").Raw("</head><body>\n").Element("h1", $"Run {book.Rules.Name}");
        Lead(page, book, now);
        Summary(page, book, now);
        Curves(page, book);
        Evaluated(page, book);
        Texts(page, book);
        Members(page, book);
        Refusals(page, book);
        Rounds(page, book);
        Rules(page, book);
        Provenance(page, book, now, dataSource);
        return page.Raw("</body></html>\n").ToString();
    }

    private static void Lead(Html page, RunBook book, NowView now)
    {
        var peers = book.State.Members.Count(member => member.Role == Role.Peer);
        page.Element(
            "p",
            $"{Words.Of(peers, "peer", "peers")} trained one language model together. In every round each of them trained on text of its own share and sent " +
            "what had changed, made very small; validators checked and weighed what came, and everybody took the same step from it. " +
            "Who did what, who earned what, and what the model " +
            "is worth stands below, from the run’s signed ledger, verified from its first block, and from its log.");
        page.Element("p", now.Finished ? "The run is over." : $"The run is not over: round {Words.Count(now.Round + 1)} of {Words.Count(now.Rounds)}.");
        if (book.LastLine is null)
        {
            page.Element("p", "No log of the run was at hand: losses, times and texts, which no ledger holds, are not known here.");
        }
    }

    private static void Summary(Html page, RunBook book, NowView now)
    {
        var took = book.Rounds.Sum(row => row.Seconds ?? 0);
        page.Raw("<section>\n").Element("h2", "In short").Pairs(
            ("Model", $"{book.Rules.Model.Preset}: {Words.Count(book.Rules.Model.ParameterCount)} parameters, " +
                $"context of {Words.Count(book.Rules.Model.Context)} tokens"),
            ("Rounds", $"{Words.Count(book.Rounds.Count(row => row.Members is not null))} of {Words.Count(now.Rounds)}"),
            ("Trained on", $"{Words.Count(now.Tokens)} tokens of accepted updates" + (took > 0 ? $", in {Words.Count((long)took)} s" : "")),
            ("Held-out loss", $"{Words.Fixed(now.LossFirst, 4)} → {Words.Fixed(now.Loss, 4)} nats/token" +
                (now.LossFirst is { } first && now.Loss is { } last ? $" ({Words.Percent(1 - (last / first))} lower)" : "")),
            ("One process", Central(book, now)),
            ("Bits per byte", $"{Words.Fixed(now.BitsPerByteFirst, 3)} → {Words.Fixed(now.BitsPerByte, 3)}"),
            ("Sent", $"{Words.Bytes(now.Bytes)} in {Words.Count(book.Updates)} updates" +
                (now.Compression is { } times ? $", {Words.Fixed(times, 0)} times smaller than the parameters in fp32" : "")),
            ("Replicas", now.Agreement ? "everybody who posted a base posted the same, after every round" : "NOT ALL POSTED THE SAME BASE: see the rounds"))
            .Raw("</section>\n");
    }

    // By the last points of the curves: those are measured on the same part of the text.
    private static string Central(RunBook book, NowView now) =>
        book.Baselines.Where(baseline => baseline.Points.Count > 0).MinBy(baseline => baseline.Points[^1][1]) is { } central && central.Points[^1][1] is var best
        ? $"{Words.Fixed(best, 4)} nats/token on as many tokens ({central.Name})" +
            (now.Loss is { } loss ? $": the run is {Words.Percent((loss / best) - 1)} above it" : "")
        : "not tried";

    private static void Curves(Html page, RunBook book)
    {
        var lines = new List<(string, IReadOnlyList<(double, double)>)>
        {
            ("this run", [.. book.Curve.Points.Select(point => ((double)point.Tokens, point.Loss))]),
        };
        lines.AddRange(book.Baselines.Select(baseline => (baseline.Name, (IReadOnlyList<(double, double)>)[.. baseline.Points.Select(point => (point[0], point[1]))])));
        page.Raw("<section>\n").Element("h2", "Held-out loss over tokens").Element(
            "p", "How well the model predicts a fixed part of the text that nobody trains on, in nats for each token: lower is better.");
        page.Raw(book.Curve.Points.Count > 0 ? CurvePlot.Draw(lines) : "<p class=\"dim\">Not known: no log of the run was at hand.</p>\n");
        page.Element("p", book.Baselines.Count > 0
            ? "The others are the same model on the same samples in the same order by one process in one place, at equal tokens: what it costs to train apart is the gap."
            : "No baseline of one process was trained for this run: cairn train --like makes one.").Raw("</section>\n");
    }

    private static void Evaluated(Html page, RunBook book)
    {
        var found = book.Evaluations.OrderBy(round => round.Key).SelectMany(round => round.Value).TakeLast(RoundsShown).ToList();
        if (found.Count == 0)
        {
            return;
        }

        page.Raw("<section>\n").Element("h2", "What evaluators found of its checkpoints").Element(
            "p", "Measured by members that follow the run, and signed by them; it decided nothing. ± is the standard error.").Table(
            ["#after round", "signed by", "#held-out loss", "#bits per byte", "besides"],
            found.Select(one => new[]
            {
                Words.Count(one.Record.Round + 1), one.By, $"{Words.Fixed(one.Record.Loss, 4)} ± {Words.Fixed(one.Record.StandardError, 4)}",
                Words.Fixed(one.Record.BitsPerByte, 3),
                string.Join("; ", one.Record.Tasks.Select(task => $"{task.Task} {task.Metric} {Words.Percent(task.Mean)} ± {Words.Fixed(100 * task.StandardError, 1)}")
                    .Concat(one.Record.Texts.Select(text => $"{text.Name} {Words.Fixed(text.BitsPerByte, 3)} bits/byte"))),
            })).Raw("</section>\n");
    }

    private static void Rounds(Html page, RunBook book)
    {
        var closed = book.Rounds.Where(row => row.Members is not null).ToList();
        page.Raw("<section>\n").Element("h2", closed.Count > RoundsShown ? $"The last {RoundsShown} of {closed.Count} rounds" : "Rounds").Table(
            ["#round", "#updates", "#samples", "#sent", "#seconds", "#held-out loss", "base"],
            closed.TakeLast(RoundsShown).Select(row => new[]
            {
                Words.Count(row.Number + 1), $"{row.Members} of {row.Roster}", Words.Count(row.Samples), Words.Bytes(row.Bytes), Words.Fixed(row.Seconds, 1),
                Words.Fixed(row.Loss, 4), (row.QuorumBase?.ToString()[..16] ?? "not agreed") + (row.Agreement ? "" : "  OTHERS DIFFER"),
            })).Raw("</section>\n");
    }

    private static void Members(Html page, RunBook book)
    {
        var view = PeersPage.All(book);
        page.Raw("<section>\n").Element("h2", "Contribution and pay").Element(
            "p",
            "Peers train, validators check. The rating says how good a peer’s updates were beside those of others; " +
            "the share is its part of all that was paid; the bond is what " +
            "a member has at stake. Money is counted in the run’s own smallest unit.").Table(
            ["#uid", "name", "role", "#accepted", "#refused", "#sent", "#rating", "#reward", "#share", "#bond"],
            view.Members.Select(member => new[]
            {
                Words.Count(member.Uid), member.Name, member.Role.ToLowerInvariant() + (member.Left ? ", left" : member.Active ? "" : ", absent"),
                OfPeer(member, Words.Count(member.Accepted)), OfPeer(member, Words.Count(member.Refused)), OfPeer(member, Words.Bytes(member.BytesSent)),
                Words.Fixed(member.Rating, 1),
                Words.Count(member.Reward), Words.Percent(member.Share),
                Words.Count(member.Bond),
            })).Element(
                "p",
                $"Paid {Words.Count(view.Minted - view.AuditFund)}, waiting until work can be told {Words.Count(view.Unpaid)}, " +
                $"laid aside for audits {Words.Count(view.AuditFund)}, cut off bonds and burned {Words.Count(view.Burned)}.");
        if (book.Contributions is { } measured)
        {
            Measured(page, measured, view);
        }

        page.Raw("</section>\n");
    }

    private static void Measured(Html page, ContributionsView measured, MembersView view)
    {
        page.Element(
            "p",
            "What each peer’s accepted updates did for the held-out loss, in nats per token and above 0 where they lowered it, was measured over " +
            $"{Words.Of(measured.Rounds, "round", "rounds")} on {Words.Of(measured.Sequences, "held-out sequence", "held-out sequences")}: each round was made again " +
            "without that peer. Contribution: its own part of the step taken out. Left out: the round of the others alone, who then weigh more; near " +
            "0 for whoever is as good as they are.").Table(
            ["#uid", "name", "#rounds", "#contribution", "#left out", "#weight", "#share", "#largest overlap"],
            measured.Peers.Select(peer =>
            {
                var member = view.Members.FirstOrDefault(member => member.Uid == peer.Uid);
                return new[]
                {
                    Words.Count(peer.Uid), member?.Name ?? "–", Words.Count(peer.Rounds), Words.Change(peer.Contribution), Words.Change(peer.LeftOut),
                    peer.Weight is { } weight ? Words.Percent(weight) : "–", member is null ? "–" : Words.Percent(member.Share),
                    (peer.OverlapMax is { } overlap ? Words.Percent(overlap) : "–") + (peer.Copies > 0 ? $", THE SAME AS ANOTHER in {peer.Copies}" : ""),
                };
            })).Element(
                "p",
                $"The measured rounds together: {Words.Change(measured.Improved)}; the sum of contributions: {Words.Fixed(measured.SumOfContributions, 4)}. " +
                "They differ by what parts do only together. The errors are those of the choice of sequences. Pay goes by what validators found on " +
                "other text, and not by this.");
    }

    private static string OfPeer(MemberView member, string value) => member.Role == nameof(Role.Peer) ? value : "–";

    private static void Refusals(Html page, RunBook book)
    {
        var members = PeersPage.All(book).Members;
        var reasons = members.SelectMany(member => member.Reasons, (member, reason) => (member.Name, reason.Reason, reason.Times)).GroupBy(said => said.Reason)
            .OrderByDescending(group => group.Sum(said => said.Times)).ThenBy(group => group.Key, StringComparer.Ordinal).ToList();
        page.Raw("<section>\n").Element("h2", "Attacks and refusals").Element(
            "p",
            $"{Words.Of(book.Updates, "update was", "updates were")} sent: {Words.Count(members.Sum(member => member.Accepted))} were accepted and " +
            $"{Words.Count(members.Sum(member => member.Refused))} refused.");
        if (reasons.Count == 0 && book.State.Slashes.Count == 0)
        {
            page.Element("p", "No validator refused an update, and no bond was cut.");
        }
        else
        {
            page.Table(["reason", "#verdicts", "of whom"], reasons.Select(group => new[]
            {
                group.Key, Words.Count(group.Sum(said => said.Times)),
                string.Join(", ", group.OrderByDescending(said => said.Times).Select(said => $"{said.Name} {said.Times}×")),
            }));
        }

        if (book.State.Slashes.Count > 0)
        {
            page.Table(["#round", "member", "why", "#cut off its bond", "evidence"], book.State.Slashes.Select(slash => PeersPage.View(book, slash)).Select(slash => new[]
            {
                Words.Count(slash.Round + 1), slash.Name, slash.Reason, Words.Count(slash.Amount), slash.Evidence,
            }));
        }

        page.Element("p", $"Stages that validators ended by a timeout: {Words.Count(book.Rounds.Sum(row => row.Timeouts))}.").Raw("</section>\n");
    }

    private static void Texts(Html page, RunBook book)
    {
        var (texts, central) = (RunPage.Texts(book), RunPage.Central(book));
        if (texts.Count == 0 && central is null)
        {
            return;
        }

        page.Raw("<section>\n").Element("h2", "What the model writes, from the same beginning and seed").Raw("<div class=\"side\">\n");
        foreach (var text in texts.Count > 1 ? new[] { texts[0], texts[^1] } : texts)
        {
            Figure(text.Round < 0 ? "Before training" : $"After round {Words.Count(text.Round + 1)}", text.Text);
        }

        if (central is not null)
        {
            Figure($"The baseline ({central.Name})", central.Sample!);
        }

        page.Raw("</div></section>\n");

        void Figure(string whose, string text) => page.Raw("<figure>").Element("figcaption", whose).Element("blockquote", text).Raw("</figure>\n");
    }

    private static void Rules(Html page, RunBook book)
    {
        var (rules, model) = (book.Rules, book.Rules.Model);
        var changed = book.State.RulesVersions.Skip(1)
            .Select(version => ($"From round {version.From.Number + 1} on", string.Join(", ", version.Changes.Select(ChangeableRule.Say))));
        page.Raw("<section>\n").Element("h2", "Rules").Pairs([
            ("Shape", $"{model.Layers} layers of width {model.Dim}, {model.Heads} heads ({model.KvHeads} of keys and values), " +
                $"feed-forward {model.FeedForward}, vocabulary {Words.Count(model.Vocabulary)}"),
            ("Data", $"{Words.Count(rules.Data.TrainSamples)} samples to train on, {Words.Count(rules.Data.HeldOutSamples)} held out, of {model.Context} tokens each"),
            .. rules.Anneal is { } anneal ? [("Annealing", anneal.ToString())] : ((string, string)[])[],
            ("Inner loop", $"{rules.Training.InnerSteps} steps of {rules.Training.Batch} samples, peak rate {rules.Training.PeakRate}, " +
                $"AdamW {rules.Training.Beta1}/{rules.Training.Beta2}, decay {rules.Training.WeightDecay}"),
            ("Compression", $"{rules.Sparse.Keep} of 4,096 kept, {rules.Sparse.Quantization} codes, error kept {rules.Sparse.ErrorDecay}, " +
                $"outer rate {rules.Sparse.OuterRate}, combined by {rules.Sparse.Combination}"),
            ("Round", $"at most {rules.PeersMax} peers, {rules.Round.ProbedPeers} probed, settled every {rules.Round.SettleEvery} rounds, " +
                $"a stage at most {rules.Round.StageSecondsMax} s"),
            ("Seed", rules.Seed.ToString(System.Globalization.CultureInfo.InvariantCulture)), .. changed]).Raw("</section>\n");
    }

    private static void Provenance(Html page, RunBook book, NowView now, string? dataSource)
    {
        var (rules, state) = (book.Rules, book.State);
        page.Raw("<section>\n").Element("h2", "Where it comes from, and how to do it again").Element("p", "Digests are SHA-256: each names exactly one content.").Pairs(
            ("Text", dataSource ?? "not at hand: named by the digest of the data set"), ("Data set", rules.Data.Manifest.ToString()),
            ("Tokenizer", rules.Data.Tokenizer.ToString()), ("Rules", rules.ComputeDigest().ToString()), ("First base", rules.Model.InitialBase.ToString()),
            ("Last base", now.Base ?? "not agreed"), ("Ledger", $"{state.Run}, {Words.Count(state.Height)} blocks"), ("Last block", state.Tip.ToString()),
            ("Checkpoint", state.LatestCheckpoint is { } latest ? $"{latest.Digest} after round {latest.Round.Number + 1}" : "none yet"),
            ("Code", $"Cairn {RunAccount.Program}, a program for .NET 10, licence Apache 2.0"));
        if (RunAccount.Command(book) is { } command)
        {
            page.Element(
                "p", "In the folder of that code, on the same text, this gives the same bits: the same last base, on any processor and with any number of threads.")
                .Element("pre", command);
        }
        else
        {
            page.Element("p", "Strangers could join this run: it can be verified, but not done again without them.");
        }

        page.Element(
            "p",
            "With the run’s files, cairn run show verifies the ledger from its first block, cairn run samples counts every sample that was trained on, " +
            "and cairn replay shows " +
            "the run as it went.").Raw("</section>\n");
    }
}
