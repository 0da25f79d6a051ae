namespace Cairn.Web;

/// <summary>A point of the held-out loss.</summary>
/// <param name="Round">After which round; −1 before the first.</param>
/// <param name="Tokens">Tokens trained on.</param>
/// <param name="Loss">Nats per token.</param>
/// <param name="BitsPerByte">Bits per byte of text.</param>
internal readonly record struct CurvePoint(int Round, long Tokens, double Loss, double BitsPerByte);

/// <summary>The held-out loss so far, in a bounded number of points: when there are too many, every second one goes.</summary>
internal sealed class Curve
{
    private const int PointsMax = 4096;
    private readonly List<CurvePoint> _points = [];

    /// <summary>In the order of rounds.</summary>
    public IReadOnlyList<CurvePoint> Points => _points;

    /// <summary>Grows whenever points went or changed that somebody may hold already.</summary>
    public int Generation { get; private set; }

    /// <summary>Adds a point; one of a round that is there already takes its place.</summary>
    public void Add(CurvePoint point)
    {
        while (_points.Count > 0 && _points[^1].Round >= point.Round)
        {
            // Measured again after a restart.
            _points.RemoveAt(_points.Count - 1);
            Generation++;
        }

        if (_points.Count >= PointsMax)
        {
            for (var i = _points.Count - 2; i > 0; i -= 2)
            {
                _points.RemoveAt(i);
            }

            Generation++;
        }

        _points.Add(point);
    }
}
