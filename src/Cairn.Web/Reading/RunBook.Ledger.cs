using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Web;

internal sealed partial class RunBook
{
    private (Round Round, Stage Stage) _at = (new Round(-1), Stage.Finished);
    private int _closed;
    private long _samples;

    // Two numbers in fp32 for each parameter, and heads: no update of the run is as long.
    private long UpdateBytesMax => (1 << 16) + (2L * sizeof(float) * Math.Clamp(Rules.Model.ParameterCount, 0, int.MaxValue));

    /// <summary>Begins with the first round.</summary>
    public void Begin() => NoticeStage(0);

    /// <summary>Takes note of an operation that was just applied to <see cref="State"/>.</summary>
    /// <param name="block">The block it is in.</param>
    /// <param name="signed">The operation.</param>
    public void Observe(Block block, SignedOperation signed)
    {
        Version++;
        if (signed == block.Operations[0])
        {
            _digests.Add(block.Hash, block.Height);
        }

        var uid = State.Find(signed.Author)?.Uid.Value ?? -1;
        switch (signed.Operation)
        {
            case Register:
                Peer(uid).Since = State.CurrentRound.Number;
                break;
            case Commit commit when Round(commit.Round.Number) is { } row:
                row.Commits++;
                _digests.Add(commit.Root, block.Height);
                break;
            case Reveal reveal:
                Observe(reveal, uid, block.Height);
                break;
            case Verdict verdict when Round(verdict.Round.Number) is { } row:
                row.Verdicts++;
                Observe(verdict);
                break;
            case PostBase posted when Round(posted.Round.Number) is { } row:
                row.Bases++;
                row.Agreement &= row.FirstBase is null || row.FirstBase == posted.BaseDigest;
                Agreement &= row.Agreement;
                row.FirstBase ??= posted.BaseDigest;
                _digests.Add(posted.BaseDigest, block.Height);
                break;
            case PostShares posted when Round(posted.Round.Number) is { } row:
                row.Shares++;
                _digests.Add(posted.CheckpointDigest, block.Height);
                break;
            case Ledger.Timeout timeout when Round(timeout.Round.Number) is { } row:
                row.Timeouts++;
                break;
            default:
                break;
        }

        CloseManifests(block.Height);
        NoticeStage(block.Height);
    }

    private void Observe(Reveal reveal, int uid, long height)
    {
        // Anybody may open a commit with any size, and the rules then refuse it.
        var (size, peer) = (Math.Min(reveal.Opening.SizeBytes, UpdateBytesMax), Peer(uid));
        (Bytes, Updates, peer.BytesSent) = (Bytes + size, Updates + 1, peer.BytesSent + size);
        _digests.Add(reveal.Opening.ObjectDigest, height);
        peer.In(reveal.Round.Number, now => now with { Bytes = size });
        if (Round(reveal.Round.Number) is { } row)
        {
            (row.Reveals, row.Bytes) = (row.Reveals + 1, row.Bytes + size);
        }
    }

    private void Observe(Verdict verdict)
    {
        foreach (var entry in verdict.Entries.Where(entry => entry.Reason != Rejection.None))
        {
            var peer = Peer(entry.Uid.Value);
            peer.Reasons[entry.Reason] = peer.Reasons.GetValueOrDefault(entry.Reason) + 1;
            peer.LastRefusal = (verdict.Round.Number, entry.Reason);
            peer.In(verdict.Round.Number, now => now with { Reason = entry.Reason });
        }
    }

    private void CloseManifests(long height)
    {
        while (State.ManifestOf(new Round(_closed)) is { } manifest)
        {
            var samples = State.SamplesTrained - _samples;
            _samples = State.SamplesTrained;
            _digests.Add(manifest.Digest, height);
            if (Open(_closed) is { } row)
            {
                (row.Members, row.Manifest, row.Samples, row.SamplesSoFar) = (manifest.Entries.Count, manifest.Digest, samples, _samples);
            }

            foreach (var entry in manifest.Entries)
            {
                var count = _closed == State.CurrentRound.Number ? State.SamplesOf(entry.Uid).Count : 0;
                Peer(entry.Uid.Value).In(_closed, now => now with { Counted = true, Samples = count });
            }

            _closed++;
        }
    }

    // What the log does not tell of the times of a run that is being watched is seen from when its blocks came.
    private void NoticeStage(long height)
    {
        if (CaughtUp)
        {
            LastSign = Now;
        }

        var (round, stage) = (State.CurrentRound, State.Stage);
        if (Open(round.Number) is not { } row)
        {
            return;
        }

        row.LastHeight = height;
        if ((round, stage) == _at)
        {
            row.Roster = State.Roster.Count;
            return;
        }

        if (round != _at.Round)
        {
            (row.FirstHeight, row.Roster) = (height, State.Roster.Count);
            if (Round(_at.Round.Number) is { } before)
            {
                (before.LastHeight, before.QuorumBase) = (height, State.QuorumBase(_at.Round));
                before.Ended ??= CaughtUp ? Now : null;
            }
        }

        if (stage == Stage.Finished)
        {
            row.QuorumBase = State.QuorumBase(round);
            row.Ended ??= CaughtUp ? Now : null;
        }

        row.Began[(int)stage] ??= CaughtUp ? Now : null;
        _at = (round, stage);
    }
}
