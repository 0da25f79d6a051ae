using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Protocol;

/// <summary>The rules of a run by round: those it began with, and what its validators have changed since (<see cref="VoteRules"/>). Safe for several threads.</summary>
/// <param name="first">The rules of the genesis.</param>
public sealed class RulesBook(RunRules first)
{
    private readonly Lock _gate = new();
    private volatile IReadOnlyList<(Round From, RunRules Rules)> _versions = [(new Round(0), first)];

    /// <summary>The rules of a round, as far as <see cref="Follow"/> has seen: all of them, if that was shown the ledger up to the round before the last one.</summary>
    /// <param name="round">Any.</param>
    public RunRules At(Round round)
    {
        var versions = _versions;
        for (var i = versions.Count - 1; i > 0; i--)
        {
            if (versions[i].From <= round)
            {
                return versions[i].Rules;
            }
        }

        return versions[0].Rules;
    }

    /// <summary>Takes up what a ledger of this run shows; one that knows less changes nothing.</summary>
    /// <param name="ledger">Of this run.</param>
    public void Follow(LedgerState ledger)
    {
        if (ledger.RulesVersions.Count <= _versions.Count)
        {
            return;
        }

        lock (_gate)
        {
            var versions = _versions.ToList();
            foreach (var version in ledger.RulesVersions.Skip(versions.Count))
            {
                versions.Add((version.From, versions[^1].Rules.With(version.Changes)));
            }

            _versions = versions;
        }
    }
}
