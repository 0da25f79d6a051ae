using Cairn.Base;
using Cairn.Data;
using Cairn.Exchange;
using Cairn.Ledger;
using Cairn.Model;
using Cairn.Protocol;
using Cairn.Training;

namespace Cairn.Node;

/// <summary>What is measured by <see cref="UpdateMemory"/>.</summary>
/// <param name="Parameters">Of the model, about.</param>
/// <param name="Peers">Whose updates make the round.</param>
/// <param name="Folder">For the run's files; deleted afterwards.</param>
/// <param name="Store">An S3 address, or null for folders.</param>
/// <param name="Access">The account that writes there.</param>
public sealed record MemoryOptions(long Parameters, int Peers, string Folder, string? Store, StoreAccess Access);

/// <summary>How much memory the way of an update takes beyond base, local parameters and error feedback: a round of the run's own code, from pseudo-gradients that are
/// drawn instead of trained to the mean in the store.</summary>
public static class UpdateMemory
{
    /// <summary>Peak memory beyond the model, in largest tensors.</summary>
    public const double Bar = 2;

    private const int Context = 32;
    private const int ProbeSequences = 2;
    private static readonly Round First = new(0);

    /// <summary>Runs the round.</summary>
    /// <param name="options">How large.</param>
    /// <param name="tell">Told what is being done.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="InputException">This system counts no peak, or the store or folder cannot be used.</exception>
    public static async Task<MemoryReport> RunAsync(MemoryOptions options, Action<string> tell, CancellationToken cancellation)
    {
        MemoryGauge.SetBack();
        var directory = new RunDirectory(options.Folder);
        tell("preparing a run");
        WriteCorpus(Path.Combine(directory.Root, "corpus.txt"), options.Peers);
        using (var data = DataSet.Prepare(
            new DataSetOptions { Corpus = new CorpusOptions { Paths = [Path.Combine(directory.Root, "corpus.txt")] }, VocabularySize = 300 }, directory.Data))
        {
            var rules = RulesOf(options, data);
            using var initial = new Parameters(new ParameterLayout(RunContext.ShapeOf(rules.Model)));
            Initializer.Fill(initial, rules.Seed);
            rules = rules with { Model = rules.Model with { InitialBase = initial.Digest() } };
            RunCreator.WriteLedger(directory, options.Peers, validators: 2, rules, forStrangers: false, order: _ => { });
        }

        using var trial = new MemoryTrial(directory, options, MemoryGauge.Now(), tell);
        return await trial.RunAsync(cancellation);
    }

    internal static Round Round => First;

    private static RunRules RulesOf(MemoryOptions options, DataSet data)
    {
        var shape = LlamaOfSize.Of(options.Parameters, Context);
        return new RunRules(
            RunRules.CurrentVersion, "memory", 1, options.Peers,
            new ModelRules(
                "memory", shape.Vocabulary, shape.Dim, shape.Layers, shape.Heads, shape.KvHeads, shape.FeedForward, shape.Context, shape.RopeTheta,
                shape.NormEpsilon, shape.TiedHead, shape.ParameterCount, Digest.Zero),
            new DataRules(data.Digest, data.Tokenizer.Digest, data.SampleCount(Context), data.HeldOut.SampleCount(Context)),
            new TrainingRules(InnerSteps: 1, Batch: 1, 1e-3, 1, 0.1, 0.9, 0.95, 1e-8, 0.1, 1.0),
            new SparseRules(0.95, 1.0, Combination.Mean, 0, ClipToMedianNorm: true, Keep: 64, Quantization.SignMagnitude, Coding.Small),
            new RoundRules(
                Rounds: 2, SettleEvery: 2, ApplyDelay: 0, ProbedPeers: 0, ProbeSequences, ProbeStep: 0.2, OverlapPerMille: 400, RetainedRounds: 3,
                StageSecondsMax: 24 * 3600),
            MoneyRules.Default with { PeerBondMin = 1, ValidatorBondMin = 1 });
    }

    // What stands in it is of no matter: nothing is trained. There must be samples to assign.
    private static void WriteCorpus(string path, int peers)
    {
        var random = new SeededRandom(1, "corpus");
        string[] words = ["stone", "path", "hill", "cairn", "way", "wind", "snow", "north", "ridge", "light"];
        var text = new System.Text.StringBuilder();
        for (var line = 0; line < 400 + (40 * peers); line++)
        {
            text.AppendLine(string.Join(' ', Enumerable.Range(0, 30).Select(_ => words[random.NextBelow(words.Length)]))).AppendLine();
        }

        DurableFile.Write(path, System.Text.Encoding.UTF8.GetBytes(text.ToString()), flush: false);
    }
}
