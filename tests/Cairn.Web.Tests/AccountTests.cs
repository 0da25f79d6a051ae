using System.Text.RegularExpressions;
using Cairn.Base;
using Cairn.Node;
using Cairn.Node.Tests;

namespace Cairn.Web.Tests;

/// <summary>The account of a run: true, whole in itself, and safe to open.</summary>
public sealed partial class AccountTests(FinishedRun run) : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_account_says_what_the_run_did_and_how_to_do_it_again()
    {
        var (page, report) = (RunAccount.Html(run.Sources), run.Outcome.Report);
        Assert.Contains(report.BaseDigest, page, StringComparison.Ordinal);
        Assert.Contains(Words.Count(report.Tokens), page, StringComparison.Ordinal);
        Assert.Contains($"./cairn swarm --preset pico --peers {FinishedRun.Peers} --validators 1 --rounds {FinishedRun.Rounds} --seed 5", page, StringComparison.Ordinal);
        Assert.Contains(" --outer-rate 1.5 --anneal-rounds 0 --probes ", page, StringComparison.Ordinal);
        Assert.Contains(System.Net.WebUtility.HtmlEncode(run.Outcome.SampleAfter), page, StringComparison.Ordinal);
        Assert.All(report.PerPeer, peer => Assert.Contains(peer.Peer, page, StringComparison.Ordinal));
        Assert.Contains("<polyline", page, StringComparison.Ordinal);
    }

    [Fact]
    public void The_account_needs_no_other_file_and_no_program()
    {
        var page = RunAccount.Html(run.Sources);
        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotMatch(Elsewhere(), page);
    }

    [Fact]
    public void Baselines_are_drawn_beside_the_run()
    {
        var copy = run.Copy(_folder);
        File.WriteAllText(
            Path.Combine(copy.Root, "compare.json"),
            """{"tokens":100,"curves":[{"name":"swarm","curve":[]},{"name":"AdamW <best>","lossFinal":2.5,"curve":[{"tokens":0,"loss":6.1},{"tokens":40000,"loss":2.5}]}]}""");
        var page = RunAccount.Html(FinishedRun.SourcesOf(copy));
        Assert.Contains("AdamW &lt;best&gt;: 2.5000 nats/token", page, StringComparison.Ordinal);
        Assert.Equal(2, page.Split("<polyline").Length - 1);
    }

    [Fact]
    public void What_the_baseline_writes_stands_beside_what_the_run_writes()
    {
        var copy = run.Copy(_folder);
        FinishedRun.WriteBaseline(copy, FinishedRun.DataOf(copy), "Gets the <baseline>.");
        var page = RunAccount.Html(FinishedRun.SourcesOf(copy));
        Assert.Contains("Gets the &lt;baseline&gt;.", page, StringComparison.Ordinal);
        Assert.Contains("2.5000 nats/token on as many tokens", page, StringComparison.Ordinal);

        // On other text it says nothing about this run.
        FinishedRun.WriteBaseline(copy, new string('0', 64), "Gets the other.");
        Assert.DoesNotContain("Gets the other.", RunAccount.Html(FinishedRun.SourcesOf(copy)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_measured_of_contributions_stands_beside_the_pay()
    {
        var copy = run.Copy(_folder);
        Assert.DoesNotContain("Left out:", RunAccount.Html(FinishedRun.SourcesOf(copy)), StringComparison.Ordinal);
        var account = await ContributionMeasure.RunAsync(copy, new ContributionOptions(null, 1, 4, 2), _ => { }, TestContext.Current.CancellationToken);
        var page = RunAccount.Html(FinishedRun.SourcesOf(copy));
        Assert.All(account.Peers, peer => Assert.Contains(
            System.Net.WebUtility.HtmlEncode(
                FormattableString.Invariant($"{peer.Contribution!.Nats:+0.0000;-0.0000} ± {peer.Contribution.StandardError:0.0000}")), page, StringComparison.Ordinal));

        using var reader = BookTests.ReadAll(FinishedRun.SourcesOf(copy));
        Assert.Equal(account.Peers[1].LeftOut.Nats, PeersPage.One(reader.Book, account.Peers[1].Uid)!.Contribution!.LeftOut!.Nats, 9);

        // Of other rules it says nothing about this run.
        var path = Path.Combine(copy.Root, ContributionAccount.FileName);
        File.WriteAllText(path, File.ReadAllText(path).Replace(account.RulesDigest, new string('0', 64), StringComparison.Ordinal));
        Assert.DoesNotContain("Left out:", RunAccount.Html(FinishedRun.SourcesOf(copy)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_evaluators_found_stands_in_the_account_and_beside_the_checkpoints()
    {
        var copy = run.Copy(_folder);
        FinishedRun.DropLogs(copy);
        await RunEvaluator.RunAsync(
            new EvaluatorOptions(copy.Root, null, 1, 4, 2, null, new StoreAccess()),
            (_, _) => new ModelFindings([], [new Protocol.EvaluatedTask("arc", "acc_norm", 0.375, 0.125, 8)]), _ => { }, _ => { }, TestContext.Current.CancellationToken);
        FinishedRun.WriteBaseline(copy, FinishedRun.DataOf(copy), "Gets the baseline.");

        var page = RunAccount.Html(FinishedRun.SourcesOf(copy));
        Assert.Contains(System.Net.WebUtility.HtmlEncode("arc acc_norm 37.5 % ± 12.5"), page, StringComparison.Ordinal);
        using var reader = BookTests.ReadAll(FinishedRun.SourcesOf(copy));
        using var room = new CheckpointRoom(reader.Book, FinishedRun.SourcesOf(copy));
        var newest = room.All()[0];
        Assert.Equal(("validator-1", 0.375), (newest.Evaluations[0].By, newest.Evaluations[0].Tasks[0].Mean));
        Assert.Equal(newest.Loss, newest.Evaluations[0].Loss);
        Assert.Equal((run.Outcome.SampleAfter, run.Outcome.SampleBefore, "Gets the baseline."), (newest.Text, newest.TextAtStart, newest.TextCentral));

        // Signed by nobody of this run.
        var path = Directory.EnumerateFiles(copy.Evaluations, "*.txt", SearchOption.AllDirectories).Order().Last();
        TestFolder.FlipBit(path, 200);
        using var after = BookTests.ReadAll(FinishedRun.SourcesOf(copy));
        using var roomAfter = new CheckpointRoom(after.Book, FinishedRun.SourcesOf(copy));
        Assert.Empty(roomAfter.All()[0].Evaluations);
    }

    [Fact]
    public void Without_a_log_the_account_says_all_that_the_ledger_tells_and_what_it_does_not()
    {
        var copy = run.Copy(_folder);
        FinishedRun.DropLogs(copy);
        var (page, report) = (RunAccount.Html(FinishedRun.SourcesOf(copy)), run.Outcome.Report);
        Assert.Contains(report.BaseDigest, page, StringComparison.Ordinal);
        Assert.Contains(Words.Count(report.Tokens), page, StringComparison.Ordinal);
        Assert.Contains("No log of the run was at hand", page, StringComparison.Ordinal);
        Assert.Contains(Words.Count(report.Tokens), RunAccount.ModelCard(FinishedRun.SourcesOf(copy)), StringComparison.Ordinal);
    }

    [Fact]
    public void Words_of_others_are_text_in_the_account()
    {
        var copy = run.Copy(_folder);
        File.AppendAllText(copy.Events, "{\"time\":\"2026-01-01T00:00:00Z\",\"data\":{\"event\":\"sampled\",\"round\":5,\"text\":\"<script>alert(1)</script>\"}}\n");
        var page = RunAccount.Html(FinishedRun.SourcesOf(copy));
        Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt;", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void The_card_names_checkpoint_data_and_loss()
    {
        var card = RunAccount.ModelCard(run.Sources);
        using var reader = BookTests.ReadAll(run.Sources);
        Assert.StartsWith("---\nlibrary_name: transformers\n", card, StringComparison.Ordinal);
        Assert.Contains($"`{reader.Book.State.LatestCheckpoint!.Value.Digest}`", card, StringComparison.Ordinal);
        Assert.Contains($"`{reader.Book.Rules.Data.Manifest}`", card, StringComparison.Ordinal);
        Assert.Contains($"{reader.Book.Curve.Points[^1].Loss:F4} after round {FinishedRun.Rounds}", card, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_run_there_is_no_account() =>
        Assert.Throws<InputException>(() => RunAccount.Html(FinishedRun.SourcesOf(new Node.RunDirectory(_folder["none"]))));

    [GeneratedRegex("""(src|href)=|url\(|@import""", RegexOptions.IgnoreCase)]
    private static partial Regex Elsewhere();
}
