using System.Diagnostics;
using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Sparse.Tests;

/// <summary>The same bits with every vector width: bytes of updates, what is decoded of them, and every mean, computed again in child processes of this test
/// program with instruction sets switched off.</summary>
public sealed class WidthTests
{
    // Set in a child only: where to write what it computed.
    private const string ReportVariable = "CAIRN_SPARSE_REPORT";

    [Theory]
    [InlineData("DOTNET_EnableAVX512")]
    [InlineData("DOTNET_EnableAVX2")]
    [InlineData("DOTNET_EnableAVX")]
    [InlineData("DOTNET_EnableHWIntrinsic")]
    public void Fewer_instruction_sets_give_the_same_bits(string switchedOff)
    {
        var report = Path.GetTempFileName();
        try
        {
            var start = new ProcessStartInfo("dotnet")
            {
                ArgumentList = { typeof(WidthTests).Assembly.Location, "-method", $"{typeof(WidthTests).FullName}.{nameof(A_child_reports_what_it_computed)}" },
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            start.Environment[switchedOff] = "0";
            start.Environment[ReportVariable] = report;
            Run(start);
            Assert.Equal(Computed(), File.ReadAllText(report));
        }
        finally
        {
            File.Delete(report);
        }
    }

    private static void Run(ProcessStartInfo start)
    {
        using var child = Process.Start(start)!;
        var errors = child.StandardError.ReadToEndAsync();
        var output = child.StandardOutput.ReadToEnd();
        Assert.True(child.WaitForExit(120_000), "the child did not end");
        Assert.True(child.ExitCode == 0, output + errors.Result);
    }

    [Fact]
    public void A_child_reports_what_it_computed()
    {
        if (Environment.GetEnvironmentVariable(ReportVariable) is { } path)
        {
            File.WriteAllText(path, Computed());
        }
    }

    private static string Computed()
    {
        using var hasher = new Hasher("test/widths");
        foreach (var (quantizer, mode) in from q in Enum.GetValues<QuantizerKind>() from m in Enum.GetValues<WireMode>() select (q, m))
        {
            var codec = new SparseUpdateCodec(TestData.Mixed, new UpdateFormat(quantizer, mode));
            var decoded = new List<Contribution>();
            for (var uid = 0; uid < 5; uid++)
            {
                var bytes = codec.Encode(TestData.Update(TestData.Mixed, "width" + uid, uid, quantizer));
                hasher.Append(bytes);
                Assert.True(codec.TryDecode(bytes, TestData.Rules, TestData.Round, new Uid(uid), out var update, out _));
                decoded.Add(new Contribution(update!, 3 + uid));
            }

            foreach (var rule in Enum.GetValues<AggregationRule>())
            {
                using var aggregator = new Aggregator(TestData.Mixed, new Aggregation(rule, Clip: true, Tolerated: 1));
                aggregator.Aggregate(decoded, (_, mean, _) => hasher.Append(MemoryMarshal.AsBytes(mean)));
            }
        }

        return hasher.Finish().ToString();
    }
}
