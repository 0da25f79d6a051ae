using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Simulation;

/// <summary>A validator that is not honest.</summary>
internal abstract class BadValidator : Conduct
{
    public override Role Role => Role.Validator;

    public override string Claim => "what is paid lies between what honest validators said";

    public override string? Breach(Ending ending, SimNode me) => ending.OutsideOfHonestShares();
}

/// <summary>Posts the shares that another validator posted, and its own only if nobody else does.</summary>
internal sealed class ShareCopier : BadValidator
{
    public override string Name => "share-copier";

    public override IReadOnlyList<ShareEntry>? Shares(SimNode me, World world, Round round)
    {
        var ledger = me.View;
        if (ledger.CurrentRound != round || ledger.Stage != Stage.Settle)
        {
            return HonestShares(me, world, round);
        }

        foreach (var member in ledger.Members)
        {
            if (ledger.SharesOf(member.Uid) is { } posted)
            {
                return posted.Shares;
            }
        }

        return null;
    }
}

/// <summary>Accepts whatever its friend opens, and gives it all the pay.</summary>
internal sealed class FriendLiar : BadValidator
{
    public override string Name => "friend-liar";

    public override void Judge(VerdictEntry[] entries, RoundView view, SimNode me, World world)
    {
        var friend = world.Nodes[me.Plan.Other].Uid;
        for (var i = 0; i < entries.Length; i++)
        {
            // What nobody can decode it cannot hold; what can be decoded it accepts.
            if (entries[i].Uid == friend && view.Openings[i] is { } opening && world.Store.Open(opening.ObjectDigest).Move is not null)
            {
                entries[i] = new VerdictEntry(entries[i].Uid, Rejection.None, view.Peers[i].Samples);
            }
        }
    }

    public override IReadOnlyList<ShareEntry>? Shares(SimNode me, World world, Round round) =>
        world.Nodes[me.Plan.Other].Uid is { } friend && me.View.Members[friend.Value].Role == Role.Peer
            ? [new ShareEntry(friend, Ledger.Shares.One)]
            : HonestShares(me, world, round);
}

/// <summary>Refuses whatever one honest peer sends, and pays it nothing.</summary>
internal sealed class Censor : BadValidator
{
    public override string Name => "censor";

    public override string Claim => "what is paid, to the one it censors too, lies between what honest validators said";

    public override void Judge(VerdictEntry[] entries, RoundView view, SimNode me, World world)
    {
        for (var i = 0; i < entries.Length; i++)
        {
            if (entries[i].Uid == world.Nodes[me.Plan.Other].Uid && entries[i].Reason == Rejection.None)
            {
                entries[i] = new VerdictEntry(entries[i].Uid, Rejection.Malformed, 0);
            }
        }
    }

    public override IReadOnlyList<ShareEntry>? Shares(SimNode me, World world, Round round)
    {
        var censored = world.Nodes[me.Plan.Other].Uid;
        var shares = HonestShares(me, world, round).Where(share => share.Uid != censored).ToArray();
        var rest = Ledger.Shares.One - shares.Sum(share => share.Share);
        if (shares.Length > 0)
        {
            shares[0] = shares[0] with { Share = shares[0].Share + rest };
        }

        return shares;
    }
}
