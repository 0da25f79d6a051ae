using Cairn.Node;

namespace Cairn.Cli.Views;

/// <summary>What one node does, a line for each thing done.</summary>
internal sealed class NodeView(TextWriter output) : IRunView
{
    public void Prepare(string what) => output.WriteLine(what);

    public void Show(RunEvent happened)
    {
        if (LineOf(happened) is { } line)
        {
            output.WriteLine(line);
        }
    }

    public void Dispose() => output.Flush();

    private static string? LineOf(RunEvent happened) => happened switch
    {
        NodeStarted started =>
            $"{started.Node}, a {(started.Role == "Peer" ? "peer" : "validator")} of run {started.Run}, " +
            $"stands before round {started.Next + 1} of {started.Rounds}; rules {started.RulesDigest[..8]}" +
            (started.Health is { } health ? $"; health at {health}" : "") +
            (started.Needs is { } needs ? $"\ntakes at least {Size(needs.MemoryBytes)} of memory and {Size(needs.DiskBytes)} of disk" : ""),
        BeganFromCheckpoint began => $"begins from the checkpoint of round {began.Round + 1}",
        CheckpointRefused refused => $"does not begin from the checkpoint of round {refused.Round + 1}: {refused.Detail}",
        PeerTrained trained =>
            $"round {trained.Round + 1,4}  trained on {trained.Tokens:N0} tokens in {trained.Seconds:F1} s, loss {trained.FirstLoss:F3} → {trained.LastLoss:F3}",
        UpdatePublished sent =>
            $"round {sent.Round + 1,4}  put an update of {sent.Bytes / 1024.0:F1} KiB in the store, {sent.CompressionVsFp32:F0} times smaller than fp32",
        UpdatesJudged judged => $"round {judged.Round + 1,4}  judged {judged.Verdicts.Count}: " + string.Join(
            ", ", judged.Verdicts.Select(v => v.Reason == "None" ? $"{v.Peer} {v.Rating:F1}" : $"{v.Peer} refused ({v.Detail ?? v.Reason})")),
        RoundApplied applied => $"round {applied.Round + 1,4}  applied {applied.Members} {(applied.Members == 1 ? "update" : "updates")}, base {applied.BaseDigest[..8]}",
        LossEvaluated { Round: >= 0 } now => $"round {now.Round + 1,4}  held-out {now.Loss:F4} nats/token, {now.BitsPerByte:F3} bits/byte",
        LossEvaluated begin => $"before training  held-out {begin.Loss:F4} nats/token, {begin.BitsPerByte:F3} bits/byte",
        CheckpointSaved saved => $"round {saved.Round + 1,4}  checkpoint {saved.Digest[..8]} in {saved.Folder}",
        OperationRefused refused => $"the ledger refused {refused.Operation}: {refused.Reason}",
        DeltaNotPut lacking => $"could not store the mean of round {lacking.Round + 1}: {lacking.Detail}",
        UpdateLeftOut left => $"round {left.Round + 1,4}  was closed without this peer's update: {left.Reasons}",
        ChainDoesNotAnswer chain => $"waits for the chain: {chain.Detail}",
        StoreDoesNotAnswer silent => $"the own store does not take {silent.Key} yet: {silent.Detail}",
        RoundCannotBeHad missing => $"waits for what round {missing.Round + 1} needs: {missing.Detail}",
        ReplicaHalted halted => $"halted after round {halted.Round + 1}: its base is {halted.Own[..8]}, the quorum's {halted.Quorum[..8]}",
        _ => null,
    };

    private static string Size(long bytes) => bytes < 1_000_000_000 ? $"{bytes / 1e6:N0} MB" : $"{bytes / 1e9:N1} GB";
}
