using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Cairn.Exchange.Tests;

/// <summary>The stores of strangers are servers of strangers: whatever one answers is an outcome, soon, and of bounded size.</summary>
public sealed class HostileServerTests : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    // More than a busy machine needs for its first answer.
    private readonly S3Line _line = new(new S3Options { AnswerMax = TimeSpan.FromSeconds(10) }, allowPrivateHosts: true);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _listener.Dispose();
        _line.Dispose();
    }

    [Theory]
    [InlineData("Last-Modified: x")]
    [InlineData("x-amz-missing-meta: x")]
    [InlineData("x-amz-tagging-count: x")]
    [InlineData("x-amz-mp-parts-count: x")]
    [InlineData("x-amz-object-lock-retain-until-date: x")]
    [InlineData("x-amz-server-side-encryption-bucket-key-enabled: x")]
    [InlineData("x-amz-checksum-sha256: x")]
    [InlineData("Expires: x")]
    public async Task Headers_that_nobody_needs_do_no_harm(string header)
    {
        var store = Serve(Answer("206 Partial Content", $"{header}\r\nContent-Range: bytes 0-2/3\r\n", "abc"));
        var outcome = await store.GetAsync(Key, 100, Cancel);
        Assert.Equal((FetchStatus.Found, "abc"), (outcome.Status, Encoding.ASCII.GetString(outcome.Bytes)));
    }

    [Theory]
    [InlineData("307 Temporary Redirect", "Location: http://127.0.0.1:1/elsewhere\r\n", "")]
    [InlineData("301 Moved Permanently", "Location: x\r\n", "")]
    [InlineData("500 Error", "", "<Error><Code>A&#27;[31m</Code><Message>no xml")]
    [InlineData("206 Partial Content", "Content-Range: bytes 0-99999/x\r\n", "abc")]
    [InlineData("206 Partial Content", "Content-Range: bytes 0-2/3000000000\r\n", "abc")]
    [InlineData("200 OK", "", "more than the range that was asked for, and more than a hundred and one bytes, which is where reading ends: 0123456789")]
    [InlineData("404 Not Found", "", "")]
    [InlineData("200 OK", "Content-Encoding: gzip\r\n", "abc")]
    public async Task Whatever_else_a_server_answers_is_an_outcome_with_a_printable_sentence(string status, string headers, string body)
    {
        var store = Serve(Answer(status, headers, body));
        var outcome = await store.GetAsync(Key, 100, Cancel);
        Assert.True(outcome.Status != FetchStatus.Found || outcome.Bytes.Length <= 100);
        Assert.All(outcome.Detail, c => Assert.False(char.IsControl(c)));
        Assert.InRange(outcome.Detail.Length, outcome.Status == FetchStatus.Found ? 0 : 1, 1000);
        Assert.False(await store.DeleteAsync(Key, Cancel) && status.StartsWith('5'));
        _ = await store.ExistsAsync(Key, Cancel);
        _ = await store.PutAsync(Key, new byte[3], Cancel);
    }

    [Fact]
    public async Task A_flood_ends_where_it_is_of_no_use()
    {
        var flood = Encoding.ASCII.GetBytes("HTTP/1.1 500 Error\r\nContent-Type: application/xml\r\nConnection: close\r\n\r\n<Error><Code>")
            .Concat(Enumerable.Repeat((byte)'A', 32 << 20)).ToArray();
        var before = GC.GetTotalAllocatedBytes();
        Assert.NotEqual(FetchStatus.Found, (await Serve(flood).GetAsync(Key, 100, Cancel)).Status);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 16 << 20);
    }

    [Theory]
    [InlineData("<ListBucketResult><IsTruncated>true</IsTruncated><Contents></Contents></ListBucketResult>")]
    [InlineData("<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>same</NextContinuationToken></ListBucketResult>")]
    [InlineData("<ListBucketResult><Contents><Key>run/x</Key><Size>x</Size></Contents></ListBucketResult>")]
    [InlineData("<ListBucketResult><Contents><LastModified>x</LastModified></Contents></ListBucketResult>")]
    [InlineData("no xml")]
    [InlineData("")]
    public async Task A_list_that_never_ends_or_is_none_ends(string body)
    {
        var count = 0;
        await foreach (var _ in Serve(Answer("200 OK", "", body)).ListAsync("", Cancel))
        {
            count++;
        }

        Assert.InRange(count, 0, 2);
    }

    [Fact]
    public async Task A_server_that_says_nothing_has_had_its_time_and_is_not_asked_again()
    {
        using var impatient = new S3Line(new S3Options { AnswerMax = TimeSpan.FromMilliseconds(500) }, allowPrivateHosts: true);
        var outcome = await Serve([], impatient).GetAsync(Key, 100, Cancel).WaitAsync(TimeSpan.FromSeconds(20), Cancel);
        Assert.Equal(FetchStatus.Silent, outcome.Status);
    }

    [Fact]
    public async Task A_server_that_needs_longer_than_an_answer_may_take_to_put_pieces_together_is_waited_for()
    {
        var answerMax = TimeSpan.FromSeconds(3);
        var options = new S3Options { AnswerMax = answerMax, PartBytes = 100 };
        using var line = new S3Line(options, allowPrivateHosts: true);
        using var server = new AssemblingServer(answerMax + TimeSpan.FromSeconds(1));
        Assert.True(S3Address.TryParse($"s3://bucket?endpoint=http://127.0.0.1:{server.Port}", out var address, out _));
        using var store = new S3Store(address, S3Server.Reader, line, stranger: true);
        Assert.Equal(PutOutcome.Stored, await store.PutAsync(Key, new byte[250], Cancel));
        Assert.Equal(3, server.Pieces);
        Assert.Equal(TimeSpan.FromMinutes(2), options.AssemblingMax(0));
        Assert.Equal(options.SendingMax(1L << 40), options.AssemblingMax(1L << 40));
    }

    private static ObjectKey Key => ObjectKey.TryParse("run/x", out var key) ? key : throw new InvalidOperationException();

    private static byte[] Answer(string status, string headers, string body) =>
        Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nETag: \"a\"\r\n{headers}Content-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}");

    // Every connection gets the same answer, once it has asked; an empty one gets nothing and stays open.
    private S3Store Serve(byte[] answer, S3Line? line = null)
    {
        _listener.Start();
        _ = Task.Run(async () =>
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync();
                _ = Task.Run(async () =>
                {
                    try
                    {
                        var stream = client.GetStream();
                        _ = await stream.ReadAsync(new byte[8192]);
                        if (answer.Length > 0)
                        {
                            await stream.WriteAsync(answer);
                            client.Dispose();
                        }
                    }
                    catch (Exception e) when (e is IOException or SocketException)
                    {
                    }
                });
            }
        });
        var port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        Assert.True(S3Address.TryParse($"s3://bucket?endpoint=http://127.0.0.1:{port}", out var address, out _));
        return new S3Store(address, S3Server.Reader, line ?? _line, stranger: true);
    }
}
