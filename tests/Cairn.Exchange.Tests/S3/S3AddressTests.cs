using System.Net;
using Cairn.Base;

namespace Cairn.Exchange.Tests;

/// <summary>Addresses come from strangers.</summary>
public sealed class S3AddressTests
{
    [Theory]
    [InlineData("s3://bucket")]
    [InlineData("s3://a-bucket.of.ours/runs/one?endpoint=https://s3.example.org")]
    [InlineData("s3://bucket?endpoint=http://127.0.0.1:7480&region=eu-west-1&reader=KEY:a%2Fb%2Bc")]
    public void What_is_read_is_written_the_same(string text)
    {
        Assert.True(S3Address.TryParse(text, out var address, out var why), why);
        Assert.Equal(text, address.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("bucket")]
    [InlineData("http://bucket")]
    [InlineData("s3://")]
    [InlineData("s3://ab")]
    [InlineData("s3://Bucket")]
    [InlineData("s3://a..b")]
    [InlineData("s3://bucket/../other")]
    [InlineData("s3://bucket/prefix/")]
    [InlineData("s3://bucket?endpoint=file:///etc/passwd")]
    [InlineData("s3://bucket?endpoint=http://user:word@host")]
    [InlineData("s3://bucket?endpoint=http://host/path")]
    [InlineData("s3://bucket?endpoint=http://host?query=1")]
    [InlineData("s3://bucket?region=US")]
    [InlineData("s3://bucket?region=-")]
    [InlineData("s3://bucket?region=a--b")]
    [InlineData("s3://bucket--x-s3")]
    [InlineData("s3://bucket?reader=nokey")]
    [InlineData("s3://bucket?reader=key:%0a")]
    [InlineData("s3://bucket?other=1")]
    public void Anything_else_is_refused_with_a_sentence(string? text)
    {
        Assert.False(S3Address.TryParse(text, out var address, out var why));
        Assert.Null(address);
        Assert.NotEmpty(why);
    }

    [Fact]
    public void No_mutation_of_an_address_throws()
    {
        const string Good = "s3://bucket/prefix?endpoint=https://host:99&region=us-west-2&reader=KEY:secret";
        var random = new SeededRandom(1, "addresses", 0);
        for (var i = 0; i < 20_000; i++)
        {
            var letters = Good.ToCharArray();
            for (var changes = 0; changes < 3; changes++)
            {
                letters[(int)(random.NextUInt64() % (ulong)letters.Length)] = (char)(random.NextUInt64() % 128);
            }

            if (S3Address.TryParse(new string(letters), out var address, out _))
            {
                Assert.True(S3Address.TryParse(address.ToString(), out var again, out _));
                Assert.Equal(address, again);
            }
        }
    }

    [Fact]
    public void Secrets_are_not_shown_by_accident() => Assert.DoesNotContain("hush", new S3Credentials("KEY", "hush").ToString(), StringComparison.Ordinal);

    [Theory]
    [InlineData("127.0.0.1", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("172.16.0.1", false)]
    [InlineData("172.32.0.1", true)]
    [InlineData("192.168.1.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("8.8.8.8", true)]
    [InlineData("::1", false)]
    [InlineData("::", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fc00::1", false)]
    [InlineData("::ffff:127.0.0.1", false)]
    [InlineData("64:ff9b::7f00:1", false)]
    [InlineData("2002:7f00:1::", false)]
    [InlineData("2001:4860:4860::8888", true)]
    public void Private_hosts_are_known(string address, bool isPublic) => Assert.Equal(isPublic, PublicHosts.IsPublic(IPAddress.Parse(address)));
}
