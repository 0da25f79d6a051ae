using Cairn.Base;
using Cairn.Exchange;
using Cairn.Ledger;

namespace Cairn.Node;

/// <summary>Seals a peer's update and puts it where others look for it.</summary>
internal static class UpdatePublisher
{
    /// <summary>Publishes an update; durable when this returns, the opening on the disk included.</summary>
    /// <param name="run">The run.</param>
    /// <param name="self">The peer.</param>
    /// <param name="round">The round.</param>
    /// <param name="uid">The peer's number.</param>
    /// <param name="update">Its encoded update.</param>
    /// <param name="says">What the peer says beside it, size, key and digest of the object left open.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>What the commit will hide.</returns>
    public static async Task<Opening> PublishAsync(
        RunContext run, NodeIdentity self, Round round, Uid uid, byte[] update, Opening says, CancellationToken cancellation)
    {
        var (ciphertext, key, digest) = Envelope.Seal(self.Key, new EnvelopeHeader(EnvelopeKind.Update, run.RulesDigest, round, uid), update);
        var opening = says with { ObjectDigest = digest, SizeBytes = ciphertext.Length, Key = key };
        // The order is the safety: object in the store, opening on the disk, only then the commit.
        await PatientPut.PutAsync(run, self.Name, ObjectKey.Update(round, digest), ciphertext, cancellation);
        run.Held.Hold(round, digest, ciphertext);
        self.Outbox.KeepOpening(round, opening);
        return opening;
    }
}
