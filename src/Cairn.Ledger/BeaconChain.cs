using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>A validator's hash chain: it registers the last element and reveals one preimage per round, so that what it will say was
/// fixed before anybody's update was.</summary>
public static class BeaconChain
{
    private const string Domain = "cairn/beacon/chain";

    /// <summary>The element after another.</summary>
    /// <param name="preimage">Any.</param>
    public static Digest Next(Digest preimage) => Digest.Of(Domain, preimage.ToArray());

    /// <summary>The tip of a chain.</summary>
    /// <param name="secret">The first element, kept by its validator.</param>
    /// <param name="length">How many preimages it offers: at least the rounds of the run.</param>
    public static Digest Tip(Digest secret, int length)
    {
        Invariant.Check(length > 0);
        for (var i = 0; i < length; i++)
        {
            secret = Next(secret);
        }

        return secret;
    }

    /// <summary>Finds what to reveal next.</summary>
    /// <param name="secret">As in <see cref="Tip"/>.</param>
    /// <param name="length">As in <see cref="Tip"/>.</param>
    /// <param name="tip">The validator's current tip on the ledger.</param>
    /// <param name="preimage">Its preimage, or zero.</param>
    /// <returns>False if the tip is not of this chain, or the chain is used up. Costs up to <paramref name="length"/> hashes.</returns>
    public static bool TryPreimage(Digest secret, int length, Digest tip, out Digest preimage)
    {
        preimage = secret;
        for (var i = 0; i < length; i++)
        {
            var next = Next(preimage);
            if (next == tip)
            {
                return true;
            }

            preimage = next;
        }

        preimage = Digest.Zero;
        return false;
    }
}
