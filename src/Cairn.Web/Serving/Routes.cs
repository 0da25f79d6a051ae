using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cairn.Web;

/// <summary>Which address gives what.</summary>
internal sealed class Routes(RunReader reader, RunSources sources, Viewers viewers, TalkRoom talk, CheckpointRoom checkpoints)
{
    private readonly RunBook _book = reader.Book;
    private readonly Answers _answers = new(reader.Book);

    public void Map(WebApplication app)
    {
        var json = ViewJson.Default;
        app.MapGet("/api/live", viewers.ServeAsync);
        app.MapGet("/api/run", context => Answers.SendNewAsync(context, json.RunView, RunPage.Run(_book, sources)));
        app.MapGet("/api/now", context => Answers.SendNewAsync(context, json.NowView, RunPage.Now(_book)));
        app.MapGet("/api/curve", context =>
        {
            var (generation, from) = (Whole(context, "generation", -1), Whole(context, "from", 0));
            return _answers.SendAsync(context, json.CurveView, () => RunPage.Curve(_book, generation, from));
        });
        app.MapGet("/api/baselines", context => Answers.SendNewAsync(context, json.IReadOnlyListBaselineView, RunPage.Baselines(_book)));
        app.MapGet("/api/texts", context => _answers.SendAsync(context, json.IReadOnlyListTextView, () => RunPage.Texts(_book)));
        app.MapGet("/api/peers", context => _answers.SendAsync(context, json.MembersView, () => PeersPage.All(_book)));
        app.MapGet("/api/peers/{number}", context => _answers.SendAsync(context, json.MemberDetailView, () => PeersPage.One(_book, Number(context))));
        app.MapGet("/api/rounds", context =>
        {
            var before = Whole(context, "before", int.MaxValue);
            return _answers.SendAsync(context, json.RoundsView, () => RoundsPage.All(_book, before));
        });
        app.MapGet("/api/rounds/{number}", context => _answers.SendAsync(context, json.RoundDetailView, () => RoundsPage.One(reader, Number(context))));
        app.MapGet("/api/blocks", context =>
        {
            var before = Whole(context, "before", int.MaxValue);
            return _answers.SendAsync(context, json.BlocksView, () => LedgerPage.All(reader, before));
        });
        app.MapGet("/api/blocks/{number}", context => _answers.SendAsync(context, json.BlockView, () => LedgerPage.One(reader, Number(context))));
        app.MapGet("/api/search", context =>
        {
            var query = context.Request.Query["q"].ToString();
            return _answers.SendAsync(context, json.SearchView, () => LedgerPage.Search(reader, query));
        });
        app.MapGet("/api/checkpoints", context => Answers.SendNewAsync(context, json.IReadOnlyListCheckpointView, checkpoints.All()));
        app.MapGet("/api/checkpoints/{number}/{file}", context => checkpoints.DownloadAsync(context, Number(context), (string)context.Request.RouteValues["file"]!));
        app.MapPost("/api/checkpoints/{number}/fetch", context => checkpoints.BringAsync(context, Number(context)));
        app.MapGet("/api/waits", context => Answers.SendNewAsync(context, json.WaitsView, WaitsPage.Of(_book, sources)));
        app.MapPost("/api/talk", talk.AnswerAsync);
        app.MapGet("/{**path}", Assets.SendAsync);
    }

    private static int Number(HttpContext context) =>
        int.TryParse(context.Request.RouteValues["number"] as string, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;

    private static int Whole(HttpContext context, string name, int otherwise) =>
        int.TryParse(context.Request.Query[name].ToString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : otherwise;
}
