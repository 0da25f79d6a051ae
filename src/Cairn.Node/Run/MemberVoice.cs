using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Node;

/// <summary>What a person has members say whose keys lie in the run's folder, while the run goes on or stands still.</summary>
public static class MemberVoice
{
    /// <summary>Votes to stop the run before its next round, or to let it go on.</summary>
    /// <param name="directory">The run.</param>
    /// <param name="paused">True to stop.</param>
    /// <param name="names">Which validators vote; none for all whose keys are here.</param>
    /// <returns>True if the run is stopped now; false if it goes on, or if more votes are needed.</returns>
    /// <exception cref="InputException">There is no run, a name is no validator's, a key is missing, or the ledger refuses.</exception>
    public static bool VotePause(RunDirectory directory, bool paused, IReadOnlyList<string> names)
    {
        using var ledger = Open(directory);
        var state = LedgerHistory.Replay(ledger).State;
        if (state.Paused == paused)
        {
            return paused;
        }

        foreach (var voter in VotersOf(directory, state, names))
        {
            Say(directory, ledger, voter.Name, new VotePause(state.CurrentRound, paused));
        }

        using var after = EmbeddedLedger.Open(directory.Ledger, readOnly: true);
        return LedgerHistory.Replay(after).State.Paused;
    }

    /// <summary>Votes for other rules, or takes such votes back.</summary>
    /// <param name="directory">The run.</param>
    /// <param name="vote">What is said.</param>
    /// <param name="names">Which validators vote; none for all whose keys are here.</param>
    /// <returns>What was carried and what lacks votes, after it.</returns>
    /// <exception cref="InputException">As for <see cref="VotePause"/>; also if the rules cannot be changed so.</exception>
    public static RulesSummary VoteRules(RunDirectory directory, RulesVote vote, IReadOnlyList<string> names)
    {
        using var ledger = Open(directory);
        var state = LedgerHistory.Replay(ledger).State;
        var said = vote.In(state);
        foreach (var voter in VotersOf(directory, state, names))
        {
            // Those before it may have carried it.
            if (!IsCarried(ledger, state, said))
            {
                Say(directory, ledger, voter.Name, said);
            }
        }

        IsCarried(ledger, state, said);
        return RulesSummary.Of(state);
    }

    // Follows what has been said meanwhile.
    private static bool IsCarried(EmbeddedLedger ledger, LedgerState state, VoteRules said)
    {
        foreach (var block in ledger.ReadNew())
        {
            state.Apply(block, verifySignatures: false);
        }

        return Carries(state, said);
    }

    /// <summary>True if a change of the rules was carried.</summary>
    internal static bool Carries(LedgerState state, VoteRules said) =>
        state.RulesVersions.Any(version => version.From == said.From && version.Changes.SequenceEqual(said.Changes));

    /// <summary>The validators that are to vote.</summary>
    /// <param name="directory">The run.</param>
    /// <param name="state">Its ledger.</param>
    /// <param name="names">Which; none for all whose keys are here.</param>
    /// <exception cref="InputException">A name is no validator's.</exception>
    internal static IReadOnlyList<Member> VotersOf(RunDirectory directory, LedgerState state, IReadOnlyList<string> names)
    {
        var voters = state.Members.Where(m => names.Count == 0 ? state.Votes(m.Uid) && File.Exists(KeyOf(directory, m.Name)) : names.Contains(m.Name))
            .Where(m => m.Role == Role.Validator).ToList();
        if (names.FirstOrDefault(name => voters.All(v => v.Name != name)) is { } stranger)
        {
            throw new InputException($"{stranger} is no validator of this run: name one of {Names(state, Role.Validator)}.");
        }

        return voters;
    }

    /// <summary>Lets a member leave for good.</summary>
    /// <param name="directory">The run.</param>
    /// <param name="name">Which member.</param>
    /// <returns>The round after whose end its bond is paid out.</returns>
    /// <exception cref="InputException">As for <see cref="VotePause"/>; also if it is the last validator.</exception>
    public static Round Leave(RunDirectory directory, string name)
    {
        using var ledger = Open(directory);
        var state = LedgerHistory.Replay(ledger).State;
        CheckMember(state, name);
        Say(directory, ledger, name, new Exit(state.CurrentRound));
        return PaidOut(state);
    }

    /// <summary>Refuses a name that is no member's.</summary>
    internal static void CheckMember(LedgerState state, string name)
    {
        if (state.Members.All(m => m.Name != name))
        {
            throw new InputException($"{name} is no member of this run: name one of {Names(state, Role.Peer)}, {Names(state, Role.Validator)}.");
        }
    }

    /// <summary>The round after whose end the bond of who leaves now is paid out.</summary>
    internal static Round PaidOut(LedgerState state) =>
        new(Math.Min(state.CurrentRound.Number + state.Rules.ExitDelayRounds, state.Rules.Rounds - 1));

    private static EmbeddedLedger Open(RunDirectory directory) => directory.Places.Chain is not null
        ? throw new InputException("the ledger of this run is ordered by a chain: speak over it (ChainVoices).")
        : directory.HoldsRun ? EmbeddedLedger.Open(directory.Ledger)
        : throw new InputException($"{directory.Root} holds no run: begin one with cairn swarm --dir {directory.Root}.");

    private static void Say(RunDirectory directory, EmbeddedLedger ledger, string name, Operation operation)
    {
        var outcome = ledger.Append(Sign(directory, ledger.Genesis.Digest, name, operation));
        if (!outcome.Accepted)
        {
            throw Refused(name, operation, outcome.Why);
        }
    }

    /// <summary>That the ledger refuses what a member says.</summary>
    internal static InputException Refused(string name, Operation operation, Rejection why) =>
        new($"the ledger refuses what {name} says ({operation.GetType().Name}): {Reason(why)}.");

    /// <summary>Signs as a member whose key is here, remembered in its outbox as its node would.</summary>
    /// <exception cref="InputException">The key is not here, or it has said otherwise in this round.</exception>
    internal static SignedOperation Sign(RunDirectory directory, Digest run, string name, Operation operation)
    {
        var path = KeyOf(directory, name);
        if (!File.Exists(path))
        {
            throw new InputException($"the key of {name} is not here ({path}): speak where that node runs.");
        }

        using var key = directory.OpenKey(name);
        var outbox = new Outbox(Path.Combine(directory.Node(name), "outbox"), key, run);
        var signed = outbox.Sign(operation);
        if (!signed.Content.SequenceEqual(OperationCodec.ToBytes(operation)))
        {
            throw new InputException($"{name} has said otherwise in this round ({operation.GetType().Name}): say it again in the next.");
        }

        return signed;
    }

    private static string Reason(Rejection why) => why switch
    {
        Rejection.NotEntitled => "it has no voice for that now (the last validator cannot leave)",
        Rejection.Equivocation => "it has said otherwise in this round; wait for the next",
        Rejection.OutOfTurn => "a run that waits for peers cannot be paused: it stands still already",
        Rejection.Late => "the run is over, or the round has just ended: try again",
        _ => why.ToString(),
    };

    private static string KeyOf(RunDirectory directory, string name) => Path.Combine(directory.Node(name), "node.key");

    private static string Names(LedgerState state, Role role) => string.Join(", ", state.Members.Where(m => m.Role == role).Select(m => m.Name));
}
