using System.CommandLine;
using System.Globalization;
using Cairn.Base;
using Cairn.Node;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn chain bind|fund|settle|claim</c>, and <c>cairn claim</c> for short: the money of a run on a chain.</summary>
internal static class ChainMoneyVerbs
{
    private static readonly Option<string> Name = new("--name") { Description = "The node whose key is bound to the account.", Required = true };
    private static readonly Option<string?> Bond = new("--bond")
    {
        Description = "What to stake, in wei, or the smallest parts of the run's token. " +
            "Default: what the account's voice among the validators stands for, if it has one.",
    };

    private static readonly Option<string> Amount = new("--amount") { Description = "How much, in wei, or the smallest parts of the run's token.", Required = true };
    private static readonly Option<long?> UpTo = new("--up-to") { Description = "The block up to which the others have signed. Default: the newest final one." };
    private static readonly Option<string[]> Signatures = new("--signature")
    {
        Description = "What others have signed, one after another.",
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<string[]> For = new("--for")
    {
        Description = "Accounts that are claimed for: what they have lost comes off their bonds, what they have earned is credited to them. 'all' is everybody of whom " +
            "something is outstanding. Default: the account that pays, which also takes what it is credited.",
        AllowMultipleArgumentsPerToken = true,
    };

    public static Command Bind() => Create(
        "bind", "Binds an account to a node of a run, so that it is paid for what the node earns, and stakes a bond.\n\nExample:  cairn chain bind --name validator-1",
        [Name, Bond], async (directory, chain, parsed, cancellation) =>
        {
            var held = await ChainMoney.BindAsync(directory, parsed.GetValue(Name)!, WeiOrNull(parsed.GetValue(Bond)), chain, cancellation);
            Console.WriteLine($"bound; {held} are at stake");
        });

    public static Command Fund() => Create(
        "fund", "Adds to the pool from which a run's rewards are paid.\n\nExample:  cairn chain fund --amount 1000000000000000000",
        [Amount], async (directory, chain, parsed, cancellation) =>
        {
            var pool = await ChainMoney.FundAsync(directory, WeiOrNull(parsed.GetValue(Amount))!.Value, chain, cancellation);
            Console.WriteLine($"the pool holds {pool}");
        });

    public static Command Settle() => Create(
        "settle",
        "Signs, as a validator, what every account has earned and lost; posts it once two thirds of the voices have.\n\nExample:  cairn chain settle --account v1.json",
        [UpTo, Signatures], async (directory, chain, parsed, cancellation) =>
        {
            var upTo = parsed.GetValue(UpTo) is { } block ? (ulong)Math.Max(0, block) : (ulong?)null;
            var outcome = await ChainMoney.SettleAsync(directory, upTo, parsed.GetValue(Signatures) ?? [], chain, cancellation);
            Console.WriteLine(
                outcome.Block > 0 ? $"settlement {outcome.Settlement.Epoch} stands in block {outcome.Block}, root {outcome.Settlement.Root}"
                : "signed, but more voices are needed. Let another validator go on with:\n" +
                    $"  ./cairn chain settle --up-to {outcome.Settlement.UpToBlock} --signature {string.Join(' ', outcome.Signatures)}");
        });

    /// <summary>Takes what was earned.</summary>
    /// <param name="word">What it is called in its example: it stands among the verbs of chains, and by itself.</param>
    public static Command Claim(string word) => Create(
        "claim",
        "Takes what an account has earned by the last settlement whose window has passed; or claims for others, whose bonds are cut by it.\n\n" +
            $"Examples:  cairn {word} --account alice.json\n           cairn {word} --for all",
        [For], async (directory, chain, parsed, cancellation) =>
        {
            if (parsed.GetValue(For) is { Length: > 0 } whom)
            {
                var claimed = await ChainMoney.ClaimForAsync(
                    directory, whom.Contains("all") ? [] : whom, chain,
                    one => Console.WriteLine($"{one.Account} has earned {one.Earned} {one.Money} and lost {one.Cut}: credited and cut{Waits(one)}"), cancellation);
                Console.WriteLine(claimed == 0 ? "nothing is outstanding" : $"claimed for {claimed}");
                return;
            }

            var outcome = await ChainMoney.ClaimAsync(directory, chain, cancellation);
            Console.WriteLine($"{outcome.Account} has earned {outcome.Earned} {outcome.Money} and lost {outcome.Cut}; paid out now: {outcome.Withdrawn}{Waits(outcome)}");
        });

    private static string Waits(ClaimOutcome outcome) =>
        outcome.Waits > 0 ? $"; {outcome.Waits} wait until the pool holds them (cairn chain fund)" : "";

    private static Command Create(
        string name, string description, IReadOnlyList<Option> options, Func<RunDirectory, ChainOptions, ParseResult, CancellationToken, Task> act)
    {
        var command = new Command(name, description);
        foreach (var option in (IEnumerable<Option>)[NodeConfig.Dir, ChainConfig.Rpc, ChainConfig.Account, ChainConfig.FeeMax, .. options])
        {
            command.Options.Add(option);
        }

        command.SetAction(async (parsed, cancellation) =>
        {
            var directory = new RunDirectory(parsed.GetValue(NodeConfig.Dir) ?? RunFolders.Newest());
            await act(directory, ChainConfig.ReadNode(parsed), parsed, cancellation);
            return ExitCode.Success;
        });
        return command;
    }

    private static UInt128? WeiOrNull(string? text) => text is null ? null
        : UInt128.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var wei) && wei > 0 && wei < (UInt128)1 << 96 ? wei
        : throw new InputException($"'{text}' is no amount: it must be a whole number above 0 and below 2^96.");
}
