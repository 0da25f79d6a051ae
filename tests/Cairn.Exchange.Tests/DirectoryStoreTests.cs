using Cairn.Base;

namespace Cairn.Exchange.Tests;

public sealed class DirectoryStoreTests : ObjectStoreContract, IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("cairn-store-").FullName;

    protected override IObjectStore Open() => new DirectoryStore(Path.Combine(_root, "store"), flush: false);

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task A_link_inside_the_store_leads_nowhere()
    {
        var store = Open();
        var secret = Path.Combine(_root, "outside", "secret");
        Directory.CreateDirectory(Path.GetDirectoryName(secret)!);
        await File.WriteAllTextAsync(secret, "private", Cancel);
        Directory.CreateDirectory(Path.Combine(_root, "store", "run"));
        File.CreateSymbolicLink(Path.Combine(_root, "store", "run", "file"), secret);
        Directory.CreateSymbolicLink(Path.Combine(_root, "store", "shards"), Path.GetDirectoryName(secret)!);

        Assert.Equal(FetchStatus.Corrupt, (await store.GetAsync(Key("run/file"), 1000, Cancel)).Status);
        Assert.Equal(FetchStatus.Corrupt, (await store.GetAsync(Key("shards/secret"), 1000, Cancel)).Status);
        Assert.False(await store.ExistsAsync(Key("shards/secret"), Cancel));
        Assert.Empty(await List(store, ""));
        await store.DeleteAsync(Key("shards/secret"), Cancel);
        Assert.Equal(PutStatus.Refused, (await store.PutAsync(Key("shards/secret"), Content(3), Cancel)).Status);
        await store.PutAsync(Key("run/file"), Content(3), Cancel);
        Assert.Equal("private", await File.ReadAllTextAsync(secret, Cancel));
        Assert.Equal(Content(3), (await store.GetAsync(Key("run/file"), 3, Cancel)).Bytes);
    }

    [Fact]
    public async Task The_root_may_be_a_link_itself()
    {
        Directory.CreateDirectory(Path.Combine(_root, "disk"));
        Directory.CreateSymbolicLink(Path.Combine(_root, "linked"), Path.Combine(_root, "disk"));
        var store = new DirectoryStore(Path.Combine(_root, "linked"));
        await store.PutAsync(Key("run/x"), Content(7), Cancel);
        Assert.Equal(Content(7), (await store.GetAsync(Key("run/x"), 7, Cancel)).Bytes);
        Assert.Equal(["run/x"], await List(store, "run/"));
    }

    [Fact]
    public async Task What_a_killed_writer_left_is_no_object()
    {
        var store = Open();
        var folder = Path.Combine(_root, "store", "run");
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, ".x.abcd.tmp"), "half", Cancel);
        await File.WriteAllTextAsync(Path.Combine(folder, "Not A Key"), "stray", Cancel);
        Assert.Empty(await List(store, ""));
    }

    [Fact]
    public async Task A_pipe_in_the_store_hangs_nobody()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "pipes have no file names there");
        var store = Open();
        Directory.CreateDirectory(Path.Combine(_root, "store", "run"));
        using var mkfifo = System.Diagnostics.Process.Start("mkfifo", Path.Combine(_root, "store", "run", "pipe"));
        await mkfifo.WaitForExitAsync(Cancel);
        Assert.Equal(0, mkfifo.ExitCode);
        Assert.Empty((await store.GetAsync(Key("run/pipe"), 1000, Cancel).WaitAsync(TimeSpan.FromSeconds(20), Cancel)).Bytes);
    }

    [Fact]
    public async Task A_put_leaves_no_second_file()
    {
        var store = Open();
        await store.PutAsync(Key("run/x"), Content(9), Cancel);
        Assert.Single(Directory.GetFiles(Path.Combine(_root, "store"), "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }));
    }

    [Fact]
    public async Task A_place_that_cannot_be_written_is_the_users_trouble_with_a_remedy()
    {
        var file = Path.Combine(_root, "file");
        await File.WriteAllTextAsync(file, "", Cancel);
        Assert.Contains(file, Assert.Throws<InputException>(() => new DirectoryStore(file)).Message, StringComparison.Ordinal);

        var store = Open();
        await store.PutAsync(Key("run"), Content(1), Cancel);
        var refused = await store.PutAsync(Key("run/x"), Content(1), Cancel);
        Assert.Equal(PutStatus.Refused, refused.Status);
        Assert.Contains("--dir", refused.Detail, StringComparison.Ordinal);
        Assert.Equal(FetchStatus.Missing, (await store.GetAsync(Key("run/x"), 9, Cancel)).Status);
    }
}
