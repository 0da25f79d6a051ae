using Cairn.Base;
using Cairn.Compute;
using Cairn.Model;
using Cairn.Protocol;

namespace Cairn.Node.Tests;

/// <summary>State files that are whole, with right checksums, and yet wrong: what a machine with bad memory would write.</summary>
internal static class WrongState
{
    /// <summary>Flips a bit of the base in a state file and writes it again as if it had been computed so.</summary>
    public static void FlipBitOfBase(RunDirectory run, string node, int slot)
    {
        var rules = RunRulesFile.Read(File.ReadAllBytes(run.Rules), run.Rules);
        var layout = new ParameterLayout(RunContext.ShapeOf(rules.Model));
        using var parameters = new Parameters(layout);
        var sections = new List<FloatBuffer> { parameters.Buffer };
        if (node.StartsWith("peer", StringComparison.Ordinal))
        {
            // With an apply delay the moments lie elsewhere.
            sections.AddRange(Enumerable.Range(0, rules.Round.ApplyDelay > 0 ? 1 : 3).Select(_ => Parameters.NewBuffer(layout)));
        }

        var path = PathOf(run, node, slot);
        var state = ReplicaStateFile.TryRead(path, sections)!.Value;
        ref var value = ref parameters.Span[parameters.Span.Length / 3];
        value = BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(value) ^ (1 << 20));
        ReplicaStateFile.Write(path, state.Header with { BaseDigest = parameters.Digest() }, sections, state.Book, flush: false);
        sections.ForEach(static section => section.Dispose());
    }

    /// <summary>The slot that holds the newer state.</summary>
    public static int Newest(RunDirectory run, string node) =>
        Enumerable.Range(0, 2).MaxBy(slot => ReplicaStateFile.Peek(PathOf(run, node, slot))?.Next.Number ?? -1);

    public static string PathOf(RunDirectory run, string node, int slot) => Path.Combine(run.Node(node), $"state-{slot}.bin");
}
