using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Cairn.Exchange.Tests;

/// <summary>Takes an object in pieces, and thinks before it says that they are one.</summary>
internal sealed class AssemblingServer : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly TimeSpan _thinks;
    private int _pieces;

    public AssemblingServer(TimeSpan thinks)
    {
        _thinks = thinks;
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            Port = ((IPEndPoint)free.LocalEndpoint).Port;
        }

        _listener.Prefixes.Add($"http://127.0.0.1:{Port}/");
        _listener.Start();
        _ = ServeAsync();
    }

    public int Port { get; }

    public int Pieces => _pieces;

    public void Dispose() => _listener.Close();

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                _ = AnswerAsync(await _listener.GetContextAsync());
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // Closed.
        }
    }

    private async Task AnswerAsync(HttpListenerContext asked)
    {
        await asked.Request.InputStream.CopyToAsync(Stream.Null);
        var body = "";
        if (asked.Request.HttpMethod == "PUT")
        {
            asked.Response.AddHeader("ETag", $"\"{Interlocked.Increment(ref _pieces)}\"");
        }
        else if (asked.Request.Url!.Query.Contains("uploadId", StringComparison.Ordinal))
        {
            await Task.Delay(_thinks);
            body = "<CompleteMultipartUploadResult><ETag>\"whole\"</ETag></CompleteMultipartUploadResult>";
        }
        else
        {
            body = "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>";
        }

        await asked.Response.OutputStream.WriteAsync(Encoding.ASCII.GetBytes(body));
        asked.Response.Close();
    }
}
