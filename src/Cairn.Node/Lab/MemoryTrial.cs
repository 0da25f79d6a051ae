using Cairn.Base;
using Cairn.Compute;
using Cairn.Data;
using Cairn.Exchange;
using Cairn.Ledger;
using Cairn.Model;
using Cairn.Protocol;
using Cairn.Sparse;
using Cairn.Training;

namespace Cairn.Node;

/// <summary>One round of <see cref="UpdateMemory"/>: peers one after another, then a validator, then a node that comes late.</summary>
internal sealed class MemoryTrial : IDisposable
{
    private const int LocalModels = 3; // base, local parameters, error feedback
    private readonly MemoryOptions _options;
    private readonly Action<string> _tell;
    private readonly long _runtimeBytes;
    private readonly RunDirectory _directory;
    private readonly RunRules _rules;
    private readonly EventLog _log;
    private readonly LedgerFollower _ledger;
    private readonly List<MemoryStage> _stages = [];
    private readonly Stack<IDisposable> _owned = [];
    private long _updateBytes;

    public MemoryTrial(RunDirectory directory, MemoryOptions options, long runtimeBytes, Action<string> tell)
    {
        (_directory, _options, _runtimeBytes, _tell) = (directory, options, runtimeBytes, tell);
        _rules = RunSetup.ReadRules(directory);
        _log = Own(new EventLog(directory.Events, null));
        _ledger = Own(new LedgerFollower(directory.Ledger, new LedgerBell(), chain: null));
    }

    private long ModelBytes => sizeof(float) * _rules.Model.ParameterCount;

    public async Task<MemoryReport> RunAsync(CancellationToken cancellation)
    {
        _ledger.CatchUp(_ => { });
        await PublishAsync(cancellation);
        var delta = await JudgeAndApplyAsync(cancellation);
        await ComeLateAsync(delta.Base, cancellation);
        var largest = sizeof(float) * (long)Run("look").Grid.LongestTensor;
        var stages = _stages.GroupBy(stage => stage.Name).Select(same => same.MaxBy(stage => stage.ExtraBytes)!)
            .Select(stage => stage with { Ratio = stage.ExtraBytes / (double)largest }).ToList();
        return new MemoryReport(
            _rules.Model.ParameterCount, largest, _options.Peers, _updateBytes, delta.Bytes, _runtimeBytes, stages, stages.Max(stage => stage.Ratio), UpdateMemory.Bar);
    }

    public void Dispose()
    {
        while (_owned.TryPop(out var owned))
        {
            owned.Dispose();
        }
    }

    // As in PeerEffects, but that the inner steps are drawn: the optimizer with its two moments is not there.
    private async Task PublishAsync(CancellationToken cancellation)
    {
        var run = Run("peers");
        using var @base = new Parameters(run.Layout);
        using var local = new Parameters(run.Layout);
        using var error = Parameters.NewBuffer(run.Layout);
        Initializer.Fill(@base, _rules.Seed);
        var digest = @base.Digest();
        var encoder = new SparseEncoder(run.Grid, run.Codec.Format.Quantizer, (float)_rules.Sparse.ErrorDecay);
        var openings = new List<(NodeIdentity Self, Opening Opening)>();
        foreach (var member in _ledger.State.Members.Where(member => member.Role == Role.Peer))
        {
            _tell($"update {openings.Count + 1} of {_options.Peers}");
            DrawnSteps.Take(@base.Span, local.Span, error.Span, member.Uid.Value);
            byte[] bytes = [];
            await MeasureAsync("compress", LocalModels, () =>
            {
                PseudoGradient.Compute(@base.Span, local.Span, local.Span);
                Invariant.Check(encoder.TryEncode(run.RulesDigest, UpdateMemory.Round, member.Uid, error.Span, local.Span, error.Span, out var update, out _));
                bytes = run.Codec.Encode(update!);
                return Task.CompletedTask;
            });
            var self = IdentityOf(member.Name);
            await MeasureAsync("seal, put and commit", LocalModels, async () =>
            {
                var says = new Opening(
                    Digest.Zero, 0, Digest.Zero, digest, SampleReceipt.Of([.. _ledger.State.SamplesOf(member.Uid)]), Digest.Of("drawn"u8));
                var opening = await UpdatePublisher.PublishAsync(run, self, UpdateMemory.Round, member.Uid, bytes, says, cancellation);
                Say(self, new Commit(UpdateMemory.Round, opening.Root(member.Uid, UpdateMemory.Round)));
                openings.Add((self, opening));
            });
            _updateBytes = Math.Max(_updateBytes, openings[^1].Opening.SizeBytes);
        }

        _ledger.CatchUp(_ => { });
        openings.ForEach(one => Say(one.Self, new Reveal(UpdateMemory.Round, one.Opening)));
    }

    // A validator as it is in a run, but that it probes nobody: a probe takes what inner steps take.
    private async Task<(Digest Base, long Bytes)> JudgeAndApplyAsync(CancellationToken cancellation)
    {
        var run = Run("validator-1");
        var self = IdentityOf("validator-1");
        using var replica = Replica.Open(run, self.Folder, trains: false);
        await using var shared = new SharedEffects(run, self, _ledger);
        var judge = new Judge(run, self.Name, replica);
        _tell("judging");
        await MeasureAsync("fetch and check", 1, async () =>
        {
            CatchUp(shared);
            foreach (var name in new[] { "validator-1", "validator-2" })
            {
                var secret = RunCreator.BeaconSecret(_directory, _rules, name);
                Invariant.Check(BeaconChain.TryPreimage(secret, _rules.Round.Rounds, MemberOf(name).ChainTip, out var preimage));
                Say(IdentityOf(name), new Beacon(UpdateMemory.Round, preimage));
            }

            CatchUp(shared);
            var judged = (Judged)(await judge.BeginAsync(UpdateMemory.Round, RoundCase.Of(_ledger.State), cancellation))!;
            Say(self, judged.Verdict);
            Say(IdentityOf("validator-2"), judged.Verdict);
            CatchUp(shared);
        });
        var manifest = _ledger.State.ManifestOf(UpdateMemory.Round)!;
        if (manifest.Entries.Count != _options.Peers)
        {
            throw new InputException($"{_options.Peers} updates were put and {manifest.Entries.Count} passed the checks: everybody must be able to read the store.");
        }

        _tell("applying");
        await MeasureAsync("aggregate, step and put the mean", 1, async () =>
        {
            var apply = new ApplyManifest(UpdateMemory.Round, manifest, Included: false);
            await shared.ApplyAsync(replica, apply, _ledger.State, _ => Task.FromResult(judge.BookAfter(UpdateMemory.Round, paidBefore: false)), cancellation);
            await shared.FinishAsync();
            Say(self, new PostBase(UpdateMemory.Round, replica.BaseDigest));
            Say(IdentityOf("validator-2"), new PostBase(UpdateMemory.Round, replica.BaseDigest));
        });
        _tell("publishing a checkpoint");
        await MeasureAsync("put a checkpoint", 1, () => CheckpointFolder.PublishAsync(run, self.Name, UpdateMemory.Round, replica.Base, cancellation));
        using var file = run.Spool.Open();
        var got = await run.Stores.Own.GetAsync(ObjectKey.Delta(UpdateMemory.Round, MemberOf(self.Name).Uid), long.MaxValue, file.SafeFileHandle, cancellation);
        return got.Status == FetchStatus.Found ? (replica.BaseDigest, RandomAccess.GetLength(file.SafeFileHandle)) : throw new InputException(got.Detail);
    }

    // Who finds no updates any more takes the mean from the validator's store.
    private async Task ComeLateAsync(Digest expected, CancellationToken cancellation)
    {
        _ledger.CatchUp(_ => { });
        var run = Run("validator-2", readsFrom: "validator-1");
        using var replica = Replica.Open(run, _directory.Node("validator-2"), trains: false);
        _tell("applying by the mean alone");
        await MeasureAsync("fetch the mean and step by it", 1, async () =>
        {
            var apply = new ApplyManifest(UpdateMemory.Round, _ledger.State.ManifestOf(UpdateMemory.Round)!, Included: false);
            Invariant.Check(await DeltaStore.TryApplyAsync(
                run, replica, apply, null, [MemberOf("validator-1").Uid], _ledger.State.QuorumBase(UpdateMemory.Round)!.Value, [], settles: false, cancellation));
        });
        Invariant.Check(replica.BaseDigest == expected);
    }

    private async Task MeasureAsync(string name, int models, Func<Task> work)
    {
        MemoryGauge.SetBack();
        await work();
        _stages.Add(new MemoryStage(name, MemoryGauge.Peak(), models * ModelBytes, 0));
    }

    private void CatchUp(SharedEffects shared)
    {
        _ledger.CatchUp(_ => { });
        shared.CaughtUp(_ledger.State);
    }

    private void Say(NodeIdentity self, Operation operation)
    {
        var why = _ledger.Append(self.Outbox.Sign(operation));
        Invariant.Check(why == Rejection.None);
        _ledger.CatchUp(_ => { });
    }

    private Member MemberOf(string name) => _ledger.State.Members.First(member => member.Name == name);

    private NodeIdentity IdentityOf(string name)
    {
        var (folder, key) = (_directory.Node(name), Own(_directory.OpenKey(name)));
        return new NodeIdentity(name, key, folder, new Outbox(Path.Combine(folder, "outbox"), key, _ledger.State.Run));
    }

    // Each role writes to a place of its own; the peers' is the common one, where everybody looks.
    private RunContext Run(string writes, string? readsFrom = null)
    {
        var (own, line) = PlaceOf(writes, _options.Access);
        var (common, otherLine) = PlaceOf(readsFrom ?? "peers", null);
        var run = new RunContext(_directory, _rules, DataSet.Open(_directory.Data), _log, threads: 1, users: 1)
        {
            Stores = new RunStores(own, common, "", _ => null, line),
        };
        Own(run);
        if (otherLine is not null)
        {
            Own(otherLine);
        }

        return run;
    }

    private (IObjectStore Store, IDisposable? Line) PlaceOf(string part, StoreAccess? access) =>
        _options.Store is null ? StoreOpening.One(Path.Combine(_directory.Store, part), null)
        : StoreOpening.AddressOf(_options.Store) is { } address
            ? StoreOpening.One((address with { Prefix = address.Prefix.Length > 0 ? $"{address.Prefix}/{part}" : part }).ToString(), access)
            : throw new InputException($"'{_options.Store}' is no S3 address: s3://bucket/prefix?endpoint=https://host.");

    private T Own<T>(T owned)
        where T : IDisposable
    {
        _owned.Push(owned);
        return owned;
    }
}
