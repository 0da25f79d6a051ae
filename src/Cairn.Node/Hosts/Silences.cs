using System.Collections.Concurrent;
using Cairn.Base;
using Cairn.Exchange;
using Cairn.Ledger;

namespace Cairn.Node;

/// <summary>Which stores have said nothing to this process lately: of an object that one said nothing about it is not asked again, and whose store is silent round
/// after round gets half as much time in each as in the one before. So a key without a bond can lengthen a few rounds, and not every one.</summary>
/// <remarks>Of this process alone, and gone with it: it decides how long is waited, and never what is true.</remarks>
internal sealed class Silences
{
    private const int HalvedMax = 8;
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(2);
    private readonly ConcurrentDictionary<Digest, Round> _objects = new();
    private readonly ConcurrentDictionary<Uid, int> _inARow = new();

    /// <summary>Notes that a store said nothing about an object.</summary>
    /// <param name="round">Of which round.</param>
    /// <param name="digest">The object.</param>
    public void Note(Round round, Digest digest) => _objects[digest] = round;

    /// <summary>Whether its author's store said nothing about an object.</summary>
    /// <param name="digest">The object.</param>
    public bool IsNoted(Digest digest) => _objects.ContainsKey(digest);

    /// <summary>Notes how a round ended with a member's store.</summary>
    /// <param name="author">Whose.</param>
    /// <param name="silent">True if it did not give its update in time.</param>
    public void Count(Uid author, bool silent) => _inARow.AddOrUpdate(author, silent ? 1 : 0, (_, before) => silent ? Math.Min(HalvedMax, before + 1) : 0);

    /// <summary>In how many rounds in a row a member's store has been silent.</summary>
    /// <param name="author">Whose.</param>
    public int InARow(Uid author) => _inARow.GetValueOrDefault(author);

    /// <summary>How long a member's store may take.</summary>
    /// <param name="author">Whose.</param>
    /// <param name="all">What one that answers may take.</param>
    public TimeSpan TimeOf(Uid author, TimeSpan all) =>
        InARow(author) is > 0 and var rounds ? TimeSpan.FromTicks(Math.Min(all.Ticks, Math.Max(Least.Ticks, all.Ticks >> rounds))) : all;

    /// <summary>What a store is taken to say about an object that it said nothing about before.</summary>
    public static FetchOutcome Outcome => FetchOutcome.Failed(FetchStatus.Silent, "it said nothing about it when it was asked before.");

    /// <summary>Drops what belongs to a round or to earlier ones.</summary>
    /// <param name="applied">The round.</param>
    public void Forget(Round applied)
    {
        foreach (var (digest, round) in _objects)
        {
            if (round <= applied)
            {
                _objects.TryRemove(digest, out _);
            }
        }
    }
}
