namespace Cairn.Base.Tests;

public sealed class DurableFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-file-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_write_creates_folders_replaces_whole_and_leaves_nothing_else(bool flush)
    {
        var path = Path.Combine(_folder, "a", "b", "c.bin");
        DurableFile.Write(path, new byte[100_000], flush);
        DurableFile.Write(path, "new"u8, flush);
        Assert.Equal("new"u8, File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFileSystemEntries(Path.GetDirectoryName(path)!));
    }

    [Fact]
    public void A_write_that_breaks_off_leaves_the_old_content()
    {
        var path = Path.Combine(_folder, "file");
        DurableFile.Write(path, "old"u8);
        Assert.Throws<InputException>(() => DurableFile.Write(path, stream =>
        {
            stream.Write("half"u8);
            throw new IOException("No space left on device.");
        }));
        Assert.Throws<InvalidOperationException>(() => DurableFile.Write(path, _ => throw new InvalidOperationException()));
        Assert.Equal("old"u8, File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void What_killed_writes_have_left_is_taken_away_and_nothing_else()
    {
        string[] kept = [Path.Combine(_folder, "state-0.bin"), Path.Combine(_folder, "a", ".hidden"), Path.Combine(_folder, "a", "notes.tmp")];
        string[] left = [Path.Combine(_folder, ".state-0.bin.abc.tmp"), Path.Combine(_folder, "a", ".sent.x.tmp")];
        foreach (var path in kept.Concat(left))
        {
            DurableFile.Write(path, "x"u8);
        }

        DurableFile.DeleteLeft(_folder);
        Assert.All(kept, path => Assert.True(File.Exists(path)));
        Assert.All(left, path => Assert.False(File.Exists(path)));
        DurableFile.DeleteLeft(Path.Combine(_folder, "none"));
    }

    [Fact]
    public async Task Writers_at_once_leave_the_content_of_one()
    {
        var path = Path.Combine(_folder, "file");
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => DurableFile.Write(path, Enumerable.Repeat((byte)i, 10_000 + i).ToArray(), flush: false))));
        var bytes = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal(10_000 + bytes[0], bytes.Length);
        Assert.All(bytes, b => Assert.Equal(bytes[0], b));
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void A_place_that_cannot_be_written_is_refused_with_a_remedy()
    {
        var file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");
        var refused = Assert.Throws<InputException>(() => DurableFile.Write(Path.Combine(file, "below"), "x"u8));
        Assert.Contains(file, refused.Message, StringComparison.Ordinal);
        Assert.Contains("--dir", refused.Message, StringComparison.Ordinal);
        Assert.Throws<InputException>(() => DurableFile.Write(_folder, "x"u8));
    }
}
