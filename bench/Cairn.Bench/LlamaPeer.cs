using System.Diagnostics;
using System.Text.Json;
using Cairn.Base;

namespace Cairn.Bench;

/// <summary>llama.cpp beside us: the same file in a child process that evaluates when told to. From npm's node-llama-cpp, whose libraries are the project's own builds
/// for each kind of processor.</summary>
internal sealed class LlamaPeer : IDisposable
{
    private const string Script = "llama_speed.mjs";
    private readonly Process _process;

    private LlamaPeer(Process process) => _process = process;

    /// <summary>Starts the peer and lets it load the model.</summary>
    /// <param name="modules">The folder with node_modules.</param>
    /// <param name="model">A GGUF file.</param>
    /// <param name="threads">Threads to compute with.</param>
    /// <exception cref="InputException">It does not start.</exception>
    public static LlamaPeer Start(string modules, string model, int threads)
    {
        var start = new ProcessStartInfo("node") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[] { Path.Combine(AppContext.BaseDirectory, Script), Path.GetFullPath(modules), model, threads.ToString() })
        {
            start.ArgumentList.Add(argument);
        }

        try
        {
            var process = Process.Start(start)!;
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            var peer = new LlamaPeer(process);
            return process.StandardOutput.ReadLine() is not null
                ? peer
                : throw new InputException($"node-llama-cpp does not start from {modules}: run npm ci --omit=optional --ignore-scripts in tools/llama-cpp, or name its folder.");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new InputException("node is not installed: llama.cpp cannot be measured here.");
        }
    }

    /// <summary>Evaluates.</summary>
    /// <returns>Seconds of processor time with one thread, of wall time with more.</returns>
    public double Run(string command)
    {
        _process.StandardInput.WriteLine(command);
        _process.StandardInput.Flush();
        var line = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("the process of llama.cpp ended");
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
