using System.Diagnostics;
using System.Runtime.Intrinsics.X86;

namespace Cairn.Bench;

/// <summary>PyTorch beside us: the same model in a child process that takes steps when told to, in the environment in which it is fastest
/// on a CPU.</summary>
internal sealed class TorchPeer : IDisposable
{
    private const string Script = "torch_llama.py";
    private readonly PeerProcess _process;

    private TorchPeer(PeerProcess process, string version) => (_process, Version) = (process, version);

    /// <summary>What the peer calls itself.</summary>
    public string Version { get; }

    /// <summary>Starts the peer.</summary>
    /// <returns>Null if this machine has no Python with torch.</returns>
    public static TorchPeer? TryStart(TrainShape shape, int threads, bool bf16)
    {
        var script = Path.Combine(AppContext.BaseDirectory, Script);
        foreach (var python in new[] { "/usr/bin/python3", "python3" })
        {
            if (File.Exists(script) && Start(python, script, shape, threads, bf16) is { } process)
            {
                if (process.ReadLine() is { } hello)
                {
                    return new TorchPeer(process, hello);
                }

                process.Dispose();
            }
        }

        return null;
    }

    /// <summary>Takes steps.</summary>
    /// <returns>Seconds of processor time with one thread, of wall time with more.</returns>
    public double Step(int count) => _process.Run(count.ToString());

    public void Dispose() => _process.Dispose();

    private static PeerProcess? Start(string python, string script, TrainShape shape, int threads, bool bf16)
    {
        var model = shape.Model;
        var start = new ProcessStartInfo(python);
        foreach (var argument in new object[]
        {
            script, model.Vocabulary, model.Dim, model.Layers, model.Heads, model.KvHeads, model.FeedForward, model.TiedHead ? 1 : 0,
            shape.Batch, shape.Length, threads, bf16 ? 1 : 0,
        })
        {
            start.ArgumentList.Add(argument.ToString()!);
        }

        Tune(start.Environment, threads);
        return PeerProcess.TryStart(start);
    }

    // What makes torch fastest here: the widest kernels, memory kept by the allocator between steps, and one pool of threads instead of two.
    private static void Tune(IDictionary<string, string?> environment, int threads)
    {
        environment["OMP_NUM_THREADS"] = threads.ToString();
        environment["MALLOC_MMAP_THRESHOLD_"] = "4294967296";
        environment["MALLOC_TRIM_THRESHOLD_"] = "17179869184";
        environment["MALLOC_TOP_PAD_"] = "268435456";
        if (Avx512F.IsSupported)
        {
            environment["OPENBLAS_CORETYPE"] = "SkylakeX";
            environment["ATEN_CPU_CAPABILITY"] = "avx512";
        }

        const string openMpBlas = "/usr/lib/x86_64-linux-gnu/openblas-openmp";
        if (threads > 1 && Directory.Exists(openMpBlas))
        {
            environment["LD_LIBRARY_PATH"] = openMpBlas;
        }
    }
}
