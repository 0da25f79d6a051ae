using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Cairn.Web;

/// <summary>What is counted, in the text form of Prometheus.</summary>
internal sealed class ServeMetrics
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<(string Route, int Status), long> _requests = [];
    private readonly Histogram _firstToken = new(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30);
    private readonly Histogram _whole = new(0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300);
    private (long Prompt, long Shared, long Generated, long PutBack, long Steps) _retired;

    /// <summary>Counts an answer.</summary>
    public void Answered(string route, int status, TimeSpan took)
    {
        lock (_gate)
        {
            _requests[(route, status)] = _requests.GetValueOrDefault((route, status)) + 1;
            _whole.Add(took.TotalSeconds);
        }
    }

    /// <summary>Counts the first text of a continuation.</summary>
    public void Began(TimeSpan after)
    {
        lock (_gate)
        {
            _firstToken.Add(after.TotalSeconds);
        }
    }

    /// <summary>Sends all figures.</summary>
    public Task SendAsync(HttpContext context, ModelRoom room, int inHouse)
    {
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        return context.Response.WriteAsync(Written(room, inHouse), context.RequestAborted);
    }

    private string Written(ModelRoom room, int inHouse)
    {
        var text = new StringBuilder();
        void Line(string kind, string name, string says, object value) =>
            text.Append(CultureInfo.InvariantCulture, $"# HELP cairn_serve_{name} {says}\n# TYPE cairn_serve_{name} {kind}\ncairn_serve_{name} {value}\n");

        var engines = room.All;
        var states = engines.Select(engine => engine.State).ToList();
        var model = engines[^1].Served.Model;
        Line("gauge", "requests_in_house", "Requests that are being answered or wait.", inHouse);
        Line("gauge", "continuations_running", "Texts that are being continued.", states.Sum(state => state.Running));
        Line("gauge", "continuations_waiting", "Texts that wait for a place.", states.Sum(state => state.Waiting));
        Line("gauge", "models_loaded", "Models in memory: more than one while requests end on an older one.", engines.Count);
        Line("gauge", "cache_tokens", "Tokens that the cache of the newest model can hold.", model.CacheTokens);
        Line("gauge", "cache_tokens_free", "Tokens of it that are free, or kept only for sharing.", states[^1].FreeTokens);
        Line(
            "gauge", "memory_bytes", "Memory of the models: numbers and cache.",
            engines.Select(engine => engine.Served.Model).Sum(one => one.ParameterBytes + one.CacheBytes));
        var all = Totals(states);
        Line("counter", "prompt_tokens_total", "Tokens of prompts computed.", all.Prompt);
        Line("counter", "shared_tokens_total", "Tokens of prompts that another text had computed.", all.Shared);
        Line("counter", "generated_tokens_total", "Tokens generated.", all.Generated);
        Line("counter", "put_back_total", "Times that a text lost its place to an older one.", all.PutBack);
        Line("counter", "steps_total", "Passes over a model.", all.Steps);
        lock (_gate)
        {
            text.Append("# HELP cairn_serve_requests_total Requests answered.\n# TYPE cairn_serve_requests_total counter\n");
            foreach (var ((route, status), count) in _requests)
            {
                text.Append(CultureInfo.InvariantCulture, $"cairn_serve_requests_total{{route=\"{route}\",status=\"{status}\"}} {count}\n");
            }

            _firstToken.Write(text, "cairn_serve_first_text_seconds", "Time from the request to its first text.");
            _whole.Write(text, "cairn_serve_request_seconds", "Time from the request to the end of its answer.");
        }

        return text.ToString();
    }

    /// <summary>Keeps the counts of a model that goes, so that counters never fall.</summary>
    public void Keep(Engine engine)
    {
        lock (_gate)
        {
            _retired = Totals([engine.State]);
        }
    }

    private (long Prompt, long Shared, long Generated, long PutBack, long Steps) Totals(IReadOnlyList<Cairn.Inference.SchedulerState> states)
    {
        lock (_gate)
        {
            var all = _retired;
            foreach (var state in states)
            {
                all = (
                    all.Prompt + state.PromptTokens, all.Shared + state.SharedTokens, all.Generated + state.GeneratedTokens,
                    all.PutBack + state.PutBack, all.Steps + state.Steps);
            }

            return all;
        }
    }

    /// <summary>Counts by size.</summary>
    private sealed class Histogram(params double[] bounds)
    {
        private readonly long[] _counts = new long[bounds.Length + 1];
        private double _sum;

        public void Add(double value)
        {
            var at = Array.FindIndex(bounds, bound => value <= bound);
            _counts[at < 0 ? bounds.Length : at]++;
            _sum += value;
        }

        public void Write(StringBuilder text, string name, string says)
        {
            text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {says}\n# TYPE {name} histogram\n");
            var count = 0L;
            for (var i = 0; i <= bounds.Length; i++)
            {
                count += _counts[i];
                var bound = i < bounds.Length ? bounds[i].ToString(CultureInfo.InvariantCulture) : "+Inf";
                text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{le=\"{bound}\"}} {count}\n");
            }

            text.Append(CultureInfo.InvariantCulture, $"{name}_sum {_sum}\n{name}_count {count}\n");
        }
    }
}
