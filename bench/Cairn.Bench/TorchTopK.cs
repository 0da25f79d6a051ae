using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Cairn.Bench;

/// <summary>PyTorch doing what a peer does after its inner steps: error feedback, top-64 of 4096, four levels, 12-bit places, 2-bit codes.</summary>
internal static class TorchTopK
{
    private const string Script = "torch_topk.py";

    /// <summary>Runs it in a process of its own.</summary>
    /// <returns>What it calls itself and elements per second (processor time with one thread, wall time with more); null if this machine has no Python with
    /// torch.</returns>
    public static (string Name, double PerSecond)? TryMeasure(long elements, int threads)
    {
        var script = Path.Combine(AppContext.BaseDirectory, Script);
        foreach (var python in new[] { "/usr/bin/python3", "python3" })
        {
            try
            {
                var start = new ProcessStartInfo(python) { RedirectStandardOutput = true, RedirectStandardError = true };
                start.ArgumentList.Add(script);
                start.ArgumentList.Add(elements.ToString(CultureInfo.InvariantCulture));
                start.ArgumentList.Add(threads.ToString(CultureInfo.InvariantCulture));
                using var process = Process.Start(start)!;
                process.ErrorDataReceived += (_, _) => { };
                process.BeginErrorReadLine();
                var answer = process.StandardOutput.ReadToEnd();
                process.WaitForExit();
                if (process.ExitCode == 0)
                {
                    using var parsed = JsonDocument.Parse(answer);
                    return (parsed.RootElement.GetProperty("name").GetString()!, parsed.RootElement.GetProperty("perSecond").GetDouble());
                }
            }
            catch (System.ComponentModel.Win32Exception)
            {
                // No such program: the next one.
            }
        }

        return null;
    }
}
