using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Cairn.Base;
using Cairn.Cli.Attacks;
using Cairn.Simulation;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn simulate</c>: whole swarms in virtual time, with faults and adversaries, from seeds.</summary>
internal static class SimulateVerb
{
    private static readonly Option<int> Seeds = new("--seeds") { Description = "How many seeds to run.", DefaultValueFactory = _ => 1 };
    private static readonly Option<ulong> Seed = new("--seed") { Description = "The first seed.", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> Peers = new("--peers") { Description = "Peers of a swarm, 1 to 4096.", DefaultValueFactory = _ => 8 };
    private static readonly Option<int> Validators = new("--validators") { Description = "Validators of a swarm, 1 to 256.", DefaultValueFactory = _ => 3 };
    private static readonly Option<int> Rounds = new("--rounds") { Description = "Rounds of a run.", DefaultValueFactory = _ => 12 };
    private static readonly Option<string> FaultNames = new("--faults")
    {
        Description = $"Which faults may strike, separated by commas: {string.Join(", ", Faults.Names)}; all or none.",
        DefaultValueFactory = _ => "all",
    };

    private static readonly Option<string> Adversaries = new("--adversaries")
    {
        Description =
            $"Which adversaries take part, separated by commas: {string.Join(", ", Conducts.Names)}; all (some, drawn by the seed) or none. " +
            "Named ones are a third of the peers.",
        DefaultValueFactory = _ => "all",
    };

    private static readonly Option<string> Objective = new("--objective")
    {
        Description = "What is trained: toy, or a real model by its preset (pico, nano, …): slow, and what cheats may earn is judged on few samples there.",
        DefaultValueFactory = _ => "toy",
    };

    private static readonly Option<string?> ScenarioPath = new("--scenario")
    {
        Description = "Runs the scenario in this file instead of drawing one; what it says cannot be given beside it.",
    };

    private static readonly Option<int?> ApplyDelay = new("--apply-delay") { Description = "The apply delay of every run, 0 or 1. Default: drawn by the seed." };
    private static readonly Option<string?> Log = new("--log") { Description = "Writes every event of the run to this file; with one seed only." };
    private static readonly Option<bool> RealKeys = new("--real-keys") { Description = "ECDSA keys and verified signatures instead of the seeded test signer: slower." };
    private static readonly Option<bool> Json = new("--json") { Description = "End with one line of JSON." };

    public static Command Create()
    {
        var command = new Command(
            "simulate",
            "Runs whole swarms from seeds, in virtual time and one thread: the real state machines, ledger and judgement, a small objective, faults and adversaries. " +
            "After every event oracles look whether anything promised was broken; a seed that fails is made smaller and printed with the command that repeats it. " +
            "The same seed gives the same log, byte for byte.\n\n" +
            "Examples:  cairn simulate --seeds 200\n" +
            "           cairn simulate --seed 7 --log seed-7.log\n" +
            "           cairn simulate --peers 1000 --validators 16 --rounds 50 --faults none\n" +
            "           cairn simulate --seeds 50 --adversaries lazy,copycat-blended --faults kill,partition,lost-object\n" +
            "           cairn simulate --scenario failed.json --log failed.log")
        {
            Seeds, Seed, Peers, Validators, Rounds, FaultNames, Adversaries, Objective, ApplyDelay, ScenarioPath, Log, RealKeys, Json,
        };
        command.SetAction((parsed, cancellation) => Task.Run(() => Run(parsed, cancellation), cancellation));
        return command;
    }

    private static int Run(ParseResult parsed, CancellationToken cancellation)
    {
        var path = parsed.GetValue(ScenarioPath);
        if (path is not null)
        {
            RefuseBesideAScenario(parsed);
        }

        var options = new SimulationOptions
        {
            Seeds = parsed.GetValue(Seeds),
            Seed = parsed.GetValue(Seed),
            Peers = parsed.GetValue(Peers),
            Validators = parsed.GetValue(Validators),
            Rounds = parsed.GetValue(Rounds),
            Faults = Names(parsed.GetValue(FaultNames)!),
            Adversaries = Names(parsed.GetValue(Adversaries)!),
            RealKeys = parsed.GetValue(RealKeys),
            ApplyDelay = parsed.GetValue(ApplyDelay),
        };
        options.Validate();
        var model = parsed.GetValue(Objective)!;
        using var real = model == "toy" ? null : SimulatedModel.Prepare(model, Console.Error.WriteLine);
        if (path is null && options.Seeds > 1 && parsed.GetValue(Log) is not null)
        {
            throw new InputException("--log writes the events of one run: leave out --seeds.");
        }

        return path is null && options.Seeds > 1
            ? RunMany(options, real, parsed.GetValue(Json), cancellation)
            : RunOne(path is null ? Draw(options.Seed, options, real) : ScenarioFile.Read(File.ReadAllText(path), path), options, real, path, parsed, cancellation);
    }

    private static void RefuseBesideAScenario(ParseResult parsed)
    {
        Option[] drawn = [Seeds, Seed, Peers, Validators, Rounds, FaultNames, Adversaries, ApplyDelay, RealKeys];
        var given = drawn.Where(option => parsed.GetResult(option) is { Implicit: false }).Select(option => option.Name).ToList();
        if (given.Count > 0)
        {
            throw new InputException($"a scenario says {string.Join(", ", given)} itself: leave that out, or edit the file.");
        }
    }

    private static IReadOnlyList<string>? Names(string list) => list switch
    {
        "all" => null,
        "none" => [],
        _ => list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
    };

    // A large swarm has too many events to keep them all as text: its fingerprint says the same.
    private static int RunOne(Scenario scenario, SimulationOptions options, SimulatedModel? real, string? path, ParseResult parsed, CancellationToken cancellation)
    {
        var file = parsed.GetValue(Log);
        var watch = Stopwatch.StartNew();
        var lines = new List<string>();
        var small = (long)scenario.Peers.Count * scenario.Rounds <= 2_000 || file is not null;
        var result = Run(scenario, real, cancellation, small ? lines.Add : null);
        var text = string.Concat(lines.Select(line => line + "\n"));
        if (file is not null)
        {
            File.WriteAllText(file, text);
        }

        var log = small ? Digest.Of("cairn/simulate/log", Encoding.UTF8.GetBytes(text)).ToString() : result.Fingerprint.ToString("x16", CultureInfo.InvariantCulture);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"seed {scenario.Seed}: {(result.Held ? "all held" : result.Fault)}. {result.Events} events, {result.VirtualMilliseconds / 1000.0:0.0} s of virtual time, " +
            $"log {log}"));
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"in {watch.Elapsed.TotalSeconds:0.00} s"));
        if (!result.Held)
        {
            var which = path is null ? $"--seed {scenario.Seed}{Given(options)}" : $"--scenario {path}";
            Explain(result, real, $"cairn simulate {which}{(real is null ? "" : $" --objective {real.Name}")}", cancellation);
        }

        if (parsed.GetValue(Json))
        {
            Console.WriteLine(new SimulationSummary(1, result.Held ? 0 : 1, result.Held ? [] : [scenario.Seed], log, result.Events).ToJsonLine());
        }

        return result.Held ? ExitCode.Success : ExitCode.Broken;
    }

    private static Scenario Draw(ulong seed, SimulationOptions options, SimulatedModel? real) =>
        real is null ? Simulator.Draw(seed, options) : real.Fit(Simulator.Draw(seed, options));

    private static SeedResult Run(Scenario scenario, SimulatedModel? real, CancellationToken cancellation, Action<string>? trace = null)
    {
        using var objective = real?.ObjectiveOf(scenario);
        return Simulator.Run(scenario, trace, objective, () => cancellation.IsCancellationRequested);
    }

    private static int RunMany(SimulationOptions options, SimulatedModel? real, bool json, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        var reached = new SortedDictionary<Probe, int>();
        var failed = new List<SeedResult>();
        var (events, print, told) = (0L, new StringBuilder(), TimeSpan.Zero);
        for (var i = 0; i < options.Seeds; i++)
        {
            var result = Run(Draw(options.Seed + (ulong)i, options, real), real, cancellation);
            events += result.Events;
            print.Append(CultureInfo.InvariantCulture, $"{result.Seed} {result.Fingerprint:x16}\n");
            foreach (var probe in result.Reached)
            {
                reached[probe] = reached.GetValueOrDefault(probe) + 1;
            }

            if (!result.Held)
            {
                failed.Add(result);
                Console.Error.WriteLine($"seed {result.Seed} failed: {result.Fault}");
            }

            if (watch.Elapsed - told > TimeSpan.FromSeconds(2))
            {
                told = watch.Elapsed;
                Console.Error.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"{i + 1} of {options.Seeds} seeds, {failed.Count} failed, {told.TotalMilliseconds / (i + 1):0.0} ms each"));
            }
        }

        var log = Digest.Of("cairn/simulate/log", Encoding.UTF8.GetBytes(print.ToString())).ToString();
        Console.WriteLine($"{options.Seeds} seeds from {options.Seed}: {(failed.Count == 0 ? "all held" : $"{failed.Count} failed")}. {events} events, log {log}");
        Console.WriteLine("rare paths: " + string.Join(", ", reached.Select(pair => $"{pair.Key} {pair.Value}")));
        var missed = Enum.GetValues<Probe>().Where(probe => !reached.ContainsKey(probe)).ToList();
        if (missed.Count > 0)
        {
            Console.WriteLine("not reached: " + string.Join(", ", missed));
        }

        if (failed.Count > 0)
        {
            Console.WriteLine("seeds that failed: " + string.Join(' ', failed.Take(100).Select(result => result.Seed)));
            Explain(failed[0], real, $"cairn simulate --seed {failed[0].Seed}{Given(options)}{(real is null ? "" : $" --objective {real.Name}")}", cancellation);
        }

        if (json)
        {
            Console.WriteLine(new SimulationSummary(options.Seeds, failed.Count, [.. failed.Select(result => result.Seed)], log, events).ToJsonLine());
        }

        return failed.Count == 0 ? ExitCode.Success : ExitCode.Broken;
    }

    private static void Explain(SeedResult failed, SimulatedModel? real, string command, CancellationToken cancellation)
    {
        Console.WriteLine($"to repeat:  {command}");
        if (real is not null)
        {
            return;
        }

        Console.Error.WriteLine("making it smaller…");
        var smallest = Simulator.Shrink(failed, isStopped: () => cancellation.IsCancellationRequested);
        Console.WriteLine($"smallest found: {smallest.Fault}\nas a file for --scenario:\n{ScenarioFile.Write(smallest.Scenario)}");
    }

    // What a seed means depends on these.
    private static string Given(SimulationOptions options)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $" --peers {options.Peers} --validators {options.Validators} --rounds {options.Rounds}");
        text.Append(options.ApplyDelay is { } delay ? string.Create(CultureInfo.InvariantCulture, $" --apply-delay {delay}") : "");
        Append("--faults", options.Faults);
        Append("--adversaries", options.Adversaries);
        return text.Append(options.RealKeys ? " --real-keys" : "").ToString();

        void Append(string option, IReadOnlyList<string>? names) =>
            text.Append(names is null ? "" : $" {option} {(names.Count == 0 ? "none" : string.Join(',', names))}");
    }
}
