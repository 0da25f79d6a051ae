using System.Text.Json;
using Cairn.Base;

namespace Cairn.Node;

/// <summary>A sum over rounds of differences of held-out loss on the same sequences.</summary>
/// <param name="Nats">Nats per token; above 0 the loss was lowered.</param>
/// <param name="StandardError">Of the choice of sequences, not of the run: the sequences are the same in every round, and each is its own control.</param>
public sealed record LossChange(double Nats, double StandardError)
{
    /// <summary>The mean over sequences of sums over rounds.</summary>
    /// <param name="rounds">Differences by sequence, as long each; at least one round.</param>
    internal static LossChange Of(IReadOnlyList<IReadOnlyList<float>> rounds)
    {
        var sums = new double[rounds[0].Count];
        foreach (var round in rounds)
        {
            for (var i = 0; i < sums.Length; i++)
            {
                sums[i] += round[i];
            }
        }

        var mean = sums.Average();
        var squares = sums.Sum(sum => (sum - mean) * (sum - mean));
        return new LossChange(mean, sums.Length > 1 ? Math.Sqrt(squares / (sums.Length - 1) / sums.Length) : double.PositiveInfinity);
    }
}

/// <summary>One peer's contribution over the measured rounds, beside its pay.</summary>
/// <param name="Uid">The peer.</param>
/// <param name="Peer">Its name.</param>
/// <param name="Rounds">Measured rounds with an update of it.</param>
/// <param name="Contribution">What its own parts of the steps did; null where the rule of combination is no sum of parts.</param>
/// <param name="LeftOut">What the rounds gained by its being there rather than not: by how much it was better than the others' mean.</param>
/// <param name="Weight">Its part of the measured rounds' weight, 0 to 1.</param>
/// <param name="OverlapMax">The largest part of its places that it shared with another update of a round, 0 to 1.</param>
/// <param name="Copies">Measured rounds in which another peer sent the same, to the last value.</param>
/// <param name="Reward">What it was paid in the whole run, in the run's smallest unit.</param>
/// <param name="Share">Its part of what peers were paid in the whole run, 0 to 1.</param>
public sealed record PeerContribution(
    int Uid, string Peer, int Rounds, LossChange? Contribution, LossChange LeftOut, double Weight, double OverlapMax, int Copies, long Reward, double Share);

/// <summary>What each peer's accepted updates did for held-out loss: <c>contribution.json</c> of a run's folder.</summary>
/// <param name="RulesDigest">Of the run.</param>
/// <param name="Sequences">Held-out sequences that were measured on.</param>
/// <param name="Rounds">The measured rounds, ascending.</param>
/// <param name="Improved">What these rounds did together.</param>
/// <param name="SumOfContributions">Over peers; null where the rule of combination is no sum of parts. Near <paramref name="Improved"/>, and not equal to it.</param>
/// <param name="Peers">Ascending by uid.</param>
public sealed record ContributionAccount(
    string RulesDigest, int Sequences, IReadOnlyList<int> Rounds, LossChange Improved, double? SumOfContributions, IReadOnlyList<PeerContribution> Peers)
{
    /// <summary>The file's name in a run's folder.</summary>
    public const string FileName = "contribution.json";

    /// <summary>One line of JSON.</summary>
    public string ToJsonLine() => JsonSerializer.Serialize(this, ContributionJson.Default.ContributionAccount);

    internal void Write(RunDirectory directory) =>
        DurableFile.Write(Path.Combine(directory.Root, FileName), JsonSerializer.SerializeToUtf8Bytes(this, ContributionJson.Default.ContributionAccount));

    /// <summary>Adds up measured rounds.</summary>
    /// <param name="rules">Digest of the run's rules.</param>
    /// <param name="rounds">Ascending, at least one; all on the same sequences.</param>
    /// <param name="rewards">What each peer was paid, by uid.</param>
    internal static ContributionAccount Of(Digest rules, IReadOnlyList<RoundContribution> rounds, IReadOnlyDictionary<int, long> rewards)
    {
        var paid = Math.Max(1, rewards.Values.Sum());
        var peers = rounds.SelectMany(round => round.Peers).GroupBy(peer => peer.Uid).OrderBy(group => group.Key).Select(group =>
        {
            var all = group.ToList();
            var reward = rewards.GetValueOrDefault(group.Key);
            return new PeerContribution(
                group.Key, all[^1].Peer, all.Count, all.All(peer => peer.TakenOut is not null) ? LossChange.Of([.. all.Select(peer => peer.TakenOut!)]) : null,
                LossChange.Of([.. all.Select(peer => peer.LeftOut)]), all.Sum(peer => peer.Weight) / rounds.Count, all.Max(peer => peer.Overlap),
                all.Count(peer => peer.SameAs.Count > 0), reward, (double)reward / paid);
        }).ToList();
        return new ContributionAccount(
            rules.ToString(), rounds[0].Improved.Count, [.. rounds.Select(round => round.Round)], LossChange.Of([.. rounds.Select(round => round.Improved)]),
            peers.All(peer => peer.Contribution is not null) ? peers.Sum(peer => peer.Contribution!.Nats) : null, peers);
    }
}
