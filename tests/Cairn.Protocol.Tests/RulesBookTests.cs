using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Protocol.Tests;

public sealed class RulesBookTests
{
    private static readonly RunRules Rules = SomeRules.Valid;

    public static TheoryData<Rule> All => [.. ChangeableRule.All.Select(rule => rule.Rule)];

    [Theory]
    [MemberData(nameof(All))]
    public void A_rule_that_is_changed_has_that_value_and_no_other_has_changed(Rule rule)
    {
        var known = ChangeableRule.Of(rule)!;
        var value = known.Min == Rules.ValueOf(rule) ? known.Min + 1 : Math.Max(known.Min, Rules.ValueOf(rule) - 1);
        RuleChange[] changes = rule == Rule.ExitDelayRounds ? [new(rule, value), new(Rule.AccusationRounds, 0)] : [new(rule, value)];
        var changed = Rules.With(changes);
        Assert.All(ChangeableRule.All, other => Assert.Equal(
            changes.Any(change => change.Rule == other.Rule) ? changes.First(change => change.Rule == other.Rule).Value : Rules.ValueOf(other.Rule), changed.ValueOf(other.Rule)));
        Assert.Equal(ChangeableRule.In(Rules.ToLedgerRules(), changes), changed.ToLedgerRules());
        Assert.NotEqual(Rules.ComputeDigest(), changed.ComputeDigest());
        Assert.Equal(Rules, changed.With([.. changes.Select(change => new RuleChange(change.Rule, Rules.ValueOf(change.Rule)))]));
    }

    [Fact]
    public void The_ends_of_every_range_can_be_run()
    {
        foreach (var known in ChangeableRule.All)
        {
            foreach (var value in (long[])[known.Min, known.Max])
            {
                if (ChangeableRule.In(Rules.ToLedgerRules(), [new(known.Rule, value)]).Faults().Count == 0)
                {
                    Assert.Empty(Rules.With([new(known.Rule, value)]).Faults());
                }
            }
        }
    }

    [Fact]
    public void A_change_is_read_as_it_is_written()
    {
        foreach (var known in ChangeableRule.All)
        {
            var change = new RuleChange(known.Rule, Rules.ValueOf(known.Rule));
            Assert.Equal(change, ChangeableRule.Read(ChangeableRule.Say(change)));
        }

        Assert.Equal(new RuleChange(Rule.OuterRate, 650_000_000), ChangeableRule.Read("OuterRate=0.65"));
        foreach (var wrong in (string[])["seed=1", "outerRate", "outerRate=", "outerRate=0", "outerRate=4.1", "outerRate=0.0000000001", "kappa=0.5", "kappa=-1", "kappa=1e9", "=1"])
        {
            Assert.Throws<InputException>(() => ChangeableRule.Read(wrong));
        }
    }

    [Fact]
    public void The_book_gives_each_round_the_rules_that_its_validators_agreed_on()
    {
        using var key = NodeKey.Create();
        var genesis = new Genesis
        {
            RulesDigest = Rules.ComputeDigest(),
            Rules = Rules.ToLedgerRules(),
            InitialBase = Rules.Model.InitialBase,
            Members = [new GenesisMember(Role.Validator, "validator", key.Public, 1_000_000, BeaconChain.Tip(Digest.Of("test/secret", []), 100))],
        };
        var state = LedgerState.FromGenesis(genesis);
        var book = new RulesBook(Rules);
        book.Follow(state);
        Assert.Equal(Rules, book.At(new Round(99)));
        Assert.NotNull(state.Order([SignedOperation.Sign(key, genesis.Digest, new VoteRules(new Round(0), new Round(3), [new(Rule.PeakRate, 1_000_000)]))], out _));
        book.Follow(state);
        book.Follow(LedgerState.FromGenesis(genesis));
        Assert.Equal((4e-3, 1e-3), (book.At(new Round(2)).Training.PeakRate, book.At(new Round(3)).Training.PeakRate));
    }
}
