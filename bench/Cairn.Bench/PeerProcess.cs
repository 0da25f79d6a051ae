using System.Diagnostics;
using System.Text.Json;

namespace Cairn.Bench;

/// <summary>A peer beside us in a child process: a line in tells it what to do, a line of JSON out says in how many seconds it was done.</summary>
internal sealed class PeerProcess : IDisposable
{
    private readonly Process _process;

    private PeerProcess(Process process) => _process = process;

    /// <summary>Starts a peer; what it says on its error stream is passed over.</summary>
    /// <param name="start">Program and arguments.</param>
    /// <returns>Null if the program is not on this machine.</returns>
    public static PeerProcess? TryStart(ProcessStartInfo start)
    {
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        try
        {
            var process = Process.Start(start)!;
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            return new PeerProcess(process);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    /// <summary>The next line that it says; null if it ended.</summary>
    public string? ReadLine() => _process.StandardOutput.ReadLine();

    /// <summary>Lets it do something.</summary>
    /// <returns>Seconds of processor time with one thread, of wall time with more.</returns>
    public double Run(string command)
    {
        _process.StandardInput.WriteLine(command);
        _process.StandardInput.Flush();
        var line = ReadLine() ?? throw new InvalidOperationException($"{_process.StartInfo.FileName} ended");
        using var answer = JsonDocument.Parse(line);
        return answer.RootElement.GetProperty("seconds").GetDouble();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }
}
