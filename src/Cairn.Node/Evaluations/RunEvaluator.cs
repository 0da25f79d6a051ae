using Cairn.Base;
using Cairn.Data;
using Cairn.Exchange;
using Cairn.Ledger;
using Cairn.Model;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>What an evaluator does.</summary>
/// <param name="Directory">The run's folder, with its data.</param>
/// <param name="Name">The member whose key signs what is found; null for the first one whose key lies in the folder, validators before peers.</param>
/// <param name="Every">Every so many-th checkpoint is scored, and the last of a run in any case.</param>
/// <param name="Sequences">Held-out sequences, evenly spread; fewer where the data have fewer.</param>
/// <param name="Threads">Threads to compute with. Changes no bit.</param>
/// <param name="Store">The member's store as it was given to its node; null for the one that node remembers, or its part of the run's store.</param>
/// <param name="Access">The account that writes there.</param>
public sealed record EvaluatorOptions(string Directory, string? Name, int Every, int Sequences, int Threads, string? Store, StoreAccess Access);

/// <summary>What is found of a model besides its held-out loss.</summary>
/// <param name="Texts">Texts.</param>
/// <param name="Tasks">Tasks.</param>
public sealed record ModelFindings(IReadOnlyList<EvaluatedText> Texts, IReadOnlyList<EvaluatedTask> Tasks);

/// <summary>Follows a run from its ledger and scores its checkpoints as they come; what it finds it puts, signed by a member, into that member's store. It has no
/// say in the run.</summary>
public sealed class RunEvaluator : IDisposable
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan AwayPause = TimeSpan.FromSeconds(5);
    private readonly EvaluatorOptions _options;
    private readonly Func<Parameters, Tokenizer, ModelFindings> _examine;
    private readonly Action<string> _tell;
    private readonly RunContext _run;
    private readonly EventLog _log;
    private readonly HashSet<int> _done = [];
    private readonly Dictionary<int, long> _away = [];
    private readonly string _name;
    private readonly NodeKey _key;
    private string? _sampleAtStart;

    private RunEvaluator(EvaluatorOptions options, Func<Parameters, Tokenizer, ModelFindings> examine, Action<string> tell)
    {
        (_options, _examine, _tell) = (options, examine, tell);
        var directory = new RunDirectory(options.Directory);
        var rules = RunSetup.ReadRules(directory);
        _name = NameOf(directory, options.Name);
        _key = directory.OpenKey(_name);
        Directory.CreateDirectory(directory.Node(_name));
        _log = new EventLog(Path.Combine(directory.Node(_name), "evaluator.jsonl"), null);
        _run = new RunContext(directory, rules, Swarm.DataOf(directory, rules), _log, options.Threads, users: 1)
        {
            Stores = StoreOpening.StoresOf(directory, NodeProcess.RememberedStore(directory, _name, options.Store), _name, options.Access),
        };
    }

    /// <summary>Scores until the run is over or it is told to stop. What was scored before is not scored again.</summary>
    /// <param name="options">Whose and how.</param>
    /// <param name="examine">Finds more of a model; may take long.</param>
    /// <param name="published">Told what was put into the store.</param>
    /// <param name="tell">Told what could not be scored.</param>
    /// <param name="cancellation">Stops.</param>
    /// <returns>True if the run is over and all that could be scored is.</returns>
    /// <exception cref="InputException">There is no run, no key of a member of it here, or the store refuses.</exception>
    public static async Task<bool> RunAsync(
        EvaluatorOptions options, Func<Parameters, Tokenizer, ModelFindings> examine, Action<EvaluationRecord> published, Action<string> tell,
        CancellationToken cancellation)
    {
        using var evaluator = new RunEvaluator(options, examine, tell);
        try
        {
            await evaluator.FollowAsync(published, cancellation);
            return true;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _run.Dispose();
        _log.Dispose();
        _key.Dispose();
    }

    private async Task FollowAsync(Action<EvaluationRecord> published, CancellationToken cancellation)
    {
        using var ledger = EmbeddedLedger.Open(_run.Directory.Ledger, readOnly: true);
        var state = LedgerState.FromGenesis(ledger.Genesis);
        while (true)
        {
            foreach (var block in ledger.ReadNew())
            {
                state.Apply(block, verifySignatures: false); // the handle verified them as it read
            }

            _run.Stores.Notice(state);
            var member = state.Find(_key.Public) ?? throw new InputException($"{_name} is no member of the run in {_run.Directory.Root}: name one with --name.");
            foreach (var (round, digest) in Due(state).Where(one => !IsAway(one.Round)))
            {
                if (await EvaluateAsync(state, member, round, digest, cancellation) is { } record)
                {
                    published(record);
                }
            }

            if (state.Stage == Stage.Finished && !Due(state).Any())
            {
                return;
            }

            await Task.Delay(PollInterval, cancellation);
        }
    }

    private bool IsAway(Round round) => _away.TryGetValue(round.Number, out var since) && _run.Time.GetElapsedTime(since) < AwayPause;

    private IEnumerable<(Round Round, Digest Digest)> Due(LedgerState state)
    {
        var all = state.Checkpoints;
        for (var i = 0; i < all.Count; i++)
        {
            var isLast = state.Stage == Stage.Finished && i == all.Count - 1;
            if (((i + 1) % _options.Every == 0 || isLast) && !_done.Contains(all[i].Round.Number))
            {
                yield return all[i];
            }
        }
    }

    // What is found, or null where nothing is; done with, unless the stores that may have the checkpoint do not answer.
    private async Task<EvaluationRecord?> EvaluateAsync(LedgerState state, Member member, Round round, Digest digest, CancellationToken cancellation)
    {
        var key = ObjectKey.Evaluation(round, member.Uid);
        var before = await _run.Stores.Own.GetAsync(key, EvaluationRecord.BytesMax, cancellation);
        if (before.Status == FetchStatus.Found && EvaluationRecord.TryRead(before.Bytes, state.Run, _key.Public, out _)?.Checkpoint == digest.ToString())
        {
            _done.Add(round.Number);
            return null;
        }

        var sources = state.Validators.Select(validator => _run.Stores.Of(validator.Uid)).Distinct().ToList();
        var refused = new List<string>();
        var download = new CheckpointDownload(_run.Layout, _run.Time, refused.Add, round, digest);
        using var parameters = await download.FetchAsync(sources, cancellation);
        if (parameters is null)
        {
            NoteMissing(state, round, download.IsUnreachable, refused);
            return null;
        }

        refused.ForEach(_tell);

        using var lease = await _run.Engines.RentAsync(cancellation);
        var record = await Task.Run(() => Score(lease.Engine, parameters, round, digest), cancellation);
        await PatientPut.PutAsync(_run, _name, key, record.Sign(_key, state.Run), cancellation);
        _done.Add(round.Number);
        return record;
    }

    // A store that does not answer may have it, as long as stores keep checkpoints of that age; it is asked again after a while. One that says no has said it for good.
    private void NoteMissing(LedgerState state, Round round, bool isUnreachable, List<string> refused)
    {
        var waits = isUnreachable && state.Checkpoints.TakeLast(CheckpointFolder.Kept).Any(one => one.Round == round);
        if (waits && _away.ContainsKey(round.Number))
        {
            _away[round.Number] = _run.Time.GetTimestamp();
            return;
        }

        refused.ForEach(_tell);
        var when = waits ? "now: a store that may have it does not answer, and is asked again" : "any more";
        _tell($"the checkpoint after round {round.Number + 1} cannot be had {when}");
        if (waits)
        {
            _away.Add(round.Number, _run.Time.GetTimestamp());
        }
        else
        {
            _done.Add(round.Number);
        }
    }

    private EvaluationRecord Score(Engine engine, Parameters parameters, Round round, Digest digest)
    {
        var loss = _run.HeldOut.Measure(engine, parameters, _options.Sequences);
        var more = _examine(parameters, _run.Data.Tokenizer);
        return new EvaluationRecord(
            round.Number, digest.ToString(), _run.HeldOut.CountOf(_options.Sequences), loss.Loss, loss.StandardError, loss.BitsPerByte, more.Texts, more.Tasks,
            SampleText.Of(_run.Data.Tokenizer, engine, parameters), _sampleAtStart ??= AtStart(engine));
    }

    private string AtStart(Engine engine)
    {
        using var initial = new Parameters(_run.Layout);
        InitialParameters.Fill(_run.Directory, _run.Rules, initial);
        return SampleText.Of(_run.Data.Tokenizer, engine, initial);
    }

    private static string NameOf(RunDirectory directory, string? name)
    {
        using var ledger = EmbeddedLedger.Open(directory.Ledger, readOnly: true);
        var state = LedgerHistory.Replay(ledger).State;
        var here = state.Members.Where(member => File.Exists(directory.KeyFile(member.Name))).OrderByDescending(member => member.Role == Role.Validator).ToList();
        return name is null
            ? here.FirstOrDefault()?.Name ?? throw new InputException(
                $"the key of no member of the run lies in {directory.Root}: what an evaluator finds is signed by a member. Join the run first, or use the folder of one.")
            : here.Find(member => member.Name == name)?.Name ?? throw new InputException(
                $"{name} is no member of this run whose key lies in {directory.Root}: name one of {string.Join(", ", here.Select(member => member.Name))}.");
    }
}
