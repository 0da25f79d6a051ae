using Cairn.Base;
using Cairn.Ledger;
using Cairn.Ledger.Evm;

namespace Cairn.Node;

/// <summary>This process's connection to the chain of a run: its nodes, the account that pays, and what goes over it.</summary>
internal sealed class ChainLine : IDisposable
{
    private static readonly TimeSpan WaitEvery = TimeSpan.FromSeconds(1);
    private readonly ChainEndpoints _endpoints;
    private readonly ChainClient _client;
    private readonly AccountKey _account;
    private readonly ChainSender _sender;
    private readonly ChainOptions _options;
    private readonly TimeSpan _lookEvery;
    private readonly Action<ChainTrouble?>? _waits;

    private ChainLine(ChainEndpoints endpoints, ChainClient client, AccountKey account, RunChain chain, ChainOptions options, Action<ChainTrouble?>? waits)
    {
        (_endpoints, _client, _account, Chain, _options, _waits) = (endpoints, client, account, chain, options, waits);
        var local = chain.Nodes.All(node => new Uri(node).IsLoopback);
        _lookEvery = local ? TimeSpan.FromMilliseconds(100) : TimeSpan.FromSeconds(2);
        _sender = new ChainSender(client, account, new SenderOptions { PollEvery = _lookEvery, ChainId = chain.ChainId, FeePerGasMax = options.FeePerGasMax });
    }

    /// <summary>Where it leads; without a contract until the run is created there.</summary>
    public RunChain Chain { get; private set; }

    /// <summary>Who pays.</summary>
    public EvmAddress Account => _account.Address;

    /// <summary>Opens it, and sees that it leads to the right chain.</summary>
    /// <param name="options">What this node's owner chose.</param>
    /// <param name="known">What the run's folder says; null for a run that is to be created.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <param name="waits">Given, a chain that does not answer is waited for: told what is wrong, and of null once nothing is.</param>
    /// <exception cref="InputException">No node answers, it is another chain, or there is no account to pay with.</exception>
    public static async Task<ChainLine> OpenAsync(ChainOptions options, RunChain? known, CancellationToken cancellation, Action<ChainTrouble?>? waits = null)
    {
        var nodes = options.Nodes.Count > 0 ? options.Nodes : known?.Nodes ?? [];
        var endpoints = new ChainEndpoints(nodes);
        try
        {
            var client = new ChainClient(endpoints);
            if (known is not null)
            {
                endpoints.Expect(known.ChainId);
            }

            var id = await WaitedAsync(() => client.ChainIdAsync(cancellation), waits, cancellation);
            endpoints.Expect(id);

            var confirmations = options.Confirmations ?? known?.Confirmations ?? (id == ChainOptions.DevelopmentChain ? 1u : 12u);
            var contract = options.Contract ?? known?.Contract ?? "";
            return new ChainLine(endpoints, client, options.OpenAccount(id), new RunChain(id, contract, confirmations, nodes), options, waits);
        }
        catch
        {
            endpoints.Dispose();
            throw;
        }
    }

    /// <summary>Creates a run on the chain, and the contract if none was named. What is there already stays: the same call goes on.</summary>
    /// <param name="genesis">What the run begins with.</param>
    /// <param name="tell">Told what happens.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="InputException">The chain does not take it.</exception>
    public async Task CreateAsync(Genesis genesis, Action<string> tell, CancellationToken cancellation)
    {
        if (Chain.Contract.Length == 0)
        {
            var made = await AskedAsync(() => _sender.SendAsync(null, CairnContract.DeployCode(), 0, cancellation));
            Chain = Chain with { Contract = made.Contract!.Value.ToString() };
            tell($"the contract of the run is {Chain.Contract} on chain {Chain.ChainId} ({made.GasUsed:N0} gas)");
        }

        if (genesis.ToBytes().Length > CairnContract.GenesisBytesMax)
        {
            throw new InputException(
                $"a run with so many members at its beginning does not fit on a chain ({CairnContract.GenesisBytesMax} bytes): let them join later.");
        }

        if (CairnContract.CreatedBlock(await AskedAsync(() => _client.ReadAsync(ContractAddress, CairnContract.RunQuestion(genesis.Digest), 4096, cancellation))) > 0)
        {
            return;
        }

        var terms = await TermsAsync(cancellation);
        var voice = new ChainVoice(Account, (ulong)genesis.Members.Where(member => member.Role == Role.Validator).Sum(member => member.Bond));
        var created = await AskedAsync(() => _sender.SendAsync(ContractAddress, CairnContract.CreateRun(genesis, terms, [voice]), 0, cancellation));
        tell($"created run {genesis.Digest.Short} in block {created.Block} ({created.GasUsed:N0} gas)");
    }

    // A day and a week of 12 s blocks; on a development chain nobody waits for so long.
    private async Task<ChainTerms> TermsAsync(CancellationToken cancellation)
    {
        var token = default(EvmAddress);
        if (_options.BondToken is { } text)
        {
            token = EvmAddress.TryParse(text, out var parsed) && parsed != default ? parsed : throw new InputException($"'{text}' is no address of a token: correct it.");
            if (await BalanceAsync(token, cancellation) is null)
            {
                throw new InputException($"{text} is no token (ERC-20) on chain {Chain.ChainId}: it does not say what an account has. Correct --bond-token.");
            }
        }

        return Chain.ChainId == ChainOptions.DevelopmentChain ? new ChainTerms(_options.WeiPerUnit, 10, 20, token)
            : new ChainTerms(_options.WeiPerUnit, 7200, 50_400, token);
    }

    private async Task<UInt128?> BalanceAsync(EvmAddress token, CancellationToken cancellation)
    {
        try
        {
            return Erc20.ReadAmount(await AskedAsync(() => _client.ReadAsync(token, Erc20.BalanceQuestion(Account), 64, cancellation)));
        }
        catch (InputException e) when (e.InnerException is ChainFaultException { Kind: ChainFaultKind.Refused })
        {
            return null;
        }
    }

    /// <summary>Sends a call that brings money: along with it, or of a token by letting the contract take just so much before.</summary>
    /// <param name="accounts">What the run holds: says what its money is.</param>
    /// <param name="call">The call.</param>
    /// <param name="amount">What it brings.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="InputException">The account has not so much of the token, or the chain does not take it.</exception>
    public async Task SendWithMoneyAsync(ChainAccounts accounts, byte[] call, UInt128 amount, CancellationToken cancellation)
    {
        if (accounts.Token == default || amount == 0)
        {
            await SendAsync(call, amount, cancellation);
            return;
        }

        var has = await BalanceAsync(accounts.Token, cancellation);
        if (has < amount)
        {
            throw new InputException($"account {Account} has {has} {accounts.Money}, and {amount} are to be paid: give it more.");
        }

        var allowed = Erc20.ReadAmount(await AskedAsync(() => _client.ReadAsync(accounts.Token, Erc20.AllowanceQuestion(Account, ContractAddress), 64, cancellation)));
        if (allowed is null || allowed < amount)
        {
            // Some tokens let an allowance change only by way of none.
            foreach (var sum in (UInt128[])[.. allowed > 0 ? [UInt128.Zero] : Array.Empty<UInt128>(), amount])
            {
                await AskedAsync(() => _sender.SendAsync(accounts.Token, Erc20.Approve(ContractAddress, sum), 0, cancellation));
            }
        }

        await SendAsync(call, 0, cancellation);
    }

    /// <summary>Opens the run's ledger and brings its file to where the chain is final.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellation">Gives up.</param>
    public Task<EvmLedger> FollowAsync(string path, CancellationToken cancellation)
    {
        var options = new EvmLedgerOptions { Contract = ContractAddress, Confirmations = Chain.Confirmations, LookEvery = _lookEvery };
        return WaitedAsync(() => EvmLedger.OpenAsync(path, _client, _sender, options, cancellation), _waits, cancellation);
    }

    /// <summary>Sends a call to the contract.</summary>
    /// <param name="call">The call.</param>
    /// <param name="value">What it brings, in wei.</param>
    /// <param name="cancellation">Gives up.</param>
    public Task<ChainReceipt> SendAsync(byte[] call, UInt128 value, CancellationToken cancellation) =>
        AskedAsync(() => _sender.SendAsync(ContractAddress, call, value, cancellation));

    /// <summary>Height of the chain.</summary>
    /// <param name="cancellation">Gives up.</param>
    public Task<ulong> HeightAsync(CancellationToken cancellation) => AskedAsync(() => _client.HeightAsync(cancellation));

    /// <summary>What a run holds.</summary>
    /// <param name="run">Digest of its genesis.</param>
    /// <param name="cancellation">Gives up.</param>
    public Task<ChainAccounts> AccountsAsync(Digest run, CancellationToken cancellation) => AskedAsync(async () =>
        CairnMoney.ReadAccounts(await _client.ReadAsync(ContractAddress, CairnContract.RunQuestion(run), 4096, cancellation))
            ?? throw new InputException($"{ContractAddress} is no contract of runs: correct --contract."));

    /// <summary>What an account holds in a run.</summary>
    /// <param name="run">Digest of its genesis.</param>
    /// <param name="account">Whose.</param>
    /// <param name="cancellation">Gives up.</param>
    public Task<ChainHolding> HoldingAsync(Digest run, EvmAddress account, CancellationToken cancellation) => AskedAsync(async () =>
        CairnMoney.ReadHolding(await _client.ReadAsync(ContractAddress, CairnMoney.HoldingQuestion(run, account), 4096, cancellation))
            ?? throw new InputException($"{ContractAddress} is no contract of runs: correct --contract."));

    /// <summary>The whole run from the chain.</summary>
    /// <param name="run">Digest of its genesis.</param>
    /// <param name="upToBlock">The last block to read; null for the newest final one.</param>
    /// <param name="cancellation">Gives up.</param>
    public Task<ChainHistory> HistoryAsync(Digest run, ulong? upToBlock, CancellationToken cancellation) => AskedAsync(async () =>
    {
        var height = await _client.HeightAsync(cancellation);
        var final = height - Math.Min(height, Chain.Confirmations);
        return await ChainHistory.ReadAsync(_client, ContractAddress, run, Math.Min(upToBlock ?? final, final), cancellation);
    });

    /// <summary>Signs as the account that pays.</summary>
    /// <param name="digest">What.</param>
    public EvmSignature Sign(Digest digest) => _account.Sign(digest);

    public void Dispose()
    {
        _sender.Dispose();
        _account.Dispose();
        _endpoints.Dispose();
    }

    /// <summary>The contract.</summary>
    public EvmAddress ContractAddress => EvmAddress.TryParse(Chain.Contract, out var address) ? address
        : throw new InputException($"'{Chain.Contract}' is no address of a contract: correct it.");

    // A node of a run that goes on waits for the chain as it waits for everything else.
    private static async Task<T> WaitedAsync<T>(Func<Task<T>> ask, Action<ChainTrouble?>? waits, CancellationToken cancellation)
    {
        for (var since = DateTimeOffset.UtcNow; waits is not null;)
        {
            try
            {
                var answer = await ask();
                waits(null);
                return answer;
            }
            catch (ChainFaultException fault)
            {
                waits(new ChainTrouble(fault.Message, since, Waits: true));
                await Task.Delay(WaitEvery, cancellation);
            }
        }

        return await AskedAsync(ask);
    }

    // While a run begins, trouble with the chain is for the person who begins it; later it is waited out.
    internal static async Task<T> AskedAsync<T>(Func<Task<T>> ask)
    {
        try
        {
            return await ask();
        }
        catch (ChainFaultException fault)
        {
            throw new InputException($"{fault.Message.TrimEnd('.')}. See that --rpc names a node of the chain (cairn chain up starts one on this machine).", fault);
        }
    }
}
