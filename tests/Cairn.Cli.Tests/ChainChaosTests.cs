using Cairn.Exchange.Tests;
using Cairn.Node.Tests;

namespace Cairn.Cli.Tests;

/// <summary>A run of real processes whose ledger a real EVM orders, while both are struck.</summary>
public sealed class ChainChaosTests(S3Server server)
{
    [Fact]
    public async Task A_run_whose_chain_is_killed_stalled_and_reorganised_ends_as_one_in_peace_and_the_chain_alone_says_the_same()
    {
        server.SkipIfMissing();
        var here = Environment.GetEnvironmentVariable("CAIRN_REQUIRE_CHAIN") is { Length: > 0 } || Environment.GetEnvironmentVariable("CAIRN_ANVIL") is { Length: > 0 };
        Assert.SkipUnless(here, "no EVM is named here: tools/chain-node.sh install DIR, and its path in CAIRN_ANVIL");
        using var folder = new TestFolder();
        TestCorpus.Write(folder["corpus.txt"]);
        using var process = CairnProcess.Start(
            "chaos", "--ledger", "evm", "--peers", "3", "--validators", "3", "--minutes", "0.6", "--rounds", "2", "--data", folder["corpus.txt"], "--dir", folder["chaos"],
            "--strikes", "chain-kill", "chain-stall", "chain-reorg", "--seed", "2");
        await process.EndAsync(minutesMax: 8);

        // Of two rounds, in which a peer may have been late, the loss says nothing; everything else must hold.
        Assert.Contains("from the chain alone", process.Output, StringComparison.Ordinal);
        Assert.Contains("2 rounds in", process.Output, StringComparison.Ordinal);
        var faults = process.Output.Split('\n').Where(line => line.StartsWith("FAULT", StringComparison.Ordinal) && !line.Contains("held-out loss", StringComparison.Ordinal));
        Assert.True(!faults.Any() && process.Errors.Length == 0, process.Output + process.Errors);
        Assert.All(["chain-kill: ", "chain-stall: ", "chain-reorg: ", "kill of a third: "], strike => Assert.Contains(strike, process.Output, StringComparison.Ordinal));
        TestContext.Current.SendDiagnosticMessage(process.Output);
    }
}
