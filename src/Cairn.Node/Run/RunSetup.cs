using Cairn.Base;
using Cairn.Data;
using Cairn.Exchange;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>A run's rules and data in its common store, so that strangers can join: put there by the owner, fetched and verified by whoever joins.</summary>
public static class RunSetup
{
    private const string RulesKey = "run/rules.json";
    private const string DataPrefix = "run/data/";
    private const long RulesBytesMax = 1 << 20;
    private const long ManifestBytesMax = 16 << 20;
    private const long TokenizerBytesMax = 256 << 20;
    private const int PutTries = 4;
    private const int ShardHeaderMax = 4096;
    private const int BytesPerTokenMax = 4;

    /// <summary>Puts rules and data into the common store.</summary>
    /// <param name="directory">A run that is being created: its data are there.</param>
    /// <param name="rules">The file of its rules.</param>
    /// <param name="store">The store, an S3 address or a folder.</param>
    /// <param name="access">The account that writes.</param>
    /// <param name="tell">Told what is being put.</param>
    /// <param name="cancellation">Gives up; called again it goes on.</param>
    /// <exception cref="InputException">The store holds another run, or does not take the objects.</exception>
    public static async Task PublishAsync(RunDirectory directory, byte[] rules, string store, StoreAccess access, Action<string> tell, CancellationToken cancellation)
    {
        var (opened, line) = StoreOpening.One(store, access);
        using var _ = line;
        using var __ = opened as IDisposable;
        await CreateAsync(opened, Key(RulesKey), rules, cancellation);
        await InitialBaseTransfer.PublishAsync(opened, directory, RunRulesFile.Read(rules, RulesKey), tell, CreateAsync, cancellation);
        var names = DataSet.FilesOf(DataManifest.Load(Path.Combine(directory.Data, DataManifest.FileName))).ToList();
        for (var i = 0; i < names.Count; i++)
        {
            tell($"storing {names[i]} ({i + 1} of {names.Count})");
            await CreateAsync(opened, Key(DataPrefix + names[i]), await File.ReadAllBytesAsync(Path.Combine(directory.Data, names[i]), cancellation), cancellation);
        }
    }

    /// <summary>Makes a folder from which a node can join, from an invite. What is there already and right is kept.</summary>
    /// <param name="invite">The invite.</param>
    /// <param name="directory">The new folder.</param>
    /// <param name="nodes">Of the chain, where one orders the ledger; none for those that the invite names.</param>
    /// <param name="tell">Told what is being fetched.</param>
    /// <param name="cancellation">Gives up; the same call goes on.</param>
    /// <exception cref="InputException">Ledger, rules or data are not those of the invite, or cannot be had.</exception>
    public static async Task JoinAsync(
        Invite invite, RunDirectory directory, IReadOnlyList<string> nodes, Action<string> tell, CancellationToken cancellation)
    {
        using var held = directory.Lock();
        var chain = !RunChain.TryParse(invite.Ledger, out var named) ? null : nodes.Count == 0 ? named : named with { Nodes = nodes };
        Genesis? genesis = null;
        if (chain is null)
        {
            invite.CheckLedger(invite.Ledger);
        }
        else
        {
            tell($"reading its ledger from chain {chain.ChainId}");
            genesis = await ChainAudit.CheckAsync(invite, chain, cancellation);
        }

        if (File.Exists(directory.Rules) && ReadRules(directory).ComputeDigest() != invite.Rules)
        {
            throw new InputException($"{directory.Root} holds another run: choose another --dir.");
        }

        var (store, line) = StoreOpening.One(invite.Store, null);
        using var _ = line;
        using var __ = store as IDisposable;
        tell($"joining run {invite.Run}: fetching its rules");
        var rules = await FetchRulesAsync(store, invite.Rules, cancellation);

        await InitialBaseTransfer.FetchAsync(store, directory, rules, tell, FetchAsync, cancellation);
        await FetchDataAsync(store, rules, directory, tell, cancellation);
        CheckData(directory, rules);
        new RunPlaces(chain is null ? invite.Ledger : null, invite.Store, chain).Write(directory.Root);
        if (genesis is not null && !File.Exists(directory.Ledger))
        {
            EmbeddedLedger.Create(directory.Ledger, genesis).Dispose(); // the node fills it as it follows the chain
        }

        DurableFile.Write(directory.Rules, RunRulesFile.Write(rules));
    }

    /// <summary>The rules of a run from its common store.</summary>
    /// <param name="store">The store.</param>
    /// <param name="digest">Of the rules.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="InputException">They cannot be had, or are others.</exception>
    public static async Task<RunRules> FetchRulesAsync(IObjectStore store, Digest digest, CancellationToken cancellation)
    {
        var rules = RunRulesFile.Read(await FetchAsync(store, Key(RulesKey), RulesBytesMax, cancellation), RulesKey);
        return rules.ComputeDigest() == digest ? rules
            : throw new InputException($"the rules in {store.Name} are not those of the run: its owner must put them right.");
    }

    /// <summary>Makes a folder from which a run can be watched: its rules, and where its ledger and store are. Nothing else is fetched.</summary>
    /// <param name="directory">The new folder.</param>
    /// <param name="ledger">The ledger's file, which is there.</param>
    /// <param name="store">The store, an S3 address or a folder.</param>
    /// <param name="chain">The chain that the ledger's file follows, or null.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="InputException">The store does not have the rules of that ledger.</exception>
    public static async Task WatchAsync(RunDirectory directory, string ledger, string store, RunChain? chain, CancellationToken cancellation)
    {
        Digest wanted;
        using (var tail = LedgerTail.Open(ledger))
        {
            wanted = tail.Genesis.RulesDigest;
        }

        var bytes = await RulesOfAsync(ledger, store, cancellation);
        if (RunRulesFile.Read(bytes, RulesKey).ComputeDigest() != wanted)
        {
            throw new InputException($"the rules in {store} are not those of the ledger {ledger}: name the store of the same run.");
        }

        DurableFile.Write(directory.Rules, bytes);
        directory.Keep(new RunPlaces(Path.GetFullPath(ledger), store.Contains("://", StringComparison.Ordinal) ? store : Path.GetFullPath(store), chain));
    }

    // A swarm on one machine has them beside its ledger and its store alone.
    private static async Task<byte[]> RulesOfAsync(string ledger, string store, CancellationToken cancellation)
    {
        var (opened, line) = StoreOpening.One(store, null);
        using var _ = line;
        using var __ = opened as IDisposable;
        var outcome = await PatientFetch.AskAsync(() => opened.GetAsync(Key(RulesKey), RulesBytesMax, cancellation), TimeProvider.System, cancellation);
        var beside = new[] { ledger, store }.Select(place => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(place)) ?? "", "rules.json"))
            .FirstOrDefault(File.Exists);
        return outcome.Status == FetchStatus.Found ? outcome.Bytes
            : beside is not null && new FileInfo(beside).Length <= RulesBytesMax ? await File.ReadAllBytesAsync(beside, cancellation)
            : throw new InputException($"{store} has no rules of a run ({outcome.Detail.TrimEnd('.')}): name the common store of the run, as its invite does.");
    }

    /// <summary>The tokenizer's file from the common store; the caller compares it with the rules.</summary>
    /// <exception cref="InputException">It cannot be had.</exception>
    internal static Task<byte[]> FetchTokenizerAsync(IObjectStore store, CancellationToken cancellation) =>
        FetchAsync(store, Key(DataPrefix + DataSet.TokenizerFileName), TokenizerBytesMax, cancellation);

    // What was fetched wrong, or has been damaged since, must not stand in the way of the next try.
    private static void CheckData(RunDirectory directory, RunRules rules)
    {
        try
        {
            Swarm.DataOf(directory, rules).Dispose();
        }
        catch (InputException damaged)
        {
            Directory.Delete(directory.Data, recursive: true);
            throw new InputException($"the data of the run are damaged, here or in its store ({damaged.Message.TrimEnd('.')}): join again to fetch them anew.", damaged);
        }
    }

    /// <summary>The rules of a run's folder.</summary>
    /// <exception cref="InputException">There is no run, or the file is damaged.</exception>
    internal static RunRules ReadRules(RunDirectory directory) => directory.HoldsRun
        ? RunRulesFile.Read(File.ReadAllBytes(directory.Rules), directory.Rules)
        : File.Exists(directory.Rules) && directory.Places.Ledger is { } elsewhere
            ? throw new InputException(
                $"the ledger of the run in {directory.Root} is not at {elsewhere}, where {RunPlaces.FileName} says: restore it, or correct that file.")
        : throw new InputException($"{directory.Root} holds no run: create one with cairn run create --dir {directory.Root}, join one, or correct --dir.");

    // A wrong one is not kept: the next try fetches it anew.
    private static DataManifest ReadManifest(string path, RunRules rules)
    {
        try
        {
            var manifest = DataManifest.Load(path);
            return manifest.Digest == rules.Data.Manifest ? manifest : throw new InputException(
                $"the data set in the store (digest {manifest.Digest.Short}) is not that of the rules ({rules.Data.Manifest.Short}).");
        }
        catch (InputException wrong)
        {
            File.Delete(path);
            throw new InputException(
                $"the list of the run's data is damaged in its store ({wrong.Message.TrimEnd('.')}): its owner must put it right; then join again.", wrong);
        }
    }

    // The manifest's digest is in the rules, and every other file's in the manifest: sizes are bounded by the rules, contents checked when the set is opened.
    private static async Task FetchDataAsync(IObjectStore store, RunRules rules, RunDirectory directory, Action<string> tell, CancellationToken cancellation)
    {
        Directory.CreateDirectory(directory.Data);
        await FetchFileAsync(DataManifest.FileName, ManifestBytesMax);
        var manifest = ReadManifest(Path.Combine(directory.Data, DataManifest.FileName), rules);

        // Samples and what is left over at the end of each shard; of text that is measured on there is one shard.
        var tokensMax = Math.Max(rules.Data.TrainSamples + manifest.Train.Count, rules.Data.HeldOutSamples + 1) * (rules.Model.Context + 1L);
        var names = DataSet.FilesOf(manifest).Skip(1).ToList();
        for (var i = 0; i < names.Count; i++)
        {
            tell($"fetching {names[i]} ({i + 1} of {names.Count})");
            await FetchFileAsync(names[i], names[i] == DataSet.TokenizerFileName ? TokenizerBytesMax : ShardHeaderMax + (BytesPerTokenMax * tokensMax));
        }

        async Task FetchFileAsync(string name, long bytesMax)
        {
            var path = Path.Combine(directory.Data, name);
            if (!File.Exists(path))
            {
                DurableFile.Write(path, await FetchAsync(store, Key(DataPrefix + name), bytesMax, cancellation));
            }
        }
    }

    private static async Task CreateAsync(IObjectStore store, ObjectKey key, byte[] bytes, CancellationToken cancellation)
    {
        var outcome = await store.CreateAsync(key, bytes, cancellation);
        for (var tries = 1; outcome.Status == PutStatus.Unreachable && tries < PutTries; tries++)
        {
            await Task.Delay(TimeSpan.FromSeconds(tries), cancellation);
            outcome = await store.CreateAsync(key, bytes, cancellation);
        }

        if (outcome.Status == PutStatus.Exists)
        {
            var there = await store.GetVerifiedAsync(key, Digest.Of(bytes), bytes.Length, cancellation);
            if (there.Status != FetchStatus.Found)
            {
                throw new InputException($"the store holds another run already ({key}): choose another bucket or prefix with --store.");
            }
        }
        else if (outcome.Status != PutStatus.Stored)
        {
            throw new InputException(outcome.Detail);
        }
    }

    private static async Task<byte[]> FetchAsync(IObjectStore store, ObjectKey key, long bytesMax, CancellationToken cancellation)
    {
        var outcome = await PatientFetch.AskAsync(() => store.GetAsync(key, bytesMax, cancellation), TimeProvider.System, cancellation);
        return outcome.Status == FetchStatus.Found
            ? outcome.Bytes
            : throw new InputException($"cannot fetch {key}: {outcome.Detail} See that the store answers and is that of the run, or ask for a new invite.");
    }

    private static ObjectKey Key(string text)
    {
        Invariant.Check(ObjectKey.TryParse(text, out var key));
        return key!;
    }
}
