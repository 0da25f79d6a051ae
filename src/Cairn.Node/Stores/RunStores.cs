using System.Collections.Concurrent;
using Cairn.Base;
using Cairn.Exchange;
using Cairn.Ledger;

namespace Cairn.Node;

/// <summary>The stores of a run as one process sees them: its own, which alone it writes; those that members announced on the ledger; and the common one, where the
/// run's data are and where whoever has announced nothing puts its objects.</summary>
internal sealed class RunStores : IDisposable
{
    private readonly Func<string, IObjectStore?> _open;
    private readonly ConcurrentDictionary<Uid, string> _announced = new();
    private readonly ConcurrentDictionary<string, IObjectStore> _opened = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private readonly IDisposable? _line;
    private volatile Uid[] _validators = [];
    private int _seen;

    /// <summary>Names the stores.</summary>
    /// <param name="own">Written by this process.</param>
    /// <param name="common">Of the run.</param>
    /// <param name="place">What this process announces as the place of <paramref name="own"/>; empty if that is the common one.</param>
    /// <param name="open">Opens what a stranger announced for reading; null for what is no address.</param>
    /// <param name="line">Closed with the stores.</param>
    public RunStores(IObjectStore own, IObjectStore common, string place, Func<string, IObjectStore?> open, IDisposable? line = null) =>
        (Own, Common, Place, _open, _line) = (own, common, place, open, line);

    /// <summary>The stores of a run that has one for all.</summary>
    /// <param name="store">The one.</param>
    public static RunStores One(IObjectStore store) => new(store, store, "", _ => null);

    /// <summary>True if all that this process knows of is one store: what it does not have, nobody has.</summary>
    public bool IsOne => _announced.IsEmpty && ReferenceEquals(Own, Common);

    /// <summary>What this process writes.</summary>
    public IObjectStore Own { get; }

    /// <summary>Where the rules and data of the run are.</summary>
    public IObjectStore Common { get; }

    /// <summary>What the members of this process announce, or empty.</summary>
    public string Place { get; }

    /// <summary>Sees what was announced since it last looked. Called after every block; the nodes of one process see the same.</summary>
    /// <param name="ledger">The state.</param>
    public void Notice(LedgerState ledger)
    {
        lock (_gate)
        {
            if (ledger.Announcements <= _seen)
            {
                return;
            }

            _seen = ledger.Announcements;
            foreach (var member in ledger.Members)
            {
                if (member.Place.Length > 0)
                {
                    _announced[member.Uid] = member.Place;
                }
            }

            _validators = [.. ledger.Validators.Select(member => member.Uid)];
            // What nobody announces any more is let go.
            foreach (var place in _opened.Keys.Except(_announced.Values, StringComparer.Ordinal).ToList())
            {
                _opened.TryRemove(place, out _);
            }
        }
    }

    /// <summary>Where an update is looked for that its author's store does not give: the stores of validators, who hold what they accepted.</summary>
    /// <param name="author">Whose update.</param>
    public IEnumerable<IObjectStore> HoldersOf(Uid author)
    {
        var first = Of(author);
        return _validators.Select(Of).Distinct().Where(store => !ReferenceEquals(store, first));
    }

    /// <summary>The own store as those read it who know no more than what it announces.</summary>
    public IObjectStore AsOthersRead() => Open(Place);

    /// <summary>Where a member's objects are.</summary>
    /// <param name="uid">The member.</param>
    public IObjectStore Of(Uid uid) => At(_announced.GetValueOrDefault(uid, ""));

    /// <summary>The store at a place that a member announced.</summary>
    /// <param name="place">The place; empty for the common store.</param>
    public IObjectStore At(string place) => place.Length == 0 ? Common : place == Place ? Own : _opened.GetOrAdd(place, Open);

    public void Dispose()
    {
        foreach (var store in _opened.Values.Append(Own).Append(Common).Distinct().OfType<IDisposable>())
        {
            store.Dispose();
        }

        _line?.Dispose();
    }

    // Whatever a stranger announced, it harms nobody but its author.
    private IObjectStore Open(string place)
    {
        try
        {
            return _open(place) ?? new NoStore(place);
        }
        catch (Exception e) when (e is not InvariantViolation)
        {
            return new NoStore(place);
        }
    }
}
