namespace Cairn.Node.Tests;

/// <summary>What cannot be used is named in one sentence, and once it is restored the run ends as if nothing had happened.</summary>
public sealed class RefusalTests(SmallRun run)
{
    public static TheoryData<string, long> DamagedFiles => new()
    {
        { "ledger.cairn", 20 }, // genesis
        { "ledger.cairn", 1500 }, // an early block
        { "ledger.cairn", -2500 }, // a later block
        { "data/train-00000.tokens", 3000 },
        { "data/held-out.tokens", -50 },
        { "data/tokenizer.json", 2000 },
        { "data/manifest.json", 200 },
        { "nodes/peer-1/node.key", 60 },
    };

    [Theory]
    [MemberData(nameof(DamagedFiles))]
    public async Task A_damaged_file_is_named_and_the_run_goes_on_once_it_is_restored(string file, long at)
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        var path = Path.Combine(half.Root, file);
        var kept = File.ReadAllBytes(path);
        TestFolder.FlipBit(path, at);
        Assert.Contains(Path.GetDirectoryName(path)!, OneSentence(await run.RefusalAsync(half)), StringComparison.Ordinal);
        File.WriteAllBytes(path, kept);
        await run.AssertEndsAsUndisturbedAsync(half);
    }

    [Theory]
    [InlineData("rules.json")]
    [InlineData("ledger.cairn")]
    public async Task A_run_with_a_missing_file_is_neither_continued_nor_overwritten(string file)
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        var path = Path.Combine(half.Root, file);
        File.Move(path, folder["kept"]);
        Assert.Contains("rules.json", OneSentence(await run.RefusalAsync(half)), StringComparison.Ordinal);
        var anew = await Assert.ThrowsAsync<Base.InputException>(() => SmallRun.RunAsync(run.Options(half.Root)));
        Assert.Contains("restore", OneSentence(anew.Message), StringComparison.Ordinal);
        File.Move(folder["kept"], path);
        await run.AssertEndsAsUndisturbedAsync(half);
    }

    [Theory]
    [InlineData("\"seed\": 5", "\"seed\": 6")]
    [InlineData("\"outerRate\": 1.5", "\"outerRate\": 1.4")]
    [InlineData("\"rules\": {", "\"rules\": [")]
    [InlineData("{", "")]
    public async Task Edited_rules_are_refused(string what, string by)
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        var text = File.ReadAllText(half.Rules);
        Assert.Contains(what, text, StringComparison.Ordinal);
        File.WriteAllText(half.Rules, text.Replace(what, by, StringComparison.Ordinal));
        Assert.Contains("rules.json", OneSentence(await run.RefusalAsync(half)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rules_of_another_run_are_refused()
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        File.Copy(new RunDirectory(run.WholeFolder).Rules, half.Rules, overwrite: true);
        Assert.Contains("other rules", OneSentence(await run.RefusalAsync(half)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_update_that_is_still_needed_is_named()
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        // Without its newest state the peer must apply round 3 once more.
        File.Delete(WrongState.PathOf(half, "peer-1", WrongState.Newest(half, "peer-1")));
        var update = Directory.EnumerateFiles(Path.Combine(half.Store, "rounds", "000003", "updates")).Order().First();
        var kept = File.ReadAllBytes(update);
        TestFolder.FlipBit(update, 1000);
        var deltas = Path.Combine(half.Store, "rounds", "000003", "deltas");
        Directory.Move(deltas, folder["deltas"]);
        var sentence = OneSentence(await run.RefusalAsync(half));
        Assert.Contains(half.Store, sentence, StringComparison.Ordinal);
        Assert.Contains("round 3", sentence, StringComparison.Ordinal);
        File.WriteAllBytes(update, kept);
        await run.AssertEndsAsUndisturbedAsync(half);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_round_whose_updates_are_gone_is_caught_up_by_its_mean_and_a_lying_source_is_passed_over(bool withALie)
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        File.Delete(WrongState.PathOf(half, "peer-1", WrongState.Newest(half, "peer-1")));
        Directory.Delete(Path.Combine(half.Store, "rounds", "000003", "updates"), recursive: true);
        var honest = Directory.EnumerateFiles(Path.Combine(half.Store, "rounds", "000003", "deltas")).Single();
        if (withALie)
        {
            // Well formed, of the right manifest, first in the list, and wrong: another round's mean under this round's header.
            var other = File.ReadAllBytes(Directory.EnumerateFiles(Path.Combine(half.Store, "rounds", "000002", "deltas")).Single());
            File.WriteAllBytes(
                Path.Combine(Path.GetDirectoryName(honest)!, "000000"),
                [.. File.ReadAllBytes(honest)[..Sparse.RoundDelta.HeaderBytes], .. other[Sparse.RoundDelta.HeaderBytes..]]);
        }

        var outcome = await run.ResumeAsync(half);

        Assert.True(outcome.Finished);
        Assert.Empty(outcome.Halted);
        Assert.True(outcome.Report.DigestAgreement);
        Assert.All(outcome.Report.PerPeer, peer => Assert.Equal(0, peer.Rejected));
    }

    [Fact]
    public async Task A_store_that_does_not_take_the_mean_of_a_round_stops_nobody()
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        var inTheWay = Path.Combine(half.Store, "rounds", "000005", "deltas");
        Directory.CreateDirectory(Path.GetDirectoryName(inTheWay)!);
        File.WriteAllText(inTheWay, "a file where the folder should be");

        await run.AssertEndsAsUndisturbedAsync(half);

        var told = Assert.Single(EventLog.Read(half.Events).Select(line => line.Data).OfType<DeltaNotPut>());
        Assert.Equal(("validator-1", 5), (told.Node, told.Round));
        Assert.Contains(inTheWay, told.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_others_can_read_is_refused()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "files have no mode bits here");
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        var key = Path.Combine(half.Node("peer-2"), "node.key");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        }

        var sentence = OneSentence(await run.RefusalAsync(half));
        Assert.Contains(key, sentence, StringComparison.Ordinal);
        Assert.Contains("chmod 600", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_key_of_somebody_else_is_refused()
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        File.Copy(Path.Combine(half.Node("peer-1"), "node.key"), Path.Combine(half.Node("peer-2"), "node.key"), overwrite: true);
        Assert.Contains("peer-2", OneSentence(await run.RefusalAsync(half)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_in_use_is_refused()
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        using (half.Lock())
        {
            Assert.Contains("another cairn process", OneSentence(await run.RefusalAsync(half)), StringComparison.Ordinal);
        }

        await run.AssertEndsAsUndisturbedAsync(half);
    }

    [Fact]
    public async Task An_occupied_folder_takes_no_new_run_and_an_empty_one_cannot_be_resumed()
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        var occupied = await Assert.ThrowsAsync<Base.InputException>(() => SmallRun.RunAsync(run.Options(half.Root)));
        Assert.Contains("--resume", OneSentence(occupied.Message), StringComparison.Ordinal);
        Assert.Contains("no run", OneSentence(await run.RefusalAsync(new RunDirectory(folder["empty"]))), StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["empty"]));
    }

    [Fact]
    public async Task A_run_that_cannot_fit_is_refused_before_anything_is_read()
    {
        using var folder = new TestFolder();
        foreach (var preset in new[] { "8b", "72b" })
        {
            var refusal = await Assert.ThrowsAsync<Base.InputException>(() => SmallRun.RunAsync(run.Options(folder["run"]) with { Preset = preset, Peers = 64 }));
            Assert.Contains("GB", OneSentence(refusal.Message), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Too_little_text_for_a_round_is_refused_with_both_numbers()
    {
        using var folder = new TestFolder();
        var refusal = await Assert.ThrowsAsync<Base.InputException>(() => SmallRun.RunAsync(run.Options(folder["run"]) with { Peers = 64 }));
        Assert.Contains("samples", OneSentence(refusal.Message), StringComparison.Ordinal);
        // What failed to begin does not stand in the way of a run that fits.
        await SmallRun.RunAsync(run.Options(folder["run"]), stopAfter: -1);
    }

    private static string OneSentence(string message)
    {
        Assert.DoesNotContain('\n', message);
        Assert.DoesNotContain("   at ", message, StringComparison.Ordinal);
        return message;
    }
}
