namespace Cairn.Node.Tests;

/// <summary>How much is probed where the owner of a run does not say.</summary>
public sealed class ProbeBudgetTests
{
    [Theory]
    [InlineData(4, 120, 4, 32)] // nano, as the README starts it
    [InlineData(12, 120, 7, 32)] // a validator does with seven what a peer does with its samples
    [InlineData(64, 120, 7, 32)]
    [InlineData(64, 5_760, 64, 64)] // batches of 192 over 30 steps: all, on twice as many
    [InlineData(180, 5_760, 180, 64)]
    [InlineData(181, 5_760, 181, 32)]
    [InlineData(12, 40, 4, 32)] // never fewer than four
    [InlineData(2, 8, 2, 32)] // nor more than there are
    public void A_validator_probes_what_it_can_while_a_peer_trains(int places, int samples, int peers, int sequences) =>
        Assert.Equal(new ProbeBudget(peers, sequences), ProbeBudget.Of(places, samples, applyDelay: 0));

    [Theory]
    [InlineData(12, 120, 5, 32)] // three quarters of what one peer does
    [InlineData(12, 40, 4, 32)]
    [InlineData(64, 5_760, 64, 64)]
    [InlineData(180, 5_760, 180, 32)]
    public void With_an_apply_delay_its_verdict_is_there_before_the_next_update_is(int places, int samples, int peers, int sequences) =>
        Assert.Equal(new ProbeBudget(peers, sequences), ProbeBudget.Of(places, samples, applyDelay: 1));
}
