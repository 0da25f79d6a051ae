using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Cairn.Cli.Tests;

/// <summary>The program as a user starts it: a process of its own.</summary>
internal sealed class CairnProcess : IDisposable
{
    private static readonly string _program = Path.Combine(AppContext.BaseDirectory, "cairn.dll");
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _errors = new();

    private CairnProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Append(_output, line.Data);
        process.ErrorDataReceived += (_, line) => Append(_errors, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public bool HasExited => _process.HasExited;

    public string Output => Read(_output);

    public string Errors => Read(_errors);

    public static CairnProcess Start(IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(_program);
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return new CairnProcess(Process.Start(start)!);
    }

    public static CairnProcess Start(params string[] arguments) => Start(new Dictionary<string, string>(), arguments);

    /// <summary>Waits for the end.</summary>
    /// <param name="minutesMax">How long at most.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> EndAsync(int minutesMax = 3)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromMinutes(minutesMax));
        await _process.WaitForExitAsync(patience.Token);
        return _process.ExitCode;
    }

    /// <summary>kill -9: nothing of the process runs any more, not even a finally.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>What Ctrl-C sends; or, where this test itself was started deaf to that, what a polite kill sends.</summary>
    public void Interrupt()
    {
        const int Interrupted = 2;
        const int Terminated = 15;
        var deaf = File.ReadLines("/proc/self/status").Any(line => line.StartsWith("SigIgn:", StringComparison.Ordinal) && (Convert.ToUInt64(line[7..].Trim(), 16) & 2) != 0);
        Assert.Equal(0, SendSignal(_process.Id, deaf ? Terminated : Interrupted));
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Kill();
        }

        _process.Dispose();
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int process, int signal);

    private static void Append(StringBuilder text, string? line)
    {
        lock (text)
        {
            text.Append(line).Append(line is null ? "" : "\n");
        }
    }

    private static string Read(StringBuilder text)
    {
        lock (text)
        {
            return text.ToString();
        }
    }
}
