using Cairn.Base;

namespace Cairn.Node.Tests;

/// <summary>The checkpoints that a ledger comes to name.</summary>
public sealed class NamedCheckpointsTests(SmallRun run) : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_ledger_is_read_on_from_where_it_was_and_not_anew()
    {
        TestFolder.Copy(run.WholeFolder, _folder["run"]);
        var directory = new RunDirectory(_folder["run"]);
        var whole = File.ReadAllBytes(directory.Ledger);
        // So much of it that only the first of the two checkpoints is named.
        var early = whole.Length;
        string? first = null;
        while (first is null || Path.GetFileName(first) != "000004")
        {
            early = early * 15 / 16;
            File.WriteAllBytes(directory.Ledger, whole[..early]);
            using var cut = NamedCheckpoints.Open(directory);
            first = cut.Newest();
        }

        using var named = NamedCheckpoints.Open(directory);
        Assert.Equal(first, named.Verify(TestContext.Current.CancellationToken));
        Assert.Equal(first, named.Newest());
        // Of what was read already a byte is another now: whoever reads anew is refused.
        using (var file = new FileStream(directory.Ledger, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.Write(whole);
            file.Position = early / 2;
            file.WriteByte((byte)~whole[early / 2]);
        }

        Assert.Throws<InputException>(() => NamedCheckpoints.Open(directory));
        Assert.Equal("000006", Path.GetFileName(named.Newest()));
        Assert.Equal(named.Newest(), named.Verify(TestContext.Current.CancellationToken));
    }

    [Fact]
    public void A_run_without_a_checkpoint_names_none_and_says_what_to_do()
    {
        using var named = NamedCheckpoints.Open(run.CopyOfHalf(_folder));
        Assert.Null(named.Newest());
        Assert.Contains("cairn swarm --resume", Assert.Throws<InputException>(() => named.Verify(TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
    }
}
