using System.CommandLine;
using System.Text.Json;
using Cairn.Base;
using Cairn.Cli.Wan;
using Cairn.Node;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn lab wan</c>: round time and utilisation of a run over the internet, by arithmetic or measured behind real lines; and what published runs' own
/// numbers say of their claims.</summary>
internal static class WanVerb
{
    // 8.35 bits for each of one value in 64: what the default codec takes of real updates (cairn lab quantisers).
    private const double OurBytesPerParameter = 8.35 / 8 / 64;
    private static readonly Option<double?> Parameters = new("--parameters") { Description = "Parameters of the model, such as 72e9. Without it: the published runs." };
    private static readonly Option<int?> Peers = new("--peers") { Description = "Peers of a round. Default: 20; measured: 6, of the exchange alone: 4." };
    private static readonly Option<double?> Compute = new("--compute") { Description = "Seconds of inner steps in a round. Default: 1200; measured: 20." };
    private static readonly Option<double> Up = new("--up") { Description = "Megabits a second to send.", DefaultValueFactory = _ => 110 };
    private static readonly Option<double> Down = new("--down") { Description = "Megabits a second to receive.", DefaultValueFactory = _ => 500 };
    private static readonly Option<double> Fixed = new("--fixed")
    {
        Description = "Seconds of a round for agreeing, checking and applying.",
        DefaultValueFactory = _ => 5,
    };

    private static readonly Option<double> Bytes = new("--bytes-per-parameter")
    {
        Description = "Bytes of an update for each parameter of the model. Default: 8.35 bits for one value in 64.",
        DefaultValueFactory = _ => OurBytesPerParameter,
    };

    private static readonly Option<bool> Measure = new("--measure")
    {
        Description = "Do not compute but measure: a run of real processes over a real S3 server, each behind a line of its own. Needs Linux, root, ip, tc and the " +
            "Debian packages radosgw, ceph-mon, ceph-osd and ceph-common.",
    };

    private static readonly Option<bool> NetworkOnly = new("--network-only")
    {
        Description = "Measure the exchange alone: real updates of a model of --parameters (default 500e6), inner steps a wait of --compute seconds.",
    };

    private static readonly Option<string> Preset = new("--preset") { Description = "Model that is trained when measured.", DefaultValueFactory = _ => "small" };
    private static readonly Option<int> Validators = new("--validators") { Description = "Validators when measured.", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> InnerSteps = new("--inner-steps") { Description = "Inner steps of a round when measured.", DefaultValueFactory = _ => 30 };
    private static readonly Option<int> Batch = new("--batch") { Description = "Sequences per inner step and peer when measured.", DefaultValueFactory = _ => 5 };
    private static readonly Option<int> Rounds = new("--rounds")
    {
        Description = "Rounds when measured; the first and the last do not count.",
        DefaultValueFactory = _ => 5,
    };

    private static readonly Option<double> Delay = new("--delay") { Description = "Milliseconds there and back when measured.", DefaultValueFactory = _ => 100 };
    private static readonly Option<double> Loss = new("--loss")
    {
        Description = "Packets lost of a hundred when measured, if the kernel can.",
        DefaultValueFactory = _ => 0.1,
    };

    private static readonly Option<bool> Joiner = new("--joiner")
    {
        Description = "In the second half of the rounds somebody joins, who fetches a checkpoint of the model from three members' stores, one of which lies: what " +
            "does that cost the others? With --network-only; for 500e6 parameters the machine needs 12 GB of memory.",
    };

    private static readonly Option<string?> Dir = new("--dir")
    {
        Description = "Where the measured run lies. Default: a folder of the system for passing files, deleted.",
    };

    private static readonly Option<bool> Json = new("--json") { Description = "Print one line of JSON." };

    public static Command Create()
    {
        var wan = new Command(
            "wan",
            "Computes how long a round takes over the internet and how much of it is computing, from sizes and rates alone. Without --parameters: for published runs, " +
            "by their own inputs, beside what they claim. With --measure: what it really takes, on this machine.\n\n" +
            "Examples:  cairn lab wan\n           cairn lab wan --parameters 72e9 --peers 20 --compute 1200 --up 110 --down 500\n" +
            "           cairn lab wan --measure\n           cairn lab wan --measure --network-only --parameters 500e6 --peers 4\n" +
            "           cairn lab wan --measure --network-only --joiner --rounds 10")
        {
            Parameters, Peers, Compute, Up, Down, Fixed, Bytes, Measure, NetworkOnly, Preset, Validators, InnerSteps, Batch, Rounds, Delay, Loss,
            FoundingOptions.ApplyDelay, FoundingOptions.Probes, FoundingOptions.Data, Joiner, Dir, Json, WanNodeVerb.Create(), WanJoinerVerb.Create(),
        };
        wan.SetAction(async (parsed, cancellation) =>
        {
            if (parsed.GetValue(Measure) || parsed.GetValue(NetworkOnly))
            {
                await MeasureAsync(parsed, cancellation);
            }
            else if (parsed.GetValue(Parameters) is { } parameters)
            {
                TellModel(parsed, parameters);
            }
            else
            {
                Published(parsed.GetValue(Json));
            }

            return ExitCode.Success;
        });
        return wan;
    }

    private static async Task MeasureAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var (only, given) = (parsed.GetValue(NetworkOnly), parsed.GetValue(Dir));
        if (!parsed.GetValue(Measure))
        {
            throw new InputException("--network-only says what to measure: give --measure as well.");
        }

        var options = new WanOptions
        {
            Folder = given ?? WanPlace.RunFolder,
            NetworkOnly = only,
            Preset = parsed.GetValue(Preset)!,
            Parameters = parsed.GetValue(Parameters) ?? 500e6,
            ComputeSeconds = parsed.GetValue(Compute) ?? 20,
            Peers = parsed.GetValue(Peers) ?? (only ? 4 : 6),
            Validators = parsed.GetValue(Validators),
            InnerSteps = parsed.GetValue(InnerSteps),
            Batch = parsed.GetValue(Batch),
            Rounds = parsed.GetValue(Rounds),
            UpMegabits = parsed.GetValue(Up),
            DownMegabits = parsed.GetValue(Down),
            DelayMilliseconds = parsed.GetValue(Delay),
            LossPercent = parsed.GetValue(Loss),
            ApplyDelay = parsed.GetValue(FoundingOptions.ApplyDelay),
            Probes = parsed.GetValue(FoundingOptions.Probes),
            Data = parsed.GetValue(FoundingOptions.Data) ?? [],
            Joiner = parsed.GetValue(Joiner),
        };
        var report = await new WanTrial(options, Console.Error.WriteLine).RunAsync(cancellation);
        if (parsed.GetValue(Json))
        {
            Console.WriteLine(JsonSerializer.Serialize(report, CliJson.Default.WanReport));
        }
        else
        {
            report.Write(Console.Out);
        }
    }

    private static void TellModel(ParseResult parsed, double parameters)
    {
        var model = new WanModel(
            "", parameters, parsed.GetValue(Bytes), parsed.GetValue(Peers) ?? 20, parsed.GetValue(Compute) ?? 1200, parsed.GetValue(Up), parsed.GetValue(Down),
            parsed.GetValue(Fixed));
        if (model is not { Parameters: > 0, BytesPerParameter: > 0, Peers: >= 1, ComputeSeconds: > 0, UpMegabits: > 0, DownMegabits: > 0, FixedSeconds: >= 0 })
        {
            throw new InputException("parameters, peers, seconds and rates must be above 0.");
        }

        Console.WriteLine(
            parsed.GetValue(Json) ? JsonSerializer.Serialize(model, CliJson.Default.WanModel)
            : $"an update         {model.UpdateBytes / 1e6:N1} MB\nto send it        {model.UpSeconds:N1} s\nto receive all    {model.DownSeconds:N1} s\n" +
            $"a round           {model.RoundSeconds:N1} s\nutilisation       {100 * model.Utilisation:F1} %, and " +
            $"{100 * model.OverlappedUtilisation:F1} % if one round is computed while the last one travels");
    }

    private static void Published(bool json)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(PublishedRuns.All, CliJson.Default.IReadOnlyListClaim));
            return;
        }

        Console.WriteLine("run                     update     at least, s   claimed, s   utilisation claimed, by the inputs");
        foreach (var claim in PublishedRuns.All)
        {
            var model = claim.Model;
            Console.WriteLine(
                $"{model.Name,-22}  {model.UpdateBytes / 1e6,7:N0} MB  {model.LeastSeconds,11:N0}  {claim.ClaimedSeconds,11:N0}   " +
                $"{100 * claim.ClaimedUtilisation,8:F1} %   {100 * model.Utilisation,8:F1} %   {(claim.IsPossible ? "possible" : "CONTRADICTED by its own inputs")}");
        }

        Console.WriteLine("\nat least: the longer of sending and receiving, the line filled from the first instant. inputs:");
        foreach (var claim in PublishedRuns.All)
        {
            Console.WriteLine($"  {claim.Model.Name}: {claim.Inputs}; computes {claim.Model.ComputeSeconds:N0} s a round");
        }
    }
}
