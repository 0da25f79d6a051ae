using System.Net;
using Cairn.Base;
using Cairn.Cli.Verbs;
using Cairn.Node;
using Cairn.Web;

namespace Cairn.Cli.Views;

/// <summary>Another view, and beside it the dashboard of the run from when the run begins. That it cannot be shown is said, and no reason to stop.</summary>
internal sealed class WatchedView(IRunView inner, string folder) : IRunView
{
    private Dashboard? _dashboard;

    public void Prepare(string what) => inner.Prepare(what);

    public void Show(RunEvent happened)
    {
        if (happened is RunStarted && _dashboard is null)
        {
            try
            {
                _dashboard = Dashboard.StartAsync(WatchedRun.SourcesOf(new RunDirectory(folder)), DashboardOptions.Usual).GetAwaiter().GetResult();
                inner.Prepare($"watch it at {_dashboard.Address}{DashboardVerb.Reach(IPAddress.Loopback)}");
            }
            catch (InputException e)
            {
                inner.Prepare($"no dashboard: {e.Message}");
            }
        }

        inner.Show(happened);
    }

    public void Dispose()
    {
        inner.Dispose();
        _dashboard?.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }
}
