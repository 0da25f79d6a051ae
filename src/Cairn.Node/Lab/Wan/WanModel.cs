namespace Cairn.Node;

/// <summary>A run over the internet, as far as its time is a matter of sizes and rates: one round of one peer.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Parameters">Parameters of the model.</param>
/// <param name="BytesPerParameter">Bytes of one peer's update for each parameter of the model.</param>
/// <param name="Peers">Peers of a round.</param>
/// <param name="ComputeSeconds">Seconds of inner steps.</param>
/// <param name="UpMegabits">The peer's line, megabits a second to send.</param>
/// <param name="DownMegabits">And to receive.</param>
/// <param name="FixedSeconds">Seconds of a round that are neither: agreeing, checking, applying.</param>
/// <param name="AllReduce">True where members add up among each other, each sending and receiving about two updates; else each receives those of all.</param>
public sealed record WanModel(
    string Name, double Parameters, double BytesPerParameter, int Peers, double ComputeSeconds, double UpMegabits, double DownMegabits, double FixedSeconds = 0,
    bool AllReduce = false)
{
    private const double BytesPerMegabit = 1e6 / 8;

    /// <summary>Bytes of one update.</summary>
    public double UpdateBytes => Parameters * BytesPerParameter;

    /// <summary>Seconds to send what a peer has to.</summary>
    public double UpSeconds => Sent / (UpMegabits * BytesPerMegabit);

    /// <summary>Seconds to receive what it has to.</summary>
    public double DownSeconds => Received / (DownMegabits * BytesPerMegabit);

    /// <summary>Seconds of a round when nothing overlaps but the two directions of an all-reduce: the updates of others are there only once they were sent.</summary>
    public double RoundSeconds => ComputeSeconds + FixedSeconds + (AllReduce ? Math.Max(UpSeconds, DownSeconds) : UpSeconds + DownSeconds);

    /// <summary>Computing time over round time.</summary>
    public double Utilisation => ComputeSeconds / RoundSeconds;

    /// <summary>The same when the next round is computed while the last one travels (a delay of one round in applying).</summary>
    public double OverlappedUtilisation => ComputeSeconds / Math.Max(ComputeSeconds, RoundSeconds - ComputeSeconds);

    /// <summary>Seconds that the line allows for a published time of communication to be true: the least that sending and receiving take.</summary>
    public double LeastSeconds => Math.Max(UpSeconds, DownSeconds);

    private double Sent => AllReduce ? 2.0 * (Peers - 1) / Peers * UpdateBytes : UpdateBytes;

    private double Received => AllReduce ? Sent : (Peers - 1) * UpdateBytes;
}
