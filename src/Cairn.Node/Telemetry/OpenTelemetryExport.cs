using System.Diagnostics;
using System.Diagnostics.Metrics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Cairn.Node;

/// <summary>Sends a node's metrics and a span for everything that it does to a collector, over OTLP, where the standard variables name one
/// (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL, …).</summary>
internal sealed class OpenTelemetryExport : IDisposable
{
    /// <summary>The variable that turns it on.</summary>
    public const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private const string Name = "Cairn.Node";
    private readonly Meter _meter = new(Name);
    private readonly MeterProvider _metrics;
    private readonly TracerProvider _traces;

    private OpenTelemetryExport(StatusBoard board)
    {
        var now = board.Now;
        var resource = ResourceBuilder.CreateDefault().AddService("cairn", serviceInstanceId: now.Name)
            .AddAttributes([new("cairn.run", now.Run), new("cairn.role", now.Role.ToLowerInvariant())]);
        _meter.CreateObservableGauge("cairn.round", () => board.Now.Round, description: "The round that the ledger is in.");
        _meter.CreateObservableGauge("cairn.rounds.applied", () => board.Now.Applied, description: "Rounds that this node has applied.");
        _meter.CreateObservableGauge("cairn.waiting", () => board.Waiting, unit: "s", description: "Since what the node waits for last changed.");
        _meter.CreateObservableGauge("cairn.ready", () => board.Now.IsReady ? 1 : 0, description: "1 if the node takes part.");
        _meter.CreateObservableGauge("cairn.utilisation", () => board.Now.Utilisation ?? 0, description: "Part of the time in which a peer had inner steps to do.");
        _meter.CreateObservableCounter("cairn.updates.published", () => board.Counts.Updates, description: "Updates put in the store.");
        _meter.CreateObservableCounter("cairn.updates.bytes", () => board.Counts.UpdateBytes, unit: "By", description: "Bytes of them.");
        _meter.CreateObservableCounter("cairn.store.troubles", () => board.Counts.StoreTroubles, description: "Times that a store failed.");
        _metrics = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter(Name).AddOtlpExporter().Build();
        _traces = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(Name).AddOtlpExporter().Build();
    }

    /// <summary>Where spans begin; without a collector it costs nothing.</summary>
    public static ActivitySource Source { get; } = new(Name);

    /// <summary>Begins, if a collector is named.</summary>
    /// <param name="board">The node's status.</param>
    public static OpenTelemetryExport? StartIfConfigured(StatusBoard board) =>
        Environment.GetEnvironmentVariable(EndpointVariable) is { Length: > 0 } ? new OpenTelemetryExport(board) : null;

    /// <summary>Sends what is left, and ends.</summary>
    public void Dispose()
    {
        _metrics.Dispose();
        _traces.Dispose();
        _meter.Dispose();
    }
}
