using System.CommandLine;
using System.Globalization;
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
        var against = new Option<string?>("--against") { Description = "Measure a peer in interleaved pairs: torch; for inference, the folder of node-llama-cpp." };
        var precision = new Option<string>("--precision") { Description = "fp32 or bf16; for inference all, or f32, bf16, int8.", DefaultValueFactory = _ => "fp32" };
        var disturbed = new Option<bool>("--disturbed") { Description = "Also measure beside a busy process." };
        var elements = new Option<string?>("--elements") { Description = "Size of the data, in elements: 4096000, 100M, 2G." };
        var plot = new Option<string?>("--plot") { Description = "Write a plot (SVG) to this file; for simulate." };
        var command = new Command("bench", "Measures the kernels and codecs against their bounds and peers.\n\nExample:  cairn bench train --shape A --threads 2 --json")
        {
            name, shape, threads, json, quick, against, precision, disturbed, elements, plot, MemoryVerb.Create(), ServeStressVerb.Create(),
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

                Console.WriteLine($"{"memory",-12} what an update takes of memory beyond the model, from the pseudo-gradient to the mean");
                Console.WriteLine($"{"serve",-12} a server under a crowd of clients that behave badly");
                return ExitCode.Success;
            }

            var chosen = Benchmarks.All.FirstOrDefault(b => b.Name == wanted)
                ?? throw new InputException($"no benchmark is named '{wanted}': there are {string.Join(", ", Benchmarks.All.Select(b => b.Name))}.");
            var options = new BenchmarkOptions(
                parsed.GetValue(shape), Math.Max(1, parsed.GetValue(threads)), parsed.GetValue(json), parsed.GetValue(quick),
                parsed.GetValue(against), parsed.GetValue(precision)!, parsed.GetValue(disturbed), CountOf("--elements", parsed.GetValue(elements)),
                parsed.GetValue(plot));
            return chosen.Run(options, Console.Out);
        });
        return command;
    }

    // A number with K, M or G behind it.
    internal static long CountOf(string option, string? text)
    {
        if (text is null)
        {
            return 0;
        }

        var unit = char.ToUpperInvariant(text.LastOrDefault()) switch { 'K' => 1_000L, 'M' => 1_000_000L, 'G' => 1_000_000_000L, _ => 1L };
        return double.TryParse(unit == 1 ? text : text[..^1], CultureInfo.InvariantCulture, out var count) && count * unit is >= 4096 and <= int.MaxValue
            ? (long)(count * unit)
            : throw new InputException($"{option} is '{text}': give a number from 4096 to 2147M, such as 100M.");
    }
}
