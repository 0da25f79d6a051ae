namespace Cairn.Ledger;

/// <summary>How fast one bond moves, by how far its validator is from the others ("liquid alpha" of Yuma 3).</summary>
/// <param name="Low">The slowest rate.</param>
/// <param name="High">The fastest rate.</param>
/// <param name="Steepness">Of the sigmoid between them, in hundredths.</param>
internal sealed record LiquidAlpha(Fixed32 Low, Fixed32 High, Fixed32 Steepness)
{
    /// <summary>low + (high − low) / (1 + e^(−steepness/100 · (d − ½))), where d in 0…1 is how far a validator that buys is above the
    /// consensus, or how far one that sells has gone below its bond.</summary>
    /// <param name="consensus">On the peer.</param>
    /// <param name="opinion">The validator's, after the penalty.</param>
    /// <param name="bond">Its bond to the peer so far.</param>
    public Fixed32 Rate(Fixed32 consensus, Fixed32 opinion, Fixed32 bond)
    {
        var half = new Fixed32(Fixed32.One.Bits / 2);
        var distance = Clamp(opinion >= bond ? opinion - consensus : bond - opinion, Fixed32.Zero, Fixed32.One);
        var exponent = Steepness / Fixed32.Of(-100) * (distance - half);
        var sigmoid = Fixed32.One / (Fixed32.One + Exponential.Of(exponent));
        return Clamp(Low + (sigmoid * (High - Low)), Low, High);
    }

    private static Fixed32 Clamp(Fixed32 value, Fixed32 low, Fixed32 high) => Fixed32.Larger(Fixed32.Smaller(value, high), low);
}
