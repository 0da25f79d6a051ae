using System.Diagnostics;
using Cairn.Base;

namespace Cairn.Node.Tests;

/// <summary>A disk that fills up in the middle of a run: one sentence, and with more space the run goes on.</summary>
public sealed class FullDiskTests(SmallRun run)
{
    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(8)]
    public async Task A_run_on_a_full_disk_stops_with_a_sentence_and_goes_on_when_there_is_space(int megabytes)
    {
        using var folder = new TestFolder();
        Directory.CreateDirectory(folder["disk"]);
        Assert.SkipUnless(Mount("-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", folder["disk"]), "this account may not mount a small file system");
        try
        {
            var directory = new RunDirectory(Path.Combine(folder["disk"], "run"));
            var refusal = await Assert.ThrowsAsync<InputException>(() => SmallRun.RunAsync(run.Options(directory.Root)));
            Assert.DoesNotContain('\n', refusal.Message);
            Assert.Contains(directory.Root, refusal.Message, StringComparison.Ordinal);
            Assert.True(Mount("-o", "remount,size=200m", folder["disk"]));
            if (directory.HoldsRun)
            {
                await run.AssertEndsAsUndisturbedAsync(directory);
            }
            else
            {
                Assert.True((await SmallRun.RunAsync(run.Options(directory.Root))).Finished);
            }
        }
        finally
        {
            Start("umount", folder["disk"]);
        }
    }

    [Fact]
    public void What_does_not_fit_on_the_disk_is_known_before_it_is_fetched_and_waits_in_memory()
    {
        using var folder = new TestFolder();
        Directory.CreateDirectory(folder["disk"]);
        Assert.SkipUnless(Mount("-t", "tmpfs", "-o", "size=128k", "tmpfs", folder["disk"]), "this account may not mount a small file system");
        try
        {
            var spool = new Spool(Path.Combine(folder["disk"], "spool"), inMemoryMax: 0);
            Assert.Null(spool.TryOpen(1 << 20));
            using (var file = spool.TryOpen(1 << 16))
            {
                Assert.Equal(0, file!.Length);
            }

            var bytes = new byte[1 << 20];
            bytes.AsSpan().Fill(7);
            using var kept = spool.Keep(bytes);
            Assert.IsType<MemoryStream>(kept);
            var read = new byte[bytes.Length];
            kept.ReadExactly(read);
            Assert.Equal(bytes, read);
        }
        finally
        {
            Start("umount", folder["disk"]);
        }
    }

    private static bool Mount(params string[] arguments) => Start("mount", arguments);

    private static bool Start(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
