using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cairn.Node;

/// <summary>One row of the table: a method at one H, over its seeds.</summary>
/// <param name="Method">Which method.</param>
/// <param name="H">Inner steps per round; null for a method that communicates every step.</param>
/// <param name="OuterSteps">Communications of a cell.</param>
/// <param name="Seeds">How many seeds.</param>
/// <param name="Loss">Mean of the final held-out losses, nats per token; NaN if a cell diverged.</param>
/// <param name="LossError">Standard error of that mean; null with one seed.</param>
/// <param name="BytesPerRound">What one peer sends in one round.</param>
/// <param name="BytesPerPeer">What one peer sends in all.</param>
/// <param name="RatioToDense">How many times smaller that is than the fp32 parameters sent as often.</param>
public sealed record LabRow(
    string Method, int? H, int OuterSteps, int Seeds, double Loss, double? LossError, double BytesPerRound, double BytesPerPeer, double RatioToDense);

/// <summary>Two methods at one H, seed by seed.</summary>
/// <param name="First">The method whose word it is about.</param>
/// <param name="Second">What it is compared with.</param>
/// <param name="H">Inner steps per round.</param>
/// <param name="Seeds">Seeds that both have.</param>
/// <param name="Difference">Mean over seeds of first minus second, nats per token: below 0 the first is ahead.</param>
/// <param name="Error">Standard error of that mean; null with one seed.</param>
/// <param name="Verdict">"ahead", "behind", or "even within the error": 0 lies in the 95 % interval of Student's t; on one seed it says so.</param>
/// <param name="Sentence">The same in words.</param>
public sealed record LabComparison(string First, string Second, int H, int Seeds, double Difference, double? Error, string Verdict, string Sentence);

/// <summary>One cell, for whoever wants to compute with it.</summary>
/// <param name="Method">Which method.</param>
/// <param name="H">Inner steps per round.</param>
/// <param name="Seed">Which seed.</param>
/// <param name="Loss">Final held-out loss, nats per token.</param>
/// <param name="BitsPerByte">The same in bits per byte.</param>
/// <param name="BytesPerPeer">What one peer sent in all.</param>
/// <param name="Base">Digest of the parameters at the end.</param>
/// <param name="Curve">Held-out loss over tokens.</param>
public sealed record LabCellReport(
    string Method, int? H, ulong Seed, double Loss, double BitsPerByte, double BytesPerPeer, string Base, IReadOnlyList<CurvePoint> Curve);

/// <summary>A method's line in the legend.</summary>
/// <param name="Name">As in the rows.</param>
/// <param name="Text">What it does.</param>
public sealed record LabLegend(string Name, string Text);

/// <summary>Everything that a finished grid says. The same settings give the same bytes: no time and no machine stands in it.</summary>
/// <param name="Version">Of the methods' code.</param>
/// <param name="Preset">The model.</param>
/// <param name="Parameters">How many numbers it has.</param>
/// <param name="Data">Digest of the data set.</param>
/// <param name="Peers">Peers.</param>
/// <param name="Batch">Sequences per peer and inner step.</param>
/// <param name="Context">Tokens per sequence.</param>
/// <param name="Steps">Inner steps of every peer in every cell.</param>
/// <param name="Tokens">Tokens of every cell.</param>
/// <param name="PeakRate">Inner learning rate after warm-up.</param>
/// <param name="HeldOutSamples">Samples of the final loss.</param>
/// <param name="Methods">The legend.</param>
/// <param name="Rows">The table.</param>
/// <param name="Comparisons">In words.</param>
/// <param name="Cells">All cells.</param>
public sealed record LabReport(
    int Version, string Preset, long Parameters, string Data, int Peers, int Batch, int Context, int Steps, long Tokens, double PeakRate, int HeldOutSamples,
    IReadOnlyList<LabLegend> Methods, IReadOnlyList<LabRow> Rows, IReadOnlyList<LabComparison> Comparisons, IReadOnlyList<LabCellReport> Cells)
{
    /// <summary>Indented JSON: results.json.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, LabJson.Default.LabReport);

    /// <summary>One line of JSON, for programs.</summary>
    public string ToJsonLine() => JsonSerializer.Serialize(this, LabJsonLine.Default.LabReport);
}

[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(LabReport))]
internal sealed partial class LabJson : JsonSerializerContext;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(LabReport))]
internal sealed partial class LabJsonLine : JsonSerializerContext;
