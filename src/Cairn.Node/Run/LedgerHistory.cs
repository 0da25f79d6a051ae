using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Node;

/// <summary>What happened in a run, replayed from the first block: who said what, and whether all bases agreed.</summary>
internal sealed class LedgerHistory
{
    private readonly SortedDictionary<Round, HashSet<Digest>> _bases = [];
    private readonly SortedDictionary<Round, Digest> _quorum = [];
    private readonly List<long> _samples = [];

    private LedgerHistory(LedgerState state) => State = state;

    /// <summary>After the last block.</summary>
    public LedgerState State { get; }

    /// <summary>Sizes of all updates that were opened.</summary>
    public List<long> UpdateBytes { get; } = [];

    /// <summary>Closed rounds in order.</summary>
    public List<RoundSummary> Rounds { get; } = [];

    /// <summary>True if nobody posted another base than the others, in any round.</summary>
    public bool Agreement => _bases.Values.All(seen => seen.Count == 1);

    /// <summary>The base after a round, of validators with more than half of all bond; null if they did not say.</summary>
    /// <param name="round">Any.</param>
    public Digest? QuorumBase(Round round) => _quorum.TryGetValue(round, out var posted) ? posted : State.QuorumBase(round);

    /// <summary>Replays what a handle reads.</summary>
    /// <param name="ledger">Nothing was read from it yet; it verifies what it reads.</param>
    public static LedgerHistory Replay(EmbeddedLedger ledger)
    {
        var history = new LedgerHistory(LedgerState.FromGenesis(ledger.Genesis));
        foreach (var block in ledger.ReadNew())
        {
            history.State.Apply(block, history.CountSamples); // the handle verified the signatures as it read
            foreach (var signed in block.Operations)
            {
                history.Observe(signed.Operation);
            }

            // Bases of old rounds are dropped from the state: take them while they are there.
            var round = history.State.CurrentRound;
            if (history.State.QuorumBase(round) is { } quorum)
            {
                history._quorum[round] = quorum;
            }
        }

        history.CollectRounds();
        return history;
    }

    private void CountSamples()
    {
        if (State.ManifestOf(new Round(_samples.Count)) is not null)
        {
            _samples.Add(State.SamplesTrained - _samples.Sum());
        }
    }

    private void Observe(Operation operation)
    {
        switch (operation)
        {
            case PostBase posted:
                if (!_bases.TryGetValue(posted.Round, out var seen))
                {
                    _bases.Add(posted.Round, seen = []);
                }

                seen.Add(posted.BaseDigest);
                break;
            case Reveal reveal:
                UpdateBytes.Add(reveal.Opening.SizeBytes);
                break;
            default:
                break;
        }
    }

    private void CollectRounds()
    {
        for (var round = new Round(0); State.ManifestOf(round) is { } manifest; round = round.Next)
        {
            var agreed = !_bases.TryGetValue(round, out var seen) || seen.Count == 1;
            Rounds.Add(new RoundSummary(
                round.Number, manifest.Entries.Count, _samples[round.Number], manifest.Digest.ToString(), QuorumBase(round)?.ToString(), agreed));
        }
    }
}
