using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Web;

/// <summary>The page Peers: who takes part, what it gave and what it got.</summary>
internal static class PeersPage
{
    private const int MembersMax = 10_000;
    private const int RoundsShown = 2048;

    public static MembersView All(RunBook book)
    {
        lock (book.Gate)
        {
            var state = book.State;
            var rewards = Math.Max(1, state.Members.Sum(member => member.Reward));
            return new MembersView(
                state.Minted, state.Unpaid, state.AuditFund, state.Burned, [.. state.Members.Take(MembersMax).Select(member => View(book, member, rewards))]);
        }
    }

    public static MemberDetailView? One(RunBook book, int uid)
    {
        lock (book.Gate)
        {
            var state = book.State;
            if (uid < 0 || uid >= state.Members.Count)
            {
                return null;
            }

            var (member, rewards) = (state.Members[uid], Math.Max(1, state.Members.Sum(other => other.Reward)));
            return new MemberDetailView(
                View(book, member, rewards), member.Key.ToString(), member.Place, member.AbsentRounds, member.Samples,
                [.. book.Peer(uid).Rounds.TakeLast(RoundsShown).Reverse().Select(View)],
                [.. state.Slashes.Where(slash => slash.Uid.Value == uid).Select(slash => View(book, slash))],
                book.Contributions?.Peers.FirstOrDefault(peer => peer.Uid == uid));
        }
    }

    /// <summary>A cut of a bond. Under the gate.</summary>
    public static SlashView View(RunBook book, Slash slash) => new(
        slash.Round.Number, slash.Uid.Value, book.State.Members[slash.Uid.Value].Name, slash.Reason.ToString(), slash.Amount, slash.Evidence.ToString());

    private static MemberView View(RunBook book, Member member, long rewards)
    {
        var (state, row, isPeer) = (book.State, book.Peer(member.Uid.Value), member.Role == Role.Peer);
        return new MemberView(
            member.Uid.Value, member.Name, member.Role.ToString(), row.Since, member.Active, member.HasLeft, state.IsInRoster(member.Uid), member.Bond, member.Reward,
            (double)member.Reward / rewards, isPeer ? state.AcceptedOf(member.Uid) : 0, isPeer ? state.RejectionsOf(member.Uid) : 0, row.Rating, row.Score, row.Work,
            row.TrainLoss, row.BytesSent, row.LastRefusal?.Reason.ToString(), row.LastRefusal?.Round,
            [.. row.Reasons.Select(reason => new ReasonView(reason.Key.ToString(), reason.Value))]);
    }

    private static PeerRoundView View(PeerRound round) => new(
        round.Round, round.Counted, round.Reason == Rejection.None ? null : round.Reason.ToString(), round.Samples, round.Bytes, round.Rating, round.Score,
        round.TrainLoss);
}
