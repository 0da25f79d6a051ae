using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Cairn.Exchange.Tests;

/// <summary>One real S3 server for all tests of this project, started by tools/s3-server.sh. Where its programs are not installed the tests skip with the reason;
/// where CAIRN_REQUIRE_S3 is set they fail.</summary>
public sealed class S3Server : IAsyncLifetime
{
    public static readonly S3Credentials Owner = new("OWNERKEY", "ownersecret");
    public static readonly S3Credentials Reader = new("READERKEY", "readersecret");
    public static readonly S3Credentials Other = new("OTHERKEY", "othersecret");
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"cairn-s3-{Path.GetRandomFileName()}");
    private string _missing = "";
    private int _buckets;

    public Uri Endpoint { get; private set; } = new("http://127.0.0.1:1");

    public async ValueTask InitializeAsync()
    {
        var required = Environment.GetEnvironmentVariable("CAIRN_REQUIRE_S3") is { Length: > 0 };
        if (!required && !IsInstalled("radosgw"))
        {
            _missing = "no S3 server is installed here: the Debian packages radosgw, ceph-mon, ceph-osd and ceph-common";
            return;
        }

        var port = FreePort();
        var (code, output) = await RunAsync("up", _folder, port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Assert.True(code == 0, output);
        Endpoint = new Uri($"http://127.0.0.1:{port}");
    }

    public async ValueTask DisposeAsync()
    {
        if (_missing.Length == 0)
        {
            await RunAsync("down", _folder);
        }
    }

    public void SkipIfMissing() => Assert.SkipWhen(_missing.Length > 0, _missing);

    /// <summary>A new bucket of the owner, readable by the reader.</summary>
    public async Task<S3Address> NewBucketAsync(string prefix = "")
    {
        SkipIfMissing();
        var name = $"bucket-{Interlocked.Increment(ref _buckets)}-{Path.GetRandomFileName()[..8]}";
        using var client = new AmazonS3Client(
            new BasicAWSCredentials(Owner.AccessKey, Owner.SecretKey),
            new AmazonS3Config { ServiceURL = Endpoint.ToString(), ForcePathStyle = true, AuthenticationRegion = "us-east-1" });
        await client.PutBucketAsync(name);
        await client.PutBucketPolicyAsync(new PutBucketPolicyRequest
        {
            BucketName = name,
            Policy = $$"""
                {
                  "Version": "2012-10-17",
                  "Statement": [{
                    "Effect": "Allow",
                    "Principal": {"AWS": ["arn:aws:iam:::user/reader"]},
                    "Action": ["s3:GetObject", "s3:ListBucket"],
                    "Resource": ["arn:aws:s3:::{{name}}", "arn:aws:s3:::{{name}}/*"]
                  }]
                }
                """,
        });
        return new S3Address { Bucket = name, Prefix = prefix, Endpoint = Endpoint, Reader = Reader };
    }

    private static int FreePort()
    {
        // Its neighbour is the monitor's.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static bool IsInstalled(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));

    private static async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        var root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Cairn.slnx")))
        {
            root = Path.GetDirectoryName(root) ?? throw new InvalidOperationException("the tests do not lie in the repository");
        }

        // Into a file: the servers that the script leaves running would keep a pipe open.
        var log = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        using var script = Process.Start(new ProcessStartInfo("bash", ["-c", $"exec \"$@\" >{log} 2>&1 </dev/null", "-", Path.Combine(root, "tools/s3-server.sh"), .. arguments]))!;
        await script.WaitForExitAsync();
        var output = await File.ReadAllTextAsync(log);
        File.Delete(log);
        return (script.ExitCode, output);
    }
}
