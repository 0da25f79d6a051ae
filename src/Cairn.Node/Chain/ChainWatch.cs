using Cairn.Base;
using Cairn.Ledger;
using Cairn.Ledger.Evm;

namespace Cairn.Node;

/// <summary>The ledger of a run on a chain for somebody who only watches: he needs no account, and says nothing there.</summary>
public static class ChainWatch
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(5);

    /// <summary>Begins the ledger's file of a run of which nothing is here: its genesis, from the chain.</summary>
    /// <param name="path">The new file.</param>
    /// <param name="nodes">Nodes of the chain.</param>
    /// <param name="contract">The contract.</param>
    /// <param name="run">Digest of the run's genesis.</param>
    /// <param name="confirmations">Blocks that must stand on the last one that is read; null for 1 on a development chain and 12 elsewhere.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>Where it is followed.</returns>
    /// <exception cref="InputException">The chain does not answer, or has no such run.</exception>
    public static async Task<RunChain> BeginAsync(
        string path, IReadOnlyList<string> nodes, string contract, Digest run, ulong? confirmations, CancellationToken cancellation)
    {
        var address = AddressOf(contract);
        using var endpoints = new ChainEndpoints(nodes);
        var client = new ChainClient(endpoints);
        return await ChainLine.AskedAsync(async () =>
        {
            var id = await client.ChainIdAsync(cancellation);
            var created = await EvmLedger.CreatedAsync(client, address, run, cancellation);
            var history = await ChainHistory.ReadAsync(client, address, run, created, cancellation);
            EmbeddedLedger.Create(path, history.Replay.State.Genesis).Dispose();
            return new RunChain(id, contract, confirmations ?? (id == ChainOptions.DevelopmentChain ? 1u : 12u), nodes);
        });
    }

    /// <summary>Brings the ledger's file forward as the chain goes on, until it is told to stop. A chain that does not answer is waited for.</summary>
    /// <param name="path">The file; nodes of the run that work on it too are not disturbed.</param>
    /// <param name="chain">Where the run is.</param>
    /// <param name="tell">Told what is wrong, once for each trouble.</param>
    /// <param name="cancellation">Stops.</param>
    public static async Task FollowAsync(string path, RunChain chain, Action<string> tell, CancellationToken cancellation)
    {
        try
        {
            using var endpoints = new ChainEndpoints(chain.Nodes);
            var (client, said) = (new ChainClient(endpoints), "");
            while (true)
            {
                try
                {
                    var options = new EvmLedgerOptions
                    {
                        Contract = AddressOf(chain.Contract),
                        Confirmations = chain.Confirmations,
                        LookEvery = chain.Nodes.All(node => new Uri(node).IsLoopback) ? TimeSpan.FromMilliseconds(500) : TimeSpan.FromSeconds(4),
                    };
                    using var ledger = await EvmLedger.OpenAsync(path, client, sender: null, options, cancellation);
                    await ledger.RunAsync(cancellation);
                }
                catch (ChainFaultException fault)
                {
                    if (said != fault.Message)
                    {
                        said = fault.Message;
                        tell($"{fault.Message.TrimEnd('.')}: shown is what the ledger's file here holds, until the chain answers.");
                    }

                    await Task.Delay(AskAgain, cancellation);
                }
            }
        }
        catch (Exception e) when (e is InputException or IOException or UnauthorizedAccessException)
        {
            tell($"{e.Message.TrimEnd('.')}: the chain is not followed, shown is what the ledger's file here holds.");
        }
        catch (OperationCanceledException)
        {
            // Told to stop.
        }
    }

    private static EvmAddress AddressOf(string contract) =>
        EvmAddress.TryParse(contract, out var address) ? address : throw new InputException($"'{contract}' is no address of a contract: correct it.");
}
