using Cairn.Base;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Web;

/// <summary>A run's files as they are read: the ledger block by block, the logs line by line, into one book.</summary>
internal sealed class RunReader : IDisposable
{
    private const int LogsMax = 4096;
    private const long RulesBytesMax = 1 << 20;
    private readonly SortedDictionary<string, EventTail> _logs = new(StringComparer.Ordinal);
    private readonly RunSources _sources;
    private readonly Baselines _baselines;
    private readonly Contributions _contributions;
    private readonly Evaluations _evaluations;

    private RunReader(RunSources sources, RunRules rules, LedgerTail ledger, double speed)
    {
        (_sources, Ledger) = (sources, ledger);
        Book = new RunBook(rules, ledger.State) { Speed = speed };
        _baselines = new Baselines(sources, rules.Data.Manifest.ToString());
        _evaluations = new Evaluations(sources);
        _contributions = new Contributions(sources, rules.ComputeDigest().ToString());
    }

    public LedgerTail Ledger { get; }

    public RunBook Book { get; }

    /// <summary>Opens a run; reads rules and genesis.</summary>
    /// <param name="sources">Where its files are.</param>
    /// <param name="speed">How fast the time of the book goes.</param>
    /// <exception cref="InputException">There is no run, or rules and ledger do not belong together.</exception>
    public static RunReader Open(RunSources sources, double speed = 1)
    {
        if (!File.Exists(sources.Rules) || !File.Exists(sources.Ledger))
        {
            throw new InputException($"{sources.Folder} holds no run: begin one with cairn swarm --dir {sources.Folder}, or correct --dir.");
        }

        if (new FileInfo(sources.Rules).Length > RulesBytesMax)
        {
            throw new InputException($"{sources.Rules} is too long to be rules: restore it from a copy of the run.");
        }

        var rules = RunRulesFile.Read(File.ReadAllBytes(sources.Rules), sources.Rules);
        var ledger = LedgerTail.Open(sources.Ledger);
        if (ledger.Genesis.RulesDigest != rules.ComputeDigest())
        {
            ledger.Dispose();
            throw new InputException($"{sources.Ledger} belongs to other rules than {sources.Rules}: restore both from one copy of the run.");
        }

        var reader = new RunReader(sources, rules, ledger, speed);
        reader.LookAround();
        lock (reader.Book.Gate)
        {
            reader.Book.Begin();
        }

        return reader;
    }

    /// <summary>Reads the next block.</summary>
    /// <returns>False if there is none now.</returns>
    public bool ReadBlock() => Ledger.ReadNext(Book.Gate, Book.Observe);

    /// <summary>The line of all logs that comes next by its time, without taking it; null if there is none now.</summary>
    public EventLine? PeekLine() => NextLog(out var line) is null ? null : line;

    /// <summary>Reads the line that comes next by its time.</summary>
    /// <returns>False if there is none now.</returns>
    public bool ReadLine()
    {
        if (NextLog(out var line) is not { } log)
        {
            return false;
        }

        lock (Book.Gate)
        {
            Book.See(line);
        }

        log.Take();
        return true;
    }

    /// <summary>Looks for logs, baselines, measured contributions and evaluations that have come since.</summary>
    /// <returns>True if any but logs are new.</returns>
    public bool LookAround()
    {
        FindLogs();
        var (baselines, contributions) = (_baselines.Look(), _contributions.Look());
        bool evaluations;
        lock (Book.Gate)
        {
            evaluations = _evaluations.Look(Book.State);
            if (evaluations)
            {
                Book.TakeNoteOf(_evaluations.Found);
            }

            if (baselines)
            {
                Book.Compare(_baselines.Curves);
            }

            if (contributions)
            {
                Book.TakeNoteOf(_contributions.Found);
            }
        }

        return baselines || contributions || evaluations;
    }

    public void Dispose() => Ledger.Dispose();

    private void FindLogs()
    {
        _logs.TryAdd(_sources.Events, new EventTail(_sources.Events));
        if (!Directory.Exists(_sources.Nodes))
        {
            return;
        }

        foreach (var log in Directory.EnumerateDirectories(_sources.Nodes).Take(LogsMax).Select(folder => Path.Combine(folder, "events.jsonl")).Where(File.Exists))
        {
            _logs.TryAdd(log, new EventTail(log));
        }
    }

    private EventTail? NextLog(out EventLine line)
    {
        EventTail? next = null;
        line = default;
        foreach (var log in _logs.Values)
        {
            if (log.Peek() is { } found && (next is null || found.Time < line.Time))
            {
                (next, line) = (log, found);
            }
        }

        return next;
    }
}
