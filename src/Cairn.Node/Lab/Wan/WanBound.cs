namespace Cairn.Node;

/// <summary>What the lines alone allow a round: every byte that the protocol moves, at the full rate, with nothing lost to waiting.</summary>
/// <param name="Compute">Seconds of inner steps.</param>
/// <param name="Send">Seconds in which a peer sends its update.</param>
/// <param name="ValidatorFetch">Seconds in which a validator receives those of all.</param>
/// <param name="ValidatorHold">Seconds in which it sends them to its own store, as who accepts them must.</param>
/// <param name="Fetch">Seconds in which a peer receives those of all others.</param>
/// <param name="ApplyDelay">1 where the next round is computed meanwhile.</param>
public sealed record WanBound(double Compute, double Send, double ValidatorFetch, double ValidatorHold, double Fetch, int ApplyDelay)
{
    /// <summary>Seconds of the exchange if all that may happen at once does: once the updates are sent, a validator sends and receives while peers receive.</summary>
    public double LeastExchange => Send + Math.Max(ValidatorFetch, Math.Max(ValidatorHold, Fetch));

    /// <summary>Seconds of the exchange, one thing after another.</summary>
    public double ExchangeInTurn => Send + ValidatorFetch + ValidatorHold + Fetch;

    /// <summary>The least seconds of a round.</summary>
    public double Least => ApplyDelay == 0 ? Compute + LeastExchange : Math.Max(Compute, LeastExchange);

    /// <summary>Seconds of a round, one thing after another, except computing with an apply delay.</summary>
    public double InTurn => ApplyDelay == 0 ? Compute + ExchangeInTurn : Math.Max(Compute, ExchangeInTurn);

    /// <summary>Computes it.</summary>
    /// <param name="model">Sizes and rates.</param>
    /// <param name="applyDelay">The rule of the run.</param>
    public static WanBound Of(WanModel model, int applyDelay)
    {
        var receiveOne = model.UpdateBytes * 8 / (model.DownMegabits * 1e6);
        return new WanBound(model.ComputeSeconds, model.UpSeconds, receiveOne * model.Peers, model.UpSeconds * model.Peers, model.DownSeconds, applyDelay);
    }
}
