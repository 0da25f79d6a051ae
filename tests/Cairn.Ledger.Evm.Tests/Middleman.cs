using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Cairn.Ledger.Evm.Tests;

/// <summary>A node of a chain that hands every question to an honest one, and may say something else.</summary>
internal sealed class Middleman : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly HttpClient _http = new();
    private readonly string _honest;

    public Middleman(string honest)
    {
        _honest = honest;
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            Address = $"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}/";
        }

        _listener.Prefixes.Add(Address);
        _listener.Start();
        _ = ServeAsync();
    }

    public string Address { get; }

    /// <summary>What it says: from the method, the parameters and the honest answer; null for the honest answer.</summary>
    public Func<string, JsonArray, JsonNode?, JsonNode?> Say { get; set; } = (_, _, _) => null;

    public Task<JsonNode?> AskHonestAsync(string method, string parameters) =>
        AskAsync($$"""{"jsonrpc":"2.0","id":1,"method":"{{method}}","params":{{parameters}}}""");

    public void Dispose()
    {
        _listener.Close();
        _http.Dispose();
    }

    private async Task<JsonNode?> AskAsync(string question)
    {
        using var content = new StringContent(question, Encoding.UTF8, "application/json");
        using var answer = await _http.PostAsync(_honest, content);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync());
    }

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            try
            {
                var context = await _listener.GetContextAsync();
                using var reader = new StreamReader(context.Request.InputStream);
                var text = await reader.ReadToEndAsync();
                var (question, answer) = (JsonNode.Parse(text)!, (await AskAsync(text))!);
                if (Say((string)question["method"]!, question["params"]!.AsArray(), answer["result"]) is { } lie)
                {
                    answer["result"] = lie;
                }

                await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(answer.ToJsonString()));
                context.Response.Close();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or IOException or InvalidOperationException or HttpRequestException)
            {
                // Closed, or the client has heard enough.
            }
        }
    }
}
