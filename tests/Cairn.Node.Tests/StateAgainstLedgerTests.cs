using Cairn.Base;

namespace Cairn.Node.Tests;

/// <summary>Parts of a run that are not of one time or one run are told apart, by one sentence each.</summary>
public sealed class StateAgainstLedgerTests(SmallRun run)
{
    [Fact]
    public async Task A_ledger_that_was_cut_behind_its_nodes_is_refused_and_nothing_is_changed()
    {
        using var folder = new TestFolder();
        var late = run.CopyOfLate(folder);
        var kept = File.ReadAllBytes(late.Ledger);
        File.WriteAllBytes(late.Ledger, kept[..(kept.Length / 2)]);

        Assert.Contains("the ledger was cut", await run.RefusalAsync(late), StringComparison.Ordinal);

        File.WriteAllBytes(late.Ledger, kept);
        await run.AssertEndsAsUndisturbedAsync(late);
    }

    [Fact]
    public void A_model_that_the_ledger_does_not_name_is_not_talked_to()
    {
        using var folder = new TestFolder();
        TestFolder.Copy(run.WholeFolder, folder["run"]);
        var whole = new RunDirectory(folder["run"]);
        var (parameters, _) = CheckpointFolder.LoadVerified(whole);
        parameters.Dispose();
        var file = Path.Combine(CheckpointFolder.Newest(whole)!, "model.safetensors");
        TestFolder.FlipBit(file, -50);

        var refusal = Assert.Throws<InputException>(() => CheckpointFolder.LoadVerified(whole));

        Assert.Contains("not the one that the ledger names", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_report_of_another_time_is_not_shown_and_rules_of_another_run_are_refused()
    {
        using var folder = new TestFolder();
        TestFolder.Copy(run.WholeFolder, folder["whole"]);
        var whole = new RunDirectory(folder["whole"]);
        Assert.NotNull(RunSummary.Read(whole).LossFinal);
        var late = run.CopyOfLate(folder);
        File.Copy(new RunDirectory(run.WholeFolder).Report, late.Report, overwrite: true);
        Assert.Null(RunSummary.Read(late).LossFinal);

        var rules = Protocol.RunRulesFile.Read(File.ReadAllBytes(whole.Rules), "rules");
        File.WriteAllBytes(late.Rules, Protocol.RunRulesFile.Write(rules with { Seed = rules.Seed + 1 }));
        Assert.Contains("belongs to other rules", Assert.Throws<InputException>(() => RunSummary.Read(late)).Message, StringComparison.Ordinal);
    }
}
