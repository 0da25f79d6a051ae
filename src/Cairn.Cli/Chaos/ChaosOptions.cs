using Cairn.Base;

namespace Cairn.Cli.Chaos;

/// <summary>What a trial is to be like.</summary>
/// <param name="Folder">Everything of it lies there.</param>
/// <param name="Peers">Peers.</param>
/// <param name="Validators">Validators.</param>
/// <param name="Minutes">How long things go wrong; the run then goes on to its end in peace.</param>
/// <param name="Preset">Size of the model.</param>
/// <param name="Rounds">Rounds of the run.</param>
/// <param name="Seed">From which the strikes follow.</param>
/// <param name="Data">Text to train on; empty for the usual.</param>
/// <param name="ApplyDelay">The rule of the run.</param>
/// <param name="OnChain">True for a ledger that a chain orders, whose node is struck as well.</param>
/// <param name="Strikes">Kinds of strikes that are wanted; none for all.</param>
internal sealed record ChaosOptions(
    string Folder, int Peers, int Validators, double Minutes, string Preset, int Rounds, ulong Seed, IReadOnlyList<string> Data, int ApplyDelay, bool OnChain,
    IReadOnlyList<string> Strikes)
{
    /// <summary>Every value out of range, at once.</summary>
    /// <exception cref="InputException">Names them.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        if (Peers is < 3 or > 32)
        {
            faults.Add($"--peers is {Peers}, must be 3 to 32");
        }

        if (Validators is < 3 or > 16)
        {
            faults.Add($"--validators is {Validators}, must be 3 to 16: of fewer none may fail");
        }

        if (Minutes is not (> 0 and <= 1440))
        {
            faults.Add($"--minutes is {Minutes}, must be above 0 and at most 1,440");
        }

        if (Rounds is < 2 or > 100_000)
        {
            faults.Add($"--rounds is {Rounds}, must be 2 to 100,000");
        }

        if (ApplyDelay is not (0 or 1))
        {
            faults.Add($"--apply-delay is {ApplyDelay}, must be 0 or 1");
        }

        faults.AddRange(
            Strikes.Where(kind => !ChaosKinds.All.Contains(kind))
                .Select(kind => $"'{kind}' is no kind of strike, must be one of {string.Join(", ", ChaosKinds.All.Distinct())}"));
        faults.AddRange(Strikes.Where(kind => !OnChain && ChaosKinds.OfChain.Contains(kind)).Select(kind => $"'{kind}' needs --ledger evm"));
        if (faults.Count > 0)
        {
            throw new InputException(string.Join("; ", faults) + ".");
        }
    }
}

/// <summary>How a trial went; the last line of <c>chaos --json</c>.</summary>
/// <param name="Holds">True if everything held.</param>
/// <param name="Faults">What did not.</param>
/// <param name="Rounds">Rounds done.</param>
/// <param name="Empty">Rounds that closed without an update.</param>
/// <param name="Strikes">Strikes of each kind.</param>
/// <param name="Restarts">Times that a node was started again.</param>
/// <param name="Seconds">Time of the run.</param>
/// <param name="Loss">Held-out loss at the end.</param>
/// <param name="LossUndisturbed">The same of an undisturbed run of as many rounds.</param>
/// <param name="BaseDigest">The base of all nodes.</param>
/// <param name="LongestRoundSeconds">The longest time between the ends of two rounds.</param>
/// <param name="Skipped">Kinds of strikes that could not be made here, and why.</param>
internal sealed record ChaosReport(
    bool Holds, IReadOnlyList<string> Faults, int Rounds, int Empty, SortedDictionary<string, int> Strikes, int Restarts, double Seconds, double Loss,
    double LossUndisturbed, string BaseDigest, double LongestRoundSeconds, IReadOnlyList<string> Skipped);
