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
