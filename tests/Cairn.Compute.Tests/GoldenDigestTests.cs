using System.Diagnostics;
using System.Runtime.Intrinsics.X86;

namespace Cairn.Compute.Tests;

/// <summary>Same inputs, same bits: in this process, and in child processes of this test program with instruction sets switched off.</summary>
public sealed class GoldenDigestTests
{
    // Set in a child only: where to write what it computed.
    private const string ReportVariable = "CAIRN_GOLDEN_REPORT";

    private static string InstructionSets => $"avx512 {Avx512F.IsSupported}, avx2 {Avx2.IsSupported}, fma {Fma.IsSupported}, avx {Avx.IsSupported}";

    public static TheoryData<string> Names => [.. GoldenDigests.All.Select(golden => golden.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_golden_result_has_its_bits(string name)
    {
        var golden = GoldenDigests.All.Single(candidate => candidate.Name == name);
        Assert.Equal(golden.Expected, golden.Compute().ToString());
    }

    [Theory]
    [InlineData("DOTNET_EnableAVX512", "avx512 False, avx2 True, fma True, avx True")]
    [InlineData("DOTNET_EnableAVX2", "avx512 False, avx2 False, fma False, avx True")]
    [InlineData("DOTNET_EnableAVX", "avx512 False, avx2 False, fma False, avx False")]
    [InlineData("DOTNET_EnableHWIntrinsic", "avx512 False, avx2 False, fma False, avx False")]
    public void Fewer_instruction_sets_give_the_same_bits(string switchedOff, string expectedSets)
    {
        Assert.SkipUnless(Avx512F.IsSupported, "this processor has no AVX-512 to switch off");
        var report = Path.GetTempFileName();
        try
        {
            RunChild(switchedOff, report);
            var lines = File.ReadAllLines(report);
            Assert.Equal(expectedSets, lines[0]);
            Assert.Equal(GoldenDigests.All.Select(golden => $"{golden.Name}: {golden.Expected}"), lines.Skip(1));
        }
        finally
        {
            File.Delete(report);
        }
    }

    [Fact]
    public void A_child_reports_what_it_computed()
    {
        if (Environment.GetEnvironmentVariable(ReportVariable) is { } path)
        {
            File.WriteAllLines(path, GoldenDigests.All.Select(golden => $"{golden.Name}: {golden.Compute()}").Prepend(InstructionSets));
        }
    }

    private static void RunChild(string switchedOff, string report)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList =
            {
                typeof(GoldenDigestTests).Assembly.Location, "-method", $"{typeof(GoldenDigestTests).FullName}.{nameof(A_child_reports_what_it_computed)}",
            },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[switchedOff] = "0";
        start.Environment[ReportVariable] = report;
        using var child = Process.Start(start)!;
        var errors = child.StandardError.ReadToEndAsync();
        var output = child.StandardOutput.ReadToEnd();
        Assert.True(child.WaitForExit(120_000), "the child did not end");
        Assert.True(child.ExitCode == 0, output + errors.Result);
    }
}
