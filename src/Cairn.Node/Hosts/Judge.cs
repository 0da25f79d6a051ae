using Cairn.Base;
using Cairn.Data;
using Cairn.Ledger;
using Cairn.Protocol;
using Cairn.Sparse;

namespace Cairn.Node;

internal sealed class Judge
{
    private readonly RunContext _run;
    private readonly string _name;
    private readonly Replica _replica;

    public Judge(RunContext run, string name, Replica replica) => (_run, _name, _replica) = (run, name, replica);

    public byte[] BookAfter(ApplyManifest apply) => [];

    public IReadOnlyList<ShareEntry> Shares() => [];

    public async Task<NodeEvent?> BeginAsync(Round round, RoundCase peers, CancellationToken cancellation)
    {
        var entries = new List<VerdictEntry>();
        var told = new List<PeerVerdict>();
        foreach (var peer in peers.Peers)
        {
            var (why, detail) = (Rejection.Missing, "");
            if (peer.Opening is { } opening)
            {
                (_, why, detail) = await UpdateFetcher.FetchAsync(_run, round, peer.Uid, peer.Key, opening, cancellation);
                if (why == Rejection.None && opening.BaseDigest != _replica.BaseDigest)
                {
                    why = Rejection.WrongBase;
                }

                if (why == Rejection.None && opening.Receipt != SampleReceipt.Of(peer.Samples))
                {
                    why = Rejection.WrongSamples;
                }
            }

            entries.Add(new VerdictEntry(peer.Uid, why, why == Rejection.None ? peer.Samples.Length : 0));
            told.Add(new PeerVerdict(peer.Name, peer.Uid.Value, why.ToString(), null, 0, detail));
        }

        _run.Log.Tell(new UpdatesJudged(_name, round.Number, told));
        return new Judged(round, new Verdict(round, entries));
    }
}
