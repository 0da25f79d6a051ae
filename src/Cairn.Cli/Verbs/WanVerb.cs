using System.CommandLine;
using System.Text.Json;
using Cairn.Base;
using Cairn.Node;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn lab wan</c>: round time and utilisation of a run over the internet, by arithmetic; and what published runs' own numbers say of their
/// claims.</summary>
internal static class WanVerb
{
    // 8.35 bits for each of one value in 64: what the default codec takes of real updates (cairn lab quantisers).
    private const double OurBytesPerParameter = 8.35 / 8 / 64;
    private static readonly Option<double?> Parameters = new("--parameters") { Description = "Parameters of the model, such as 72e9. Without it: the published runs." };
    private static readonly Option<int> Peers = new("--peers") { Description = "Peers of a round.", DefaultValueFactory = _ => 20 };
    private static readonly Option<double> Compute = new("--compute") { Description = "Seconds of inner steps in a round.", DefaultValueFactory = _ => 1200 };
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

    private static readonly Option<bool> Json = new("--json") { Description = "Print one line of JSON." };

    public static Command Create()
    {
        var wan = new Command(
            "wan",
            "Computes how long a round takes over the internet and how much of it is computing, from sizes and rates alone. Without --parameters: for published runs, " +
            "by their own inputs, beside what they claim.\n\n" +
            "Examples:  cairn lab wan\n           cairn lab wan --parameters 72e9 --peers 20 --compute 1200 --up 110 --down 500")
        {
            Parameters, Peers, Compute, Up, Down, Fixed, Bytes, Json,
        };
        wan.SetAction(parsed =>
        {
            if (parsed.GetValue(Parameters) is not { } parameters)
            {
                Published(parsed.GetValue(Json));
                return ExitCode.Success;
            }

            var model = new WanModel(
                "", parameters, parsed.GetValue(Bytes), parsed.GetValue(Peers), parsed.GetValue(Compute), parsed.GetValue(Up), parsed.GetValue(Down),
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
            return ExitCode.Success;
        });
        return wan;
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
