namespace Cairn.Ledger.Tests;

/// <summary>Over whole runs drawn from seeds, in which members sleep, lie, contradict themselves, accuse, vote, leave, stop the run and change its rules: after every single operation no money
/// has come about or gone but by settlements, and nobody has lost or gained but by the rules.</summary>
public sealed class ConservationTests
{
    private const int Steps = 1500;

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(3, 0)]
    [InlineData(4, 0)]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 1)]
    [InlineData(4, 1)]
    public void After_every_operation_bonds_rewards_audits_and_what_was_burned_are_what_was_staked_and_minted(ulong seed, int applyDelay)
    {
        var book = new Book();
        var run = new RandomRun(seed, applyDelay, book.Check, rules => rules with { PeerBondMin = 20_000, SettleEvery = 1, AccusationRounds = 2, ExitDelayRounds = 2 }, 100, true);
        book.Begin(run.World);
        run.Play(Steps);
        Assert.True(book.Cuts > 0 && book.Payments > 0, $"the world was too tame to prove anything: {book.Cuts} cuts, {book.Payments} payments");
        Assert.True(run.World.State.RulesVersions.Count > 1, "no change of the rules was carried");
        Assert.Equal(run.World.State.StateDigest(), run.World.Replay().StateDigest());
    }

    [Theory]
    [InlineData(5)]
    [InlineData(6)]
    public void At_the_largest_sums_that_rules_allow_nothing_runs_over(ulong seed)
    {
        var book = new Book();
        var run = new RandomRun(
            seed, 0, book.Check,
            rules => rules with { RewardPerSettlement = LedgerRules.MoneyLimit, PeerBondMin = LedgerRules.MoneyLimit, SettleEvery = 1 },
            bond: LedgerRules.MoneyLimit / 100);
        book.Begin(run.World);
        run.Play(Steps);
        Assert.True(book.Payments > 0);
    }

    // What everybody had before the last operation.
    private sealed class Book
    {
        private World? _world;
        private List<(long Wealth, long Bond)> _before = [];
        private long _minted;
        private long _audits;
        private int _slashes;

        public int Cuts { get; private set; }

        public int Payments { get; private set; }

        public void Begin(World world)
        {
            _world = world;
            _before = Of(world.State);
        }

        public void Check(LedgerState state)
        {
            var now = Of(state);
            var (minted, audits) = (state.Minted - _minted, state.AuditFund - _audits);
            long[] cut = [.. now.Select((_, uid) => state.Slashes.Skip(_slashes).Where(slash => slash.Uid.Value == uid).Sum(slash => slash.Amount))];
            long[] gained = [.. now.Select((after, uid) => after.Wealth - (uid < _before.Count ? _before[uid].Wealth : 0) + cut[uid])];

            // Nobody loses but by a cut that is told, nobody gains but by a settlement, and those gain together what it pays.
            Assert.All(gained, gain => Assert.True(gain >= 0, "somebody lost what nobody cut"));
            Assert.True(minted >= 0 && audits >= 0);
            Assert.Equal(minted - audits, gained.Sum());
            Assert.All(now, member => Assert.True(member.Bond >= 0 && member.Wealth >= member.Bond));
            Assert.Equal(
                _world!.Genesis.Members.Sum(member => member.Bond) + state.Minted,
                now.Sum(member => member.Wealth) + state.Burned + state.AuditFund);
            Assert.Equal(state.Burned, state.Slashes.Sum(slash => slash.Amount));
            Cuts += cut.Count(amount => amount > 0);
            Payments += minted > 0 ? 1 : 0;
            (_before, _minted, _audits, _slashes) = (now, state.Minted, state.AuditFund, state.Slashes.Count);
        }

        private static List<(long Wealth, long Bond)> Of(LedgerState state) => [.. state.Members.Select(member => (checked(member.Bond + member.Reward), member.Bond))];
    }
}
