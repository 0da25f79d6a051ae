using System.CommandLine;
using Cairn.Node;
using Cairn.Protocol;

namespace Cairn.Cli.Verbs;

/// <summary>The options with which a run is begun, for the verbs that begin one; others take those of the same meaning from here.</summary>
internal static class FoundingOptions
{
    private static readonly Dictionary<string, Combination> Combinations = new()
    {
        ["mean"] = Combination.Mean,
        ["selectors"] = Combination.MeanOfSelectors,
        ["support"] = Combination.Support,
        ["trimmed"] = Combination.TrimmedMean,
        ["votes"] = Combination.SignVote,
    };

    private static readonly Dictionary<string, Quantization> Quantizations = new()
    {
        ["sign-magnitude"] = Quantization.SignMagnitude,
        ["sign"] = Quantization.Sign,
        ["published"] = Quantization.Published,
    };

    private static readonly Dictionary<string, Coding> Codings = new() { ["small"] = Coding.Small, ["fast"] = Coding.Fast };

    public static readonly Option<int> Peers = new("--peers") { Description = "Peers that train.", DefaultValueFactory = _ => 4 };
    public static readonly Option<int> Validators = new("--validators")
    {
        Description = "Validators that check, score and close the rounds.",
        DefaultValueFactory = _ => 1,
    };

    public static readonly Option<string> Preset = new("--preset")
    {
        Description = "Size of the model: pico, nano, micro, small, or larger.",
        DefaultValueFactory = _ => "nano",
    };

    public static readonly Option<string?> From = new("--from")
    {
        Description = "Go on with this model instead of a new one: a run's folder, a folder in the layout of Hugging Face, or a .gguf file. Overrides --preset.",
    };

    public static readonly Option<int?> Rounds = new("--rounds") { Description = "Rounds to train; overrides --minutes." };
    public static readonly Option<double> Minutes = new("--minutes")
    {
        Description = "About how long to train; becomes a number of rounds before round 0.",
        DefaultValueFactory = _ => 2,
    };

    public static readonly Option<string[]> Data = new("--data")
    {
        Description = "Text to train on: .txt, .md, .jsonl, or folders of them; or one folder of cairn data prepare. Default: the documentation beside the .NET SDK.",
        AllowMultipleArgumentsPerToken = true,
    };

    public static readonly Option<string> TextField = new("--text-field")
    {
        Description = "The field of JSON lines that holds the text.",
        DefaultValueFactory = _ => "text",
    };

    public static readonly Option<ulong> Seed = new("--seed") { Description = "Same seed, same model, bit for bit.", DefaultValueFactory = _ => 1 };
    public static readonly Option<int> Threads = new("--threads")
    {
        Description = "Threads to compute with.",
        DefaultValueFactory = _ => Environment.ProcessorCount,
    };

    public static readonly Option<string> Combine = OneOf(
        "--combine", "How the updates of a round become one step (docs/aggregation.md).", "mean", Combinations.Keys);

    public static readonly Option<int?> Tolerated = new("--tolerated")
    {
        Description = "With --combine support or trimmed: how many liars to bear. Default: a quarter of the peers.",
    };

    public static readonly Option<string> Quantize = OneOf("--quantize", "How values become codes of 1 or 2 bits.", "sign", Quantizations.Keys);
    public static readonly Option<string> Coded = OneOf(
        "--coding", "How updates are written: small, or fast with every size fixed.", "small", Codings.Keys);

    public static readonly Option<int> ApplyDelay = new("--apply-delay")
    {
        Description = "1: peers train the next round while one is exchanged and closed, so that slow lines cost no time; 0: they wait for it.",
        DefaultValueFactory = _ => 0,
    };

    public static readonly Option<double?> OuterRate = new("--outer-rate")
    {
        Description = "How far a round's combined update moves the model (α). Default: 1.5 for small models, 1 for others.",
    };

    public static readonly Option<int?> AnnealRounds = new("--anneal-rounds")
    {
        Description = "The last rounds, so many, train on the annealing part of the data alone (cairn data prepare --anneal-mix). " +
            "Default: a tenth, where there is one; 0: all data alike.",
    };

    public static readonly Option<double?> AnnealRate = new("--anneal-rate")
    {
        Description = "In those rounds the learning rate rises anew to this part of its peak and falls to zero (the published run: 0.25). " +
            "Default: it goes on as if nothing were.",
    };

    public static readonly Option<int?> Probes = new("--probes")
    {
        Description = "Updates whose effect on the loss every validator measures in a round. Default: what it can do while a peer trains, at least 4.",
    };

    public static readonly Option<int?> ProbeSequences = new("--probe-sequences")
    {
        Description = "Sequences of such a probe, half assigned, half held back. Default: 64 where a validator can do that for all, else 32.",
    };

    /// <summary>Those that the rules settle when the run is begun.</summary>
    public static IReadOnlyList<Option> OfRules { get; } =
    [
        Peers, Validators, Preset, From, Rounds, Minutes, Data, TextField, Seed, Combine, Tolerated, Quantize, Coded, ApplyDelay, OuterRate, AnnealRounds, AnnealRate,
        Probes, ProbeSequences,
    ];

    /// <summary>What was chosen.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="folder">The run's folder.</param>
    public static SwarmOptions Read(ParseResult parsed, string folder) => new()
    {
        Directory = folder,
        Peers = parsed.GetValue(Peers),
        Validators = parsed.GetValue(Validators),
        Preset = parsed.GetValue(Preset)!,
        From = parsed.GetValue(From) is { } from ? ModelPlace.FolderOf(from) : null,
        Rounds = parsed.GetValue(Rounds),
        Minutes = parsed.GetValue(Minutes),
        Data = parsed.GetValue(Data) ?? [],
        TextField = parsed.GetValue(TextField)!,
        Seed = parsed.GetValue(Seed),
        Threads = parsed.GetValue(Threads),
        Combination = Combinations[parsed.GetValue(Combine)!],
        Tolerated = parsed.GetValue(Tolerated),
        Quantization = Quantizations[parsed.GetValue(Quantize)!],
        Coding = Codings[parsed.GetValue(Coded)!],
        ApplyDelay = parsed.GetValue(ApplyDelay),
        OuterRate = parsed.GetValue(OuterRate),
        AnnealRounds = parsed.GetValue(AnnealRounds),
        AnnealRate = parsed.GetValue(AnnealRate),
        Probes = parsed.GetValue(Probes),
        ProbeSequences = parsed.GetValue(ProbeSequences),
    };

    private static Option<string> OneOf(string name, string description, string usual, IEnumerable<string> words)
    {
        var option = new Option<string>(name) { Description = description, DefaultValueFactory = _ => usual };
        return option.AcceptOnlyFromAmong([.. words]);
    }
}
