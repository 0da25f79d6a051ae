using Cairn.Node;

namespace Cairn.Cli.Views;

/// <summary>A line per round: for logs and pipes.</summary>
internal sealed class PlainView(TextWriter output) : IRunView
{
    private readonly RunProgress _progress = new();

    public void Prepare(string what) => output.WriteLine(what);

    public void Show(RunEvent happened)
    {
        _progress.Observe(happened);
        switch (happened)
        {
            case RunStarted started:
                output.WriteLine(
                    $"{(started.Resumed ? "going on with" : "starting")} run {started.Run}: {started.Peers} peers, " +
                    $"{started.Validators} {(started.Validators == 1 ? "validator" : "validators")}, " +
                    $"{started.Parameters:N0} parameters, {started.Rounds} rounds, rules {started.RulesDigest[..8]}");
                break;
            case LossEvaluated evaluated:
                output.WriteLine(Line(evaluated));
                break;
            case UpdatesJudged judged:
                foreach (var verdict in judged.Verdicts.Where(v => v.Reason != "None"))
                {
                    output.WriteLine($"  {judged.Node} refused {verdict.Peer}: {verdict.Reason}{(verdict.Detail is null ? "" : $" ({verdict.Detail})")}");
                }

                break;
            case OperationRefused said:
                output.WriteLine($"  the ledger refused {said.Operation} of {said.Node}: {said.Reason}");
                break;
            case DeltaNotPut lacking:
                output.WriteLine($"  {lacking.Node} could not store the mean of round {lacking.Round}: {lacking.Detail}");
                break;
            case BeganFromCheckpoint began:
                output.WriteLine($"  {began.Node} has no state that it could go on from and begins from the checkpoint of round {began.Round}");
                break;
            case CheckpointRefused refused:
                output.WriteLine($"  {refused.Node} does not begin from the checkpoint of round {refused.Round}: {refused.Detail}");
                break;
            case ReplicaHalted halted:
                output.WriteLine($"  {halted.Node} halted after round {halted.Round}: its base is {halted.Own[..8]}, the quorum's {halted.Quorum[..8]}");
                break;
            default:
                break;
        }
    }

    public void Dispose() => output.Flush();

    private string Line(LossEvaluated now)
    {
        var rounds = _progress.Started?.Rounds ?? 0;
        var head = $"round {now.Round + 1,4}/{rounds}  held-out {now.Loss:F4} nats/token  {now.BitsPerByte:F3} bits/byte";
        if (now.Round < 0)
        {
            return head + "  (before training)";
        }

        var bytes = _progress.Peers.Count == 0 ? 0 : _progress.Peers.Average(p => p.Bytes);
        return $"{head}  {_progress.TokensPerSecond,8:N0} tokens/s  {bytes / 1024:F1} KiB per peer ({_progress.Compression:F0}x smaller)  " +
            string.Join(" ", _progress.Peers.Select(p => $"{p.Name}:{p.Rating:F1}"));
    }
}
