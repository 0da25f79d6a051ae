using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Node.Tests;

/// <summary>What people have members say on a run's ledger, and what an auditor counts in it.</summary>
public sealed class MemberVoiceTests(SmallRun run)
{
    [Fact]
    public async Task A_swarm_that_is_paused_waits_and_ends_as_if_it_had_not_been_once_it_goes_on()
    {
        using var folder = new TestFolder();
        var options = run.Options(folder["run"]);
        await SmallRun.RunAsync(options, stopAt: happened => happened is RoundApplied { Round: 2 });
        var directory = new RunDirectory(folder["run"]);
        Assert.True(MemberVoice.VotePause(directory, paused: true, []));
        Assert.True(RunSummary.Read(directory).Paused);

        // It plays the round in progress to its end, then waits until it may go on.
        var going = SmallRun.RunAsync(options with { Resume = true });
        var closed = RunSummary.Read(directory).RoundsClosed;
        await Task.WhenAny(going, Task.Delay(TimeSpan.FromSeconds(3), TestContext.Current.CancellationToken));
        Assert.False(going.IsCompleted);
        Assert.InRange(RunSummary.Read(directory).RoundsClosed, closed, closed + 1);
        Assert.False(MemberVoice.VotePause(directory, paused: false, ["validator-1"]));
        var outcome = await going;
        Assert.True(outcome.Finished);
        Assert.Equal(run.Undisturbed.Report.BaseDigest, outcome.Report.BaseDigest);
    }

    [Fact]
    public async Task A_peer_that_leaves_is_missed_in_no_later_round()
    {
        using var folder = new TestFolder();
        var options = run.Options(folder["run"]);
        await SmallRun.RunAsync(options, stopAt: happened => happened is RoundApplied { Round: 2 });
        var directory = new RunDirectory(folder["run"]);
        MemberVoice.Leave(directory, "peer-2");
        var outcome = await SmallRun.RunAsync(options with { Resume = true });
        Assert.True(outcome.Finished && outcome.Report.DigestAgreement);
        var summary = RunSummary.Read(directory);
        Assert.True(summary.Members.Single(m => m.Name == "peer-2").Left);
        Assert.Equal(7, summary.RoundsClosed);
        Assert.Equal(1, summary.History[^1].Members);
        Assert.True(SampleAudit.Of(directory).Holds);
    }

    [Fact]
    public async Task Rules_that_validators_change_hold_from_the_announced_round_on_for_everybody()
    {
        using var folder = new TestFolder();
        var options = run.Options(folder["run"]);
        await SmallRun.RunAsync(options, stopAt: happened => happened is RoundApplied { Round: 2 });
        var directory = new RunDirectory(folder["run"]);
        RuleChange[] changes = [ChangeableRule.Read("outerRate=0.5"), ChangeableRule.Read("rewardPerSettlement=1000")];
        var early = Assert.Throws<InputException>(() => MemberVoice.VoteRules(directory, new RulesVote.Propose(new Round(3), changes), []));
        Assert.Contains("it can begin with rounds", early.Message, StringComparison.Ordinal);
        var after = MemberVoice.VoteRules(directory, new RulesVote.Propose(new Round(5), changes), []);
        Assert.Equal(["rewardPerSettlement=1000", "outerRate=0.5"], Assert.Single(after.Carried).Changes);
        Assert.False(after.Carried[0].InForce);

        // The rounds before it are those of the run that nobody changed; those after it are not, and all replicas agree on them.
        var outcome = await SmallRun.RunAsync(options with { Resume = true });
        Assert.True(outcome.Finished && outcome.Report.DigestAgreement);
        var (summary, undisturbed) = (RunSummary.Read(directory), RunSummary.Read(new RunDirectory(run.WholeFolder)));
        Assert.Equal(undisturbed.History.Select(round => round.BaseDigest).Take(5), summary.History.Select(round => round.BaseDigest).Take(5));
        Assert.NotEqual(undisturbed.History[5].BaseDigest, summary.History[5].BaseDigest);
        Assert.True(summary.Rules.Carried[0].InForce);
        var now = RunRulesNow.Read(directory).Now;
        // So does whoever makes the rounds again afterwards.
        var contributions = await ContributionMeasure.RunAsync(
            directory, new ContributionOptions(null, int.MaxValue, 2, Threads: 2), _ => { }, TestContext.Current.CancellationToken);
        Assert.Equal(7, contributions.Rounds.Count);
        Assert.Equal(("0.5", "1000"), (now.Single(rule => rule.Name == "outerRate").Value, now.Single(rule => rule.Name == "rewardPerSettlement").Value));

        // Whoever walks through the rounds later, by updates or by means, steps by the rate that each had.
        Directory.Delete(Path.Combine(directory.Store, "rounds", "000005", "updates"), recursive: true);
        var account = await ContributionMeasure.RunAsync(
            directory, new ContributionOptions(null, int.MaxValue, 2, Threads: 2), _ => { }, TestContext.Current.CancellationToken);
        Assert.Contains(6, account.Rounds);
    }

    [Fact]
    public void Who_is_no_member_and_who_is_the_last_validator_hears_why_not()
    {
        var directory = new RunDirectory(run.WholeFolder);
        Assert.Contains("no member", Assert.Throws<InputException>(() => MemberVoice.Leave(directory, "nobody")).Message, StringComparison.Ordinal);
        Assert.Contains("no validator", Assert.Throws<InputException>(() => MemberVoice.VotePause(directory, true, ["peer-1"])).Message, StringComparison.Ordinal);
        Assert.Contains("the run is over", Assert.Throws<InputException>(() => MemberVoice.Leave(directory, "validator-1")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void After_a_run_what_was_trained_is_what_was_planned_sample_by_sample()
    {
        var audit = SampleAudit.Of(new RunDirectory(run.WholeFolder));
        Assert.True(audit.Holds);
        Assert.Equal((7L * 2 * 40, 7L * 2 * 40), (audit.Planned, audit.Trained));
        Assert.Equal((0L, 0L), (audit.Duplicates, audit.Missing));
        Assert.All(audit.PerPeer, peer => Assert.Equal((7, 7L * 40, 0), (peer.Rounds, peer.Samples, peer.BadReceipts)));
    }
}
