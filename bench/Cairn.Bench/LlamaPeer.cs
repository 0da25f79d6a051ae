using System.Diagnostics;
using Cairn.Base;

namespace Cairn.Bench;

/// <summary>llama.cpp beside us: the same file in a child process that evaluates when told to. From npm's node-llama-cpp, whose libraries are the project's own
/// builds for each kind of processor.</summary>
internal static class LlamaPeer
{
    private const string Script = "llama_speed.mjs";

    /// <summary>Starts the peer and lets it load the model.</summary>
    /// <param name="modules">The folder with node_modules.</param>
    /// <param name="model">A GGUF file.</param>
    /// <param name="threads">Threads to compute with.</param>
    /// <exception cref="InputException">It does not start.</exception>
    public static PeerProcess Start(string modules, string model, int threads)
    {
        string[] arguments = [Path.Combine(AppContext.BaseDirectory, Script), Path.GetFullPath(modules), model, threads.ToString()];
        var peer = PeerProcess.TryStart(new ProcessStartInfo("node", arguments)) ?? throw new InputException("node is not installed: llama.cpp cannot be measured here.");
        if (peer.ReadLine() is not null)
        {
            return peer;
        }

        peer.Dispose();
        throw new InputException($"node-llama-cpp does not start from {modules}: run npm ci --omit=optional --ignore-scripts in tools/llama-cpp, or name its folder.");
    }
}
