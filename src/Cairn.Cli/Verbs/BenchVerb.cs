using System.CommandLine;
using Cairn.Base;
using Cairn.Bench;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn bench NAME</c>: runs a benchmark of <c>bench/</c>.</summary>
internal static class BenchVerb
{
    public static Command Create()
    {
        var name = new Argument<string?>("name") { Description = "Which benchmark; without a name they are listed.", Arity = ArgumentArity.ZeroOrOne };
        var shape = new Option<string?>("--shape") { Description = "A named shape of the benchmark, such as A, B or nano." };
        var threads = new Option<int>("--threads") { Description = "Threads to compute with.", DefaultValueFactory = _ => 1 };
        var json = new Option<bool>("--json") { Description = "End with one line of JSON." };
        var quick = new Option<bool>("--quick") { Description = "A smoke run of a second or two." };
        var against = new Option<string?>("--against") { Description = "Measure a peer in interleaved pairs: torch." };
        var precision = new Option<string>("--precision") { Description = "fp32 or bf16.", DefaultValueFactory = _ => "fp32" };
        var disturbed = new Option<bool>("--disturbed") { Description = "Also measure beside a busy process." };
        var elements = new Option<long>("--elements") { Description = "Size of the data, in elements." };
        var command = new Command("bench", "Measures the kernels and codecs against their bounds and peers.\n\nExample:  cairn bench train --shape A --threads 2 --json")
        {
            name, shape, threads, json, quick, against, precision, disturbed, elements,
        };
        command.SetAction(parsed =>
        {
            var wanted = parsed.GetValue(name);
            if (wanted is null)
            {
                foreach (var benchmark in Benchmarks.All)
                {
                    Console.WriteLine($"{benchmark.Name,-12} {benchmark.Summary}");
                }

                return ExitCode.Success;
            }

            var chosen = Benchmarks.All.FirstOrDefault(b => b.Name == wanted)
                ?? throw new InputException($"no benchmark is named '{wanted}': there are {string.Join(", ", Benchmarks.All.Select(b => b.Name))}.");
            var options = new BenchmarkOptions(
                parsed.GetValue(shape), Math.Max(1, parsed.GetValue(threads)), parsed.GetValue(json), parsed.GetValue(quick),
                parsed.GetValue(against), parsed.GetValue(precision)!, parsed.GetValue(disturbed), parsed.GetValue(elements));
            return chosen.Run(options, Console.Out);
        });
        return command;
    }
}
