namespace Cairn.Web;

/// <summary>Which events people should know of although nothing else shows them, in words.</summary>
internal static class EventNotes
{
    /// <summary>What there is to say of an event, or null.</summary>
    public static Note? Of(EventLine line)
    {
        var (data, detail) = (line.Data, line.Data.Text("detail"));
        var said = line.Kind switch
        {
            "run-started" => data.Flag("resumed") ? "a process goes on with the run" : "the run begins",
            "node-started" => $"begins as a {data.Text("role")?.ToLowerInvariant() ?? "node"}",
            "checkpoint" => $"checkpoint {Short(data.Text("digest"))} is in the store",
            "refused" => $"the ledger refused its {data.Text("operation")?.ToLowerInvariant()}: {data.Text("reason")}",
            "delta-not-put" => $"could not store the mean of the round: {detail}",
            "chain-does-not-answer" => $"waits for the chain: {detail}",
            "store-does-not-answer" => $"its store does not take {data.Text("key")} yet: {detail}",
            "round-cannot-be-had" => $"waits for what the round needs: {detail}",
            "began-from-checkpoint" => "begins from the checkpoint of the round",
            "checkpoint-refused" => $"did not begin from the checkpoint of the round: {detail}",
            "left-out" => $"its update is not in the manifest: {data.Text("reasons")}",
            "stage-waits" => $"nothing for {data.Number("seconds") ?? 0:F0} s in {data.Text("stage")?.ToLowerInvariant()}",
            "halted" => $"halted: its base is {Short(data.Text("own"))}, the quorum's {Short(data.Text("quorum"))}",
            "run-finished" => data.Flag("finished") ? "the run is over" : "the process stops; the run can go on",
            _ => null,
        };
        return said is null ? null : new Note(line.Time, data.Whole("round"), data.Text("node"), said);
    }

    private static string Short(string? digest) => digest is { Length: >= 8 } ? digest[..8] : digest ?? "?";
}
