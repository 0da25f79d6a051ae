using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>What an account has earned and lost since the run began, in wei.</summary>
/// <param name="Account">Whose.</param>
/// <param name="Earned">From the reward pool.</param>
/// <param name="Cut">Off the bond that it holds on the chain.</param>
public readonly record struct Payout(EvmAddress Account, UInt128 Earned, UInt128 Cut);

/// <summary>All payouts of a state of the ledger under one root, each provable by a path. Everybody who has the ledger and the
/// chain's events computes the same.</summary>
public sealed class PayoutTree
{
    private readonly Digest _run;
    private readonly List<Digest[]> _levels = [];

    private PayoutTree(Digest run, IReadOnlyList<Payout> payouts)
    {
        (_run, Payouts) = (run, payouts);
        _levels.Add([.. payouts.Select(Leaf).Order()]);
        while (_levels[^1].Length > 1)
        {
            _levels.Add(Up(_levels[^1]));
        }
    }

    /// <summary>One for each account that earned or lost, by rising address.</summary>
    public IReadOnlyList<Payout> Payouts { get; }

    /// <summary>The root; zero if nobody earned or lost anything.</summary>
    public Digest Root => _levels[^1].Length == 0 ? Digest.Zero : _levels[^1][0];

    /// <summary>The tree of a state.</summary>
    /// <param name="state">The ledger.</param>
    /// <param name="book">Whose account is whose.</param>
    /// <param name="weiPerUnit">What a unit of the ledger's money is.</param>
    public static PayoutTree Of(LedgerState state, AccountBook book, ulong weiPerUnit)
    {
        var sums = new Dictionary<EvmAddress, Payout>();
        foreach (var member in state.Members)
        {
            if (book.Of(member.Key) is { } account)
            {
                var (earned, cut) = UnitsOf(state, member);
                var before = sums.GetValueOrDefault(account, new Payout(account, 0, 0));
                sums[account] = new Payout(account, before.Earned + ((UInt128)earned * weiPerUnit), before.Cut + ((UInt128)cut * weiPerUnit));
            }
        }

        return Of(state.Run, sums.Values);
    }

    /// <summary>The tree of some payouts.</summary>
    /// <param name="run">Digest of the run's genesis.</param>
    /// <param name="payouts">Of different accounts, in any order.</param>
    public static PayoutTree Of(Digest run, IEnumerable<Payout> payouts) => new(
        run,
        [
            .. payouts.Where(payout => payout.Earned > 0 || payout.Cut > 0)
                .OrderBy(payout => Convert.ToHexStringLower(payout.Account.Bytes), StringComparer.Ordinal),
        ]);

    /// <summary>The path from a payout to the root.</summary>
    /// <param name="payout">One of <see cref="Payouts"/>.</param>
    public IReadOnlyList<Digest> Prove(Payout payout)
    {
        var at = Array.BinarySearch(_levels[0], Leaf(payout));
        Invariant.Check(at >= 0);
        var path = new List<Digest>();
        foreach (var level in _levels[..^1])
        {
            if ((at ^ 1) < level.Length)
            {
                path.Add(level[at ^ 1]);
            }

            at /= 2;
        }

        return path;
    }

    // What a member began with stands on the chain as its account's own bond, from which cuts come off first. So it is never paid out of the pool, also when the ledger
    // has given it back.
    private static (long Earned, long Cut) UnitsOf(LedgerState state, Member member)
    {
        var own = state.Genesis.Members.FirstOrDefault(first => first.PublicKey == member.Key)?.Bond
            ?? state.Genesis.Allocations.FirstOrDefault(first => first.PublicKey == member.Key)?.Bond ?? 0;
        var cut = Math.Min(own, state.Slashes.Where(slash => slash.Uid == member.Uid).Sum(slash => slash.Amount));
        return (member.Bond < own - cut ? member.Reward - (own - cut) : member.Reward, cut);
    }

    // Hashed twice, so that no inner node of 64 bytes can pass for a leaf.
    private Digest Leaf(Payout payout) => Keccak.Hash(
        Keccak.Hash(new AbiWriter().Word(_run).Address(payout.Account).Number(payout.Earned).Number(payout.Cut).ToArray()).ToArray());

    private static Digest[] Up(Digest[] level)
    {
        var next = new Digest[(level.Length + 1) / 2];
        for (var i = 0; i < next.Length; i++)
        {
            next[i] = (2 * i) + 1 == level.Length ? level[2 * i] : Node(level[2 * i], level[(2 * i) + 1]);
        }

        return next;
    }

    private static Digest Node(Digest left, Digest right) =>
        left < right ? Keccak.Hash([.. left.ToArray(), .. right.ToArray()]) : Keccak.Hash([.. right.ToArray(), .. left.ToArray()]);
}
