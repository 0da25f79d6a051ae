using System.Diagnostics;
using System.Globalization;
using System.Net;
using Cairn.Base;

namespace Cairn.Cli.Wan;

/// <summary>A network of its own with one line to this machine.</summary>
/// <param name="Name">As <c>ip netns</c> knows it.</param>
/// <param name="Host">The address of this machine as it is seen from there.</param>
internal sealed record NetworkSpace(string Name, IPAddress Host)
{
    /// <summary>What a command is begun with that runs there.</summary>
    public IReadOnlyList<string> Prefix => ["ip", "netns", "exec", Name];
}

/// <summary>Linux network namespaces, one for each node, each with a pair of virtual interfaces whose two ends hold the rates of its line. Named after this process, so
/// that a later one can take away what an earlier one left when it was killed.</summary>
internal sealed class NetworkSpaces : IDisposable
{
    /// <summary>As many as there are addresses for.</summary>
    public const int Max = 60;

    private const string NamePrefix = "cairn-wan-";
    private const double BurstSeconds = 0.004;
    private const int BurstBytesMin = 64 << 10;
    private readonly int _owner = Environment.ProcessId;
    private readonly List<string> _names = [];

    private NetworkSpaces()
    {
    }

    /// <summary>Takes away what is left of processes that are no more, and begins.</summary>
    /// <exception cref="InputException">This machine or this account cannot.</exception>
    public static NetworkSpaces Begin()
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new InputException("lines are made of Linux network namespaces: measure on Linux.");
        }

        if (!Environment.IsPrivilegedProcess)
        {
            throw new InputException("lines are made of network namespaces, which only root may create: run this as root.");
        }

        foreach (var program in (string[])["ip", "tc"])
        {
            if (TryRun(program, "-V") is { } fault)
            {
                throw new InputException($"{program} is missing ({fault}): install the Debian package iproute2.");
            }
        }

        RemoveLeft();
        return new NetworkSpaces();
    }

    /// <summary>Why no packet is lost, or empty.</summary>
    public string NoLoss { get; private set; } = "";

    /// <summary>Makes one.</summary>
    /// <param name="upMegabits">Megabits a second that it can send.</param>
    /// <param name="downMegabits">And receive.</param>
    /// <param name="lossPercent">Packets lost of a hundred, each way, where the kernel can do that.</param>
    /// <exception cref="InputException">The system does not do it.</exception>
    public NetworkSpace Add(double upMegabits, double downMegabits, double lossPercent)
    {
        var index = _names.Count;
        Invariant.Check(index < Max);
        var (name, link) = ($"{NamePrefix}{_owner}-{index}", $"cw{_owner % 100_000}n{index}");
        var network = $"10.213.{_owner % 250}";
        var (host, guest) = ($"{network}.{(4 * index) + 1}", $"{network}.{(4 * index) + 2}");
        _names.Add(name);
        Run("ip", "netns", "add", name);
        Run("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name);
        Run("ip", "address", "add", $"{host}/30", "dev", link);
        Run("ip", "link", "set", link, "up");
        Run("ip", "-n", name, "address", "add", $"{guest}/30", "dev", "eth0");
        Run("ip", "-n", name, "link", "set", "eth0", "up");
        Run("ip", "-n", name, "link", "set", "lo", "up");
        Run("ip", "-n", name, "route", "add", "default", "via", host);
        Run("tc", ["qdisc", "add", "dev", link, .. Rate(downMegabits)]);
        Run("tc", ["-n", name, "qdisc", "add", "dev", "eth0", .. Rate(upMegabits)]);
        if (lossPercent > 0 && NoLoss.Length == 0)
        {
            Lose(lossPercent, ["dev", link]);
            Lose(lossPercent, ["dev", "eth0"], "-n", name);
        }

        return new NetworkSpace(name, IPAddress.Parse(host));
    }

    /// <summary>Takes all away, with what still runs in them.</summary>
    public void Dispose() => _names.ForEach(Remove);

    /// <summary>True if a process with that number is one of this program.</summary>
    /// <param name="process">Its number.</param>
    public static bool IsAlive(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/cmdline").Contains("cairn", StringComparison.OrdinalIgnoreCase);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private void Lose(double percent, string[] device, params string[] where)
    {
        var share = string.Create(CultureInfo.InvariantCulture, $"{percent}%");
        var fault = TryRun("tc", [.. where, "qdisc", "add", .. device, "parent", "1:1", "handle", "10:", "netem", "limit", "10000", "loss", share]);
        NoLoss = fault is null ? NoLoss : $"no packets are lost: this kernel does not do it (tc netem: {fault})";
    }

    private static void RemoveLeft()
    {
        const string Known = "/run/netns";
        foreach (var path in Directory.Exists(Known) ? Directory.GetFiles(Known, NamePrefix + "*") : [])
        {
            var name = Path.GetFileName(path);
            if (int.TryParse(name[NamePrefix.Length..].Split('-')[0], CultureInfo.InvariantCulture, out var owner) && !IsAlive(owner))
            {
                Remove(name);
            }
        }
    }

    // With the namespace goes its end of the link, and with that the other end.
    private static void Remove(string name)
    {
        TryRun("ip", out var processes, "netns", "pids", name);
        foreach (var process in processes.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            TryRun("kill", "-9", process.Trim());
        }

        TryRun("ip", "netns", "delete", name);
    }

    private static string[] Rate(double megabits)
    {
        var burst = Math.Max(BurstBytesMin, (int)(megabits * 1e6 / 8 * BurstSeconds));
        return ["root", "handle", "1:", "tbf", "rate", string.Create(CultureInfo.InvariantCulture, $"{megabits * 1000:F0}kbit"), "burst", $"{burst}b", "latency", "50ms"];
    }

    private static void Run(string program, params string[] arguments)
    {
        if (TryRun(program, arguments) is { } fault)
        {
            throw new InputException($"this machine does not make a line ('{program} {string.Join(' ', arguments)}' says: {fault}).");
        }
    }

    private static string? TryRun(string program, params string[] arguments) => TryRun(program, out _, arguments);

    private static string? TryRun(string program, out string output, params string[] arguments)
    {
        output = "";
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            var errors = process.StandardError.ReadToEndAsync();
            output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? null : errors.Result.Trim().ReplaceLineEndings(" ");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return e.Message;
        }
    }
}
