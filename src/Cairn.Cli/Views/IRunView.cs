using Cairn.Node;

namespace Cairn.Cli.Views;

/// <summary>How a run is shown: live in a terminal, as plain lines elsewhere, or not at all.</summary>
internal interface IRunView : IDisposable
{
    /// <summary>Something is being prepared.</summary>
    void Prepare(string what);

    /// <summary>Something happened in the run. Called from any thread, one at a time.</summary>
    void Show(RunEvent happened);
}

/// <summary>Shows nothing: for <c>--json</c>.</summary>
internal sealed class SilentView : IRunView
{
    public void Prepare(string what)
    {
    }

    public void Show(RunEvent happened)
    {
    }

    public void Dispose()
    {
    }
}
