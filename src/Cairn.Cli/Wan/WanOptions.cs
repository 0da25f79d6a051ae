using Cairn.Base;
using Cairn.Ledger;
using Cairn.Node;

namespace Cairn.Cli.Wan;

/// <summary>What is to be measured.</summary>
internal sealed record WanOptions
{
    /// <summary>Where the run lies.</summary>
    public required string Folder { get; init; }

    /// <summary>True to exchange only, and wait instead of computing.</summary>
    public required bool NetworkOnly { get; init; }

    /// <summary>Size of the model that is trained.</summary>
    public string Preset { get; init; } = "small";

    /// <summary>Parameters of the model that is not.</summary>
    public double Parameters { get; init; } = 500e6;

    /// <summary>What stands for the inner steps there, in seconds.</summary>
    public double ComputeSeconds { get; init; } = 20;

    /// <summary>Peers.</summary>
    public required int Peers { get; init; }

    /// <summary>Validators.</summary>
    public int Validators { get; init; } = 1;

    /// <summary>Inner steps of a round.</summary>
    public int InnerSteps { get; init; } = 30;

    /// <summary>Sequences per inner step and peer.</summary>
    public int Batch { get; init; } = 5;

    /// <summary>Rounds.</summary>
    public required int Rounds { get; init; }

    /// <summary>Megabits a second that a node can send.</summary>
    public required double UpMegabits { get; init; }

    /// <summary>And receive.</summary>
    public required double DownMegabits { get; init; }

    /// <summary>Milliseconds there and back.</summary>
    public required double DelayMilliseconds { get; init; }

    /// <summary>Packets lost of a hundred.</summary>
    public required double LossPercent { get; init; }

    /// <summary>The rule of the run.</summary>
    public required int ApplyDelay { get; init; }

    /// <summary>True to have somebody fetch a checkpoint of the model from the members' stores in the second half of the rounds.</summary>
    public bool Joiner { get; init; }

    /// <summary>Updates probed in a round; null for as many as are affordable.</summary>
    public int? Probes { get; init; }

    /// <summary>Text to train on; empty for the usual.</summary>
    public IReadOnlyList<string> Data { get; init; } = [];

    /// <summary>Every value out of range, at once.</summary>
    /// <exception cref="InputException">Names them.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        void Need(bool holds, string text)
        {
            if (!holds)
            {
                faults.Add(text);
            }
        }

        Need(Peers is >= 2 and <= 32, $"--peers is {Peers}, must be 2 to 32 to be measured");
        Need(Validators is >= 1 and <= 16, $"--validators is {Validators}, must be 1 to 16");
        Need(ApplyDelay is 0 or 1, $"--apply-delay is {ApplyDelay}, must be 0 or 1");
        var roundsMin = WanTimes.RoundsMin(ApplyDelay);
        Need(Rounds >= roundsMin && Rounds <= 1000, $"--rounds is {Rounds}, must be {roundsMin} (of which only one counts) to 1,000");
        Need(!Joiner || NetworkOnly, "--joiner fetches a checkpoint of a run without computing: give --network-only as well");
        Need(!Joiner || WanTimes.Counted(Rounds, ApplyDelay).Count >= 2, $"--rounds is {Rounds}: with --joiner at least {roundsMin + 1}");
        Need(InnerSteps is >= 1 and <= 10_000, $"--inner-steps is {InnerSteps}, must be 1 to 10,000");
        Need(Batch is >= 1 and <= 1024, $"--batch is {Batch}, must be 1 to 1,024");
        Need(!NetworkOnly || Parameters is >= 2e6 and <= 2e9, $"--parameters is {Parameters}, must be 2e6 to 2e9 to be measured");
        Need(ComputeSeconds is > 0 and <= 3600, $"--compute is {ComputeSeconds}, must be above 0 and at most 3,600 to be measured");
        Need(UpMegabits is >= 1 and <= 10_000, $"--up is {UpMegabits}, must be 1 to 10,000 to be measured");
        Need(DownMegabits is >= 1 and <= 10_000, $"--down is {DownMegabits}, must be 1 to 10,000 to be measured");
        Need(DelayMilliseconds is >= 0 and <= 2000, $"--delay is {DelayMilliseconds}, must be 0 to 2,000");
        Need(LossPercent is >= 0 and < 50, $"--loss is {LossPercent}, must be 0 and below 50");
        if (faults.Count > 0)
        {
            throw new InputException(string.Join("; ", faults) + ".");
        }
    }
}

/// <summary>What was measured, beside what sizes and rates say; the last line of <c>lab wan --measure --json</c>.</summary>
/// <param name="NetworkOnly">True where computing was a wait.</param>
/// <param name="Parameters">Parameters of the model.</param>
/// <param name="Peers">Peers.</param>
/// <param name="Validators">Validators.</param>
/// <param name="ApplyDelay">The rule of the run.</param>
/// <param name="UpMegabits">Megabits a second that each could send.</param>
/// <param name="DownMegabits">And receive.</param>
/// <param name="DelayMilliseconds">There and back.</param>
/// <param name="Measured">What was measured.</param>
/// <param name="Bound">What the lines allow, with the computing and the sizes that were measured.</param>
/// <param name="Model">What <c>cairn lab wan</c> computes for the same.</param>
/// <param name="OverLeast">By how much of it a round was longer than the lines allow.</param>
/// <param name="Joiner">What somebody who joined cost the others; null where nobody did.</param>
/// <param name="Skipped">What could not be done here, and why.</param>
internal sealed record WanReport(
    bool NetworkOnly, long Parameters, int Peers, int Validators, int ApplyDelay, double UpMegabits, double DownMegabits, double DelayMilliseconds, WanTimes Measured,
    WanBound Bound, WanModel Model, double OverLeast, WanJoinerCost? Joiner, IReadOnlyList<string> Skipped)
{
    /// <summary>Puts it together.</summary>
    /// <param name="options">What was asked.</param>
    /// <param name="rules">Of the run.</param>
    /// <param name="measured">What was measured.</param>
    /// <param name="joiner">What a joiner said last; null where there was none.</param>
    /// <param name="skipped">What could not be done.</param>
    public static WanReport Of(WanOptions options, Protocol.RunRules rules, WanTimes measured, string? joiner, IReadOnlyList<string> skipped)
    {
        var compute = measured.Peers.Max(peer => peer.Compute);
        var model = new WanModel(
            "", rules.Model.ParameterCount, measured.UpdateBytes / rules.Model.ParameterCount, options.Peers, compute, options.UpMegabits, options.DownMegabits);
        var bound = WanBound.Of(model, options.ApplyDelay);
        // The wait of everybody for the validator is to the model a fixed time.
        model = model with { FixedSeconds = bound.LeastExchange - bound.Send };
        return new WanReport(
            options.NetworkOnly, rules.Model.ParameterCount, options.Peers, options.Validators, options.ApplyDelay, options.UpMegabits, options.DownMegabits,
            options.DelayMilliseconds, measured, bound, model, (measured.RoundSeconds / bound.Least) - 1,
            joiner is null ? null : WanJoinerCost.Of(measured.Lengths, joiner), skipped);
    }

    /// <summary>For people.</summary>
    /// <param name="output">Where to.</param>
    public void Write(TextWriter output)
    {
        var (times, stages) = (Measured, Measured.Stages);
        output.WriteLine(
            $"\n{(NetworkOnly ? "exchange alone" : "trained")}: {Parameters:N0} parameters, {Peers} peers, {Validators} validators, apply delay {ApplyDelay}; lines of " +
            $"{UpMegabits:N0} Mb/s up, {DownMegabits:N0} Mb/s down, {DelayMilliseconds:N0} ms there and back");
        output.WriteLine($"an update     {times.UpdateBytes / 1e6:N2} MB");
        output.WriteLine($"a round       {times.RoundSeconds:N2} s, of {times.Rounds} rounds, the longest {times.Longest:N2} s");
        output.WriteLine(
            $"by the lines  {Bound.Least:N2} s at least, {Bound.InTurn:N2} s one thing after another: measured {100 * OverLeast:+0.0;-0.0} % over the least");
        output.WriteLine($"utilisation   {100 * times.Peers.Average(peer => peer.Utilisation):N1} %, by the lines at most {100 * Bound.Compute / Bound.Least:N1} %\n");
        output.WriteLine("seconds of a round                     measured   by the lines");
        // With an apply delay most of the computing is over when a round begins: what is left of it depends on how long the exchange was.
        WriteRow(output, "compute, send, commit", stages.Commit, Math.Max(0, Bound.Least - Bound.LeastExchange) + Bound.Send);
        WriteRow(output, "reveal the keys", stages.Reveal, 0);
        WriteRow(output, "validators fetch, check, hold", stages.Judge, Math.Max(Bound.ValidatorFetch, Bound.ValidatorHold));
        WriteRow(output, "peers fetch and apply", stages.Apply, Bound.Fetch);
        WriteRow(output, "settle", stages.Settle, 0);
        output.WriteLine("\npeer          utilisation   computing      sending    fetching and applying");
        foreach (var peer in times.Peers)
        {
            output.WriteLine($"{peer.Peer,-12}  {100 * peer.Utilisation,9:N1} %  {peer.Compute,8:N2} s   {peer.Send,8:N2} s   {peer.Apply,8:N2} s");
        }

        if (Joiner is { } joiner)
        {
            output.WriteLine(
                $"\na joiner      rounds of {joiner.AloneSeconds:N2} ± {joiner.AloneError:N2} s without one, " +
                $"{joiner.BesideSeconds:N2} ± {joiner.BesideError:N2} s beside it: {100 * joiner.Change:+0.0;-0.0} %\n              {joiner.Said}");
        }

        foreach (var skipped in Skipped)
        {
            output.WriteLine($"left out      {skipped}");
        }
    }

    private static void WriteRow(TextWriter output, string what, double measured, double bound) => output.WriteLine($"  {what,-34}  {measured,8:N2}   {bound,8:N2}");
}

/// <summary>What a joiner cost the others.</summary>
/// <param name="AloneSeconds">Of a round before it came.</param>
/// <param name="AloneError">Its standard error.</param>
/// <param name="BesideSeconds">Of a round beside it.</param>
/// <param name="BesideError">Its standard error.</param>
/// <param name="Said">What it said of its last fetch.</param>
internal sealed record WanJoinerCost(double AloneSeconds, double AloneError, double BesideSeconds, double BesideError, string Said)
{
    /// <summary>The part by which rounds were longer beside it.</summary>
    public double Change => (BesideSeconds / AloneSeconds) - 1;

    /// <summary>The rounds that are counted before it comes.</summary>
    /// <param name="counted">All that are counted.</param>
    public static int Alone(int counted) => counted / 2;

    /// <summary>Compares.</summary>
    /// <param name="lengths">Seconds of each counted round.</param>
    /// <param name="said">What it said last.</param>
    public static WanJoinerCost Of(IReadOnlyList<double> lengths, string said)
    {
        var (alone, beside) = (MeanOf([.. lengths.Take(Alone(lengths.Count))]), MeanOf([.. lengths.Skip(Alone(lengths.Count))]));
        return new WanJoinerCost(alone.Mean, alone.Error, beside.Mean, beside.Error, said);
    }

    private static (double Mean, double Error) MeanOf(IReadOnlyList<double> seconds)
    {
        var mean = seconds.Average();
        var variance = seconds.Sum(one => (one - mean) * (one - mean)) / Math.Max(1, seconds.Count - 1);
        return (mean, Math.Sqrt(variance / seconds.Count));
    }
}
