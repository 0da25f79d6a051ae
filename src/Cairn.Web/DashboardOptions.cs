using System.Net;

namespace Cairn.Web;

/// <summary>How a dashboard answers.</summary>
/// <param name="Address">Where it listens; loopback unless somebody wants otherwise.</param>
/// <param name="Port">The port; if it is taken, one of the next. 0 for any.</param>
/// <param name="ReplaySpeed">Null to follow the run as it goes on; otherwise it is shown from its beginning, so many times as fast as it went.</param>
public sealed record DashboardOptions(IPAddress Address, int Port, double? ReplaySpeed = null)
{
    /// <summary>The port that is tried first where nobody names one.</summary>
    public const int UsualPort = 7470;

    /// <summary>This machine alone, the usual port.</summary>
    public static DashboardOptions Usual { get; } = new(IPAddress.Loopback, UsualPort);
}
