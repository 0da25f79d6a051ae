using Cairn.Base;
using Cairn.Ledger;
using Cairn.Model;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>What a node takes of a machine: known from the rules before it starts.</summary>
/// <param name="MemoryBytes">At least, without what the runtime takes.</param>
/// <param name="DiskBytes">Of its durable states and of what waits in files; of a store in a folder what lies there comes on top.</param>
public sealed record NodeNeeds(long MemoryBytes, long DiskBytes)
{
    // A peer: base, two moments, error feedback, and with an apply delay the base that it trains from; a validator: the base. Each: a working copy and gradients.
    private const int ModelsOfPeer = 4;
    private const int ModelsOfValidator = 1;
    private const int ModelsOfEngine = 2;

    // What the way of an update takes beyond those (cairn bench memory).
    private const int LargestTensors = 2;

    // Updates of three rounds are held as they came, and of two as they were opened, each value in ten bits at most.
    private const int RoundsHeld = 5;
    private const int BitsPerValue = 10;

    // Two that take turns, the settled one, and one that is being written beside them.
    private const int StateFiles = 4;

    // With an apply delay base and error feedback are in the state, and what a training begins from (a base, two moments) in files of its own: one more takes its turn.
    private const int ModelsOfStart = 3;

    /// <summary>The needs of a node.</summary>
    /// <param name="rules">The run's.</param>
    /// <param name="role">Peer or validator.</param>
    public static NodeNeeds Of(RunRules rules, Role role)
    {
        var model = sizeof(float) * rules.Model.ParameterCount;
        var (kept, delay) = (ModelsOf(role, rules.Round.ApplyDelay), rules.Round.ApplyDelay);
        var files = role == Role.Validator || delay == 0 ? StateFiles * kept : (StateFiles * (kept - ModelsOfStart)) + ((StateFiles + 1) * ModelsOfStart);
        // Inner steps and probes are computed by the same engine.
        var activations = Transformer.WorkingBytes(RunContext.ShapeOf(rules.Model), rules.Training.Batch, rules.Model.Context, training: true);
        var largest = sizeof(float) * (long)RunContext.GridOf(new ParameterLayout(RunContext.ShapeOf(rules.Model)), rules.Sparse.Keep).LongestTensor;
        var held = RoundsHeld * rules.PeersMax * (rules.Model.ParameterCount * rules.Sparse.Keep / 4096) * BitsPerValue / 8;
        // A validator's checkpoint waits in a file until it is in the store.
        var sent = role == Role.Validator ? model : 0;
        var memory = ((kept + ModelsOfEngine) * model) + (LargestTensors * largest) + activations;
        return new NodeNeeds((long)Int128.Min(memory, long.MaxValue), (files * model) + held + sent);
    }

    /// <summary>Models of numbers that a node holds in memory between its computations.</summary>
    /// <param name="role">Peer or validator.</param>
    /// <param name="applyDelay">The rule of the run.</param>
    public static int ModelsOf(Role role, int applyDelay) => role == Role.Validator ? ModelsOfValidator : ModelsOfPeer + applyDelay;

    /// <summary>Compares them with what this machine has.</summary>
    /// <param name="folder">Where the states go.</param>
    /// <param name="stored">Bytes of them that lie there already.</param>
    /// <exception cref="InputException">It has less.</exception>
    public void Check(string folder, long stored)
    {
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (MemoryBytes > memory)
        {
            throw new InputException($"this node takes at least {MemoryBytes / 1e9:N1} GB of memory, this machine has {memory / 1e9:N1} GB: run it on a larger one.");
        }

        var free = new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;
        if (DiskBytes - stored > free)
        {
            throw new InputException(
                $"the states of this node take {DiskBytes / 1e9:N1} GB below {folder}, where {free / 1e9:N1} GB are free: free some space or choose another --dir.");
        }
    }
}
