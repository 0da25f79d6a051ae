using Cairn.Base;
using Cairn.Ledger;
using Cairn.Ledger.Evm;

namespace Cairn.Node;

/// <summary>What a person has members say whose keys lie in the run's folder, where a chain orders the ledger: posted there, and waited for until it is final.</summary>
public static class ChainVoices
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    /// <summary>As <see cref="MemberVoice.VotePause"/>.</summary>
    /// <param name="directory">The run.</param>
    /// <param name="paused">True to stop.</param>
    /// <param name="names">Which validators vote; none for all whose keys are here.</param>
    /// <param name="options">How to reach the chain, and who pays.</param>
    /// <param name="cancellation">Gives up waiting; what was posted stands.</param>
    /// <exception cref="InputException">As there; also if the chain does not answer.</exception>
    public static async Task<bool> VotePauseAsync(
        RunDirectory directory, bool paused, IReadOnlyList<string> names, ChainOptions options, CancellationToken cancellation)
    {
        using var line = await ChainLine.OpenAsync(options, directory.Places.Chain, cancellation);
        var run = ChainAudit.RunOf(directory);
        var state = (await line.HistoryAsync(run, null, cancellation)).Replay.State;
        if (state.Paused == paused)
        {
            return paused;
        }

        var voters = MemberVoice.VotersOf(directory, state, names);
        await PostAsync(directory, line, state, [.. voters.Select(voter => (voter.Name, (Operation)new VotePause(state.CurrentRound, paused)))], cancellation);
        return (await line.HistoryAsync(run, null, cancellation)).Replay.State.Paused;
    }

    /// <summary>As <see cref="MemberVoice.VoteRules"/>.</summary>
    /// <param name="directory">The run.</param>
    /// <param name="vote">What is said.</param>
    /// <param name="names">Which validators vote; none for all whose keys are here.</param>
    /// <param name="options">How to reach the chain, and who pays.</param>
    /// <param name="cancellation">Gives up waiting; what was posted stands.</param>
    /// <exception cref="InputException">As there; also if the chain does not answer.</exception>
    public static async Task<RulesSummary> VoteRulesAsync(
        RunDirectory directory, RulesVote vote, IReadOnlyList<string> names, ChainOptions options, CancellationToken cancellation)
    {
        using var line = await ChainLine.OpenAsync(options, directory.Places.Chain, cancellation);
        var run = ChainAudit.RunOf(directory);
        var state = (await line.HistoryAsync(run, null, cancellation)).Replay.State;
        var said = vote.In(state);
        var voters = MemberVoice.VotersOf(directory, state, names);
        await PostAsync(directory, line, state, [.. voters.Select(voter => (voter.Name, (Operation)said))], cancellation);
        return RulesSummary.Of((await line.HistoryAsync(run, null, cancellation)).Replay.State);
    }

    /// <summary>As <see cref="MemberVoice.Leave"/>.</summary>
    /// <param name="directory">The run.</param>
    /// <param name="name">Which member.</param>
    /// <param name="options">How to reach the chain, and who pays.</param>
    /// <param name="cancellation">Gives up waiting; what was posted stands.</param>
    /// <exception cref="InputException">As there; also if the chain does not answer.</exception>
    public static async Task<Round> LeaveAsync(RunDirectory directory, string name, ChainOptions options, CancellationToken cancellation)
    {
        using var line = await ChainLine.OpenAsync(options, directory.Places.Chain, cancellation);
        var run = ChainAudit.RunOf(directory);
        var state = (await line.HistoryAsync(run, null, cancellation)).Replay.State;
        MemberVoice.CheckMember(state, name);
        await PostAsync(directory, line, state, [(name, new Exit(state.CurrentRound))], cancellation);
        var after = (await line.HistoryAsync(run, null, cancellation)).Replay.State;
        return after.Members.Any(member => member.Name == name && member.HasLeft) ? MemberVoice.PaidOut(state)
            : throw new InputException($"the round ended before the chain took what {name} says: say it again.");
    }

    // Judged as the chain stands now, to spare the fee of what would be void.
    private static async Task PostAsync(
        RunDirectory directory, ChainLine line, LedgerState state, IReadOnlyList<(string Name, Operation Operation)> said, CancellationToken cancellation)
    {
        var signed = new List<SignedOperation>();
        foreach (var (name, operation) in said)
        {
            signed.Add(MemberVoice.Sign(directory, state.Run, name, operation));
            if (state.Check(signed[^1]) is var why and not (Rejection.None or Rejection.AlreadyThere))
            {
                throw MemberVoice.Refused(name, operation, why);
            }
        }

        var receipt = await line.SendAsync(CairnContract.PostBatch(state.Run, signed), 0, cancellation);
        while (await line.HeightAsync(cancellation) < receipt.Block + line.Chain.Confirmations)
        {
            await Task.Delay(LookEvery, cancellation);
        }
    }
}
