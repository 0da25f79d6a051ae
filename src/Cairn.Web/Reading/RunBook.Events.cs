using System.Text.Json;
using Cairn.Ledger;

namespace Cairn.Web;

internal sealed partial class RunBook
{
    private const int PeersMax = 4096;
    private readonly Dictionary<string, int> _uids = new(StringComparer.Ordinal);

    /// <summary>Takes note of a line of the event log.</summary>
    public void See(EventLine line)
    {
        Version++;
        if (LastLine is null || line.Time > LastLine)
        {
            LastLine = line.Time;
            LastSign = LastSign > line.Time ? LastSign : line.Time;
        }

        var (data, round) = (line.Data, line.Data.Whole("round"));
        switch (line.Kind)
        {
            case "stage" when round is { } number && Enum.TryParse<Stage>(data.Text("stage"), out var stage) && Enum.IsDefined(stage):
                SeeStage(number, stage, line.Time);
                break;
            case "trained":
                SeeTrained(data, round);
                break;
            case "published":
                Compression = data.Number("compressionVsFp32") ?? Compression;
                break;
            case "judged" when round is { } number:
                SeeJudged(line, number);
                break;
            case "evaluated" when round is { } number && data.Number("loss") is { } loss && data.Number("bitsPerByte") is { } bits:
                Curve.Add(new CurvePoint(number, Math.Max(0, data.Long("tokens") ?? 0), loss, bits));
                if (Open(number) is { } row)
                {
                    (row.Loss, row.BitsPerByte) = (loss, bits);
                }

                break;
            case "sampled" when round is { } number && data.Text("text") is { } text:
                SeeText(new SampledText(number, text));
                break;
            default:
                if (EventNotes.Of(line) is { } note)
                {
                    Add(note);
                }

                break;
        }
    }

    /// <summary>The member of a name that its node calls itself by, or null. Names are not unique: the first has it.</summary>
    public int? UidOf(string? name)
    {
        if (name is null)
        {
            return null;
        }

        if (!_uids.TryGetValue(name, out var uid))
        {
            uid = State.Members.FirstOrDefault(member => member.Name == name)?.Uid.Value ?? -1;
            if (uid < 0)
            {
                return null;
            }

            _uids.Add(name, uid);
        }

        return uid;
    }

    private void SeeStage(int number, Stage stage, DateTimeOffset time)
    {
        // The line was written when it happened; a block is seen a moment later.
        if (Open(number) is not { } row)
        {
            return;
        }

        if (row.Began[(int)stage] is not { } known || time < known)
        {
            row.Began[(int)stage] = time;
        }

        var ended = stage == Stage.Finished ? row : stage == Stage.Commit ? Round(number - 1) : null;
        if (ended is not null && (ended.Ended is not { } end || time < end))
        {
            ended.Ended = time;
        }
    }

    private void SeeTrained(JsonElement data, int? round)
    {
        if (UidOf(data.Text("node")) is not { } uid || round is not { } number)
        {
            return;
        }

        var (peer, loss) = (Peer(uid), data.Number("lastLoss"));
        peer.TrainLoss = loss ?? peer.TrainLoss;
        peer.In(number, now => now with { TrainLoss = loss });
        if (Open(number) is { } row && data.Number("seconds") is > 0 and var seconds)
        {
            row.Computing += seconds;
        }
    }

    private void SeeJudged(EventLine line, int number)
    {
        if (Open(number) is { } row && row.Judged.Count < PeersMax)
        {
            row.Judged.Add(line.Place);
        }

        foreach (var verdict in line.Data.Items("verdicts", PeersMax))
        {
            if (verdict.Whole("uid") is not (>= 0 and var uid) || uid >= State.Members.Count)
            {
                continue;
            }

            var (rating, score, peer) = (verdict.Number("rating"), verdict.Number("score"), Peer(uid));
            peer.Rating = rating ?? peer.Rating;
            peer.Score = score ?? peer.Score;
            peer.Work = verdict.Number("work") ?? peer.Work;
            peer.In(number, now => now with { Rating = rating ?? now.Rating, Score = score ?? now.Score });
        }
    }

    private void SeeText(SampledText text)
    {
        Texts.RemoveAll(known => known.Round >= text.Round);
        Texts.Add(text);
        TextsSeen++;
        if (Texts.Count > TextsKept)
        {
            // The first stays: it is what the others are compared with.
            Texts.RemoveAt(1);
        }
    }
}
