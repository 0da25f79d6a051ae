using System.Net;

namespace Cairn.Web;

/// <summary>How a model is served.</summary>
/// <param name="Address">Where it listens; loopback unless somebody wants otherwise.</param>
/// <param name="Port">The port; 0 for any.</param>
public sealed record InferenceOptions(IPAddress Address, int Port)
{
    /// <summary>The port where nobody names one.</summary>
    public const int UsualPort = 7480;

    /// <summary>Keys of which a request must have one; none lets everybody in. Each has no blanks at its ends and is not empty.</summary>
    public IReadOnlyList<string> Keys { get; init; } = [];

    /// <summary>Texts continued at once by one model, 1 to 256.</summary>
    public int Parallel { get; init; } = 16;

    /// <summary>Continuations that may wait beside those; more are refused.</summary>
    public int WaitingMax { get; init; } = 64;

    /// <summary>The largest body of a request.</summary>
    public int BodyBytesMax { get; init; } = 4 << 20;

    /// <summary>Told of each fault of the server's own that ends a request (500); called by the thread of the request. Null tells nobody.</summary>
    public Action<Exception>? Faulted { get; init; }

    /// <summary>The longest that a request may take.</summary>
    public TimeSpan RequestTimeMax { get; init; } = TimeSpan.FromMinutes(10);
}
