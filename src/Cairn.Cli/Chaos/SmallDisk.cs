using System.Diagnostics;
using Cairn.Base;

namespace Cairn.Cli.Chaos;

/// <summary>A disk of a few megabytes below one node's folder, which can be filled to the last byte. Needs the right to mount.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly string _folder;

    private SmallDisk(string folder, ChaosNode node) => (_folder, Node) = (folder, node);

    public ChaosNode Node { get; }

    /// <summary>Mounts one, or says why not.</summary>
    /// <param name="folder">The node's folder, in which its key lies.</param>
    /// <param name="megabytes">Its size.</param>
    /// <param name="node">Whose.</param>
    /// <param name="whyNot">Empty, or one sentence.</param>
    public static SmallDisk? TryMount(string folder, int megabytes, ChaosNode node, out string whyNot)
    {
        whyNot = "";
        if (!OperatingSystem.IsLinux())
        {
            whyNot = "full disk: only tried on Linux";
            return null;
        }

        // Only the key is kept: nothing else is there before the node's first start.
        var key = Path.Combine(folder, "node.key");
        var kept = File.ReadAllBytes(key);
        var mode = File.GetUnixFileMode(key);
        if (Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", folder) != 0)
        {
            whyNot = "full disk: this account may not mount a small one";
            return null;
        }

        File.WriteAllBytes(key, kept);
        File.SetUnixFileMode(key, mode);
        return new SmallDisk(folder, node);
    }

    /// <summary>Takes all that is free.</summary>
    public void Fill()
    {
        try
        {
            using var filler = new FileStream(Filler, FileMode.Create, FileAccess.Write, FileShare.None, 1);
            var piece = new byte[4096];
            while (true)
            {
                filler.Write(piece);
            }
        }
        catch (IOException)
        {
            // Full.
        }
    }

    /// <summary>Gives it back.</summary>
    public void Free() => File.Delete(Filler);

    public void Dispose() => Run("umount", "-l", _folder);

    private string Filler => Path.Combine(_folder, "filler");

    private static int Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            process.WaitForExit();
            return process.ExitCode;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return -1;
        }
    }
}
