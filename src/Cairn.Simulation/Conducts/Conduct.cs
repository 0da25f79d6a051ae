using Cairn.Base;
using Cairn.Gauntlet;
using Cairn.Ledger;

namespace Cairn.Simulation;

/// <summary>How a member behaves where the machine leaves it a choice. An adversary is one of these, with a claim that is checked when the run is over: the claim
/// is about what it cannot get, never about how it is stopped.</summary>
internal abstract class Conduct
{
    /// <summary>How scenarios call it.</summary>
    public abstract string Name { get; }

    /// <summary>For which role it is.</summary>
    public virtual Role Role => Role.Peer;

    /// <summary>What must be true at the end, as a sentence.</summary>
    public abstract string Claim { get; }

    /// <summary>Looks at the end of a run.</summary>
    /// <param name="ending">What everybody earned.</param>
    /// <param name="me">Who behaved so.</param>
    /// <returns>What does not hold, or null.</returns>
    public abstract string? Breach(Ending ending, SimNode me);

    /// <summary>Makes the update of a round; null sends nothing.</summary>
    public virtual Crafted? Make(Craft craft) => craft.Honest();

    /// <summary>The bytes that are put.</summary>
    public virtual byte[] Pack(byte[] bytes, World world) => bytes;

    /// <summary>What the commit hides.</summary>
    public virtual Opening Declare(Opening honest, SimNode me, World world) => honest;

    /// <summary>False for a statement that is swallowed.</summary>
    public virtual bool Says(Operation operation, SimNode me, World world) => true;

    /// <summary>A second statement for the same slot, or null.</summary>
    public virtual Operation? SaysToo(Operation operation) => null;

    /// <summary>A validator's last word on its verdict.</summary>
    public virtual void Judge(VerdictEntry[] entries, RoundView view, SimNode me, World world)
    {
    }

    /// <summary>A validator's shares; null waits.</summary>
    public virtual IReadOnlyList<ShareEntry>? Shares(SimNode me, World world, Round round) => HonestShares(me, world, round);

    /// <summary>What the book says.</summary>
    protected static IReadOnlyList<ShareEntry> HonestShares(SimNode me, World world, Round round) =>
        [.. PayShares.Divide(PayShares.Claims(me.Replica.Book, round.Number == world.Scenario.Rounds - 1)).Select(share => new ShareEntry(share.Uid, share.Share))];
}

/// <summary>All conducts by name.</summary>
public static class Conducts
{
    /// <summary>Does what the protocol asks.</summary>
    public const string Honest = "honest";

    /// <summary>Trains a back door into a real model.</summary>
    public const string Poisoner = "poisoner";

    /// <summary>Works, and shows its update to friends before the commit.</summary>
    public const string Leader = "leader";

    private static readonly SortedDictionary<string, Conduct> All = new(StringComparer.Ordinal);

    static Conducts()
    {
        Conduct[] conducts =
        [
            new HonestConduct(), new Leader(), new EarlyCopycat(), new LateCopycat(), new BlendedCopycat(), new Lazy(), new StaleBase(), new Noise(), new SignFlip(),
            new NormBomb(), new NotANumber(), new WrongData(), new DuplicatedData(), new FreeRider(), new Withholder(), new Equivocator(), new Oversize(),
            new Farmer(), new Sybil(), new Colluder(), new ShareCopier(), new FriendLiar(), new Censor(), new BackDoor(),
        ];
        foreach (var conduct in conducts)
        {
            All.Add(conduct.Name, conduct);
        }
    }

    /// <summary>The names of all adversaries, in order.</summary>
    public static IReadOnlyList<string> Names => [.. All.Keys.Where(name => name is not (Honest or Leader or Poisoner))];

    /// <summary>Those of peers, the poisoner of a real model among them.</summary>
    public static IReadOnlyList<string> PeerNames => [.. All.Where(pair => pair.Value.Role == Role.Peer && pair.Key is not (Honest or Leader)).Select(pair => pair.Key)];

    /// <summary>True for an adversary that has a friend's update before the commit.</summary>
    /// <param name="name">Any.</param>
    public static bool NeedsFriend(string name) => name is "copycat-early" or "copycat-blended" or "colluder";

    /// <summary>What each adversary's claim is, as a sentence.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    public static string ClaimOf(string name) => All[name].Claim;

    internal static Conduct Of(string name) => All[name];

    internal static bool IsKnown(string? name) => name is not null && All.ContainsKey(name);

    internal static bool IsFor(string? name, Role role) => name == Honest || (IsKnown(name) && All[name!].Role == role);
}

/// <summary>Does what the protocol asks.</summary>
internal sealed class HonestConduct : Conduct
{
    public override string Name => Conducts.Honest;

    public override string Claim => "others are measured by it; one that declares fewer samples is paid no more than they are worth (1.4 at most)";

    public override string? Breach(Ending ending, SimNode me) =>
        me is { Role: Role.Peer, Plan: { Samples: > 0, Newcomer: false } } ? ending.PaidForMoreThanItsSamples(me) : null;
}
