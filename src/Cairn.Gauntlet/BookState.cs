using Cairn.Base;

namespace Cairn.Gauntlet;

/// <summary>The bytes of a <see cref="PeerBook"/>, exact to the bit, for the durable state of a validator. Local to a node; no other reads
/// them.</summary>
public static class BookState
{
    private const int Version = 7;
    private const int PeersMax = 1_000_000;
    private const int BytesEach = (4 * 7) + (4 * PeerRecord.ReasonCount) + (3 * 8) + (6 * 8) + 5;

    /// <summary>Writes a book.</summary>
    /// <param name="book">The book.</param>
    /// <param name="writer">Takes the bytes.</param>
    public static void Write(PeerBook book, WireWriter writer)
    {
        writer.Int32(Version);
        writer.Int32(book.Records.Count);
        foreach (var record in book.Records)
        {
            writer.Int32(record.Uid.Value);
            writer.Int32(record.FirstRound.Number);
            writer.Int32(record.LastRound.Number);
            writer.Int32(record.RoundsPresent);
            foreach (var count in record.Reasons)
            {
                writer.Int32(count);
            }

            writer.Int64(record.SamplesSinceSettle);
            writer.Int64(record.CreditSinceSettle);
            writer.Int64(record.Waiting);
            writer.Byte(record.IsTold ? (byte)1 : (byte)0);
            writer.Double(record.Work);
            writer.Int32(record.WorkCount);
            writer.Double(record.Rating.Mu);
            writer.Double(record.Rating.Sigma);
            writer.Double(record.Indicator);
            writer.Int32(record.ProbeCount);
            writer.Int32(record.NegativeBits);
            writer.Double(record.LastScores.Assigned);
            writer.Double(record.LastScores.HeldBack);
            writer.Int32(record.Clearness.Count);
            foreach (var clearness in record.Clearness)
            {
                writer.Double(clearness.Errors);
                writer.Double(clearness.Size);
            }
        }
    }

    /// <summary>Reads a book; any fault marks the reader and gives null.</summary>
    /// <param name="reader">From a file that may be damaged.</param>
    /// <returns>The book, or null if the bytes are out of form.</returns>
    public static PeerBook? Read(ref WireReader reader)
    {
        if (reader.Int32() != Version)
        {
            reader.Fail();
        }

        var records = new PeerRecord[reader.Count(PeersMax, BytesEach)];
        var last = -1;
        for (var i = 0; i < records.Length; i++)
        {
            records[i] = ReadRecord(ref reader);
            if (records[i].Uid.Value <= last || !IsInForm(records[i]))
            {
                reader.Fail();
                return null;
            }

            last = records[i].Uid.Value;
        }

        return reader.Ok ? new PeerBook(records) : null;
    }

    private static PeerRecord ReadRecord(ref WireReader reader)
    {
        var (uid, first, last, present) = (reader.Int32(), reader.Int32(), reader.Int32(), reader.Int32());
        var reasons = new int[PeerRecord.ReasonCount];
        for (var i = 0; i < reasons.Length; i++)
        {
            reasons[i] = reader.Int32();
        }

        return new PeerRecord
        {
            Uid = new Uid(uid),
            FirstRound = new Round(first),
            LastRound = new Round(last),
            RoundsPresent = present,
            Reasons = reasons,
            SamplesSinceSettle = reader.Int64(),
            CreditSinceSettle = reader.Int64(),
            Waiting = reader.Int64(),
            IsTold = ReadFlag(ref reader),
            Work = reader.Double(),
            WorkCount = reader.Int32(),
            Rating = new Rating(reader.Double(), reader.Double()),
            Indicator = reader.Double(),
            ProbeCount = reader.Int32(),
            NegativeBits = reader.Int32(),
            LastScores = (reader.Double(), reader.Double()),
            Clearness = ReadClearness(ref reader),
        };
    }

    private static bool ReadFlag(ref WireReader reader)
    {
        var flag = reader.Byte();
        if (flag > 1)
        {
            reader.Fail();
        }

        return flag == 1;
    }

    private static Clearness[] ReadClearness(ref WireReader reader)
    {
        var clearness = new Clearness[reader.Count(WorkShare.Remembered, 16)];
        for (var i = 0; i < clearness.Length; i++)
        {
            clearness[i] = new Clearness(reader.Double(), reader.Double());
        }

        return clearness;
    }

    private static bool IsInForm(PeerRecord record) =>
        record.FirstRound.Number >= 0 && record.LastRound >= record.FirstRound && record.RoundsPresent >= 0
        && record.Reasons.All(count => count >= 0) && record.SamplesSinceSettle >= 0 && record.CreditSinceSettle >= 0 && record.Waiting >= 0
        && record.Work is >= 0 and <= 1 && record.WorkCount is >= 0 and <= PeerRecord.ProbesKept
        && double.IsFinite(record.Rating.Mu) && record.Rating.Sigma > 0 && double.IsFinite(record.Rating.Sigma)
        && Math.Abs(record.Indicator) <= 1
        && record.ProbeCount is >= 0 and <= PeerRecord.ProbesKept && record.NegativeBits is >= 0 and < 1 << PeerRecord.ProbesKept
        && record.Clearness.All(one => one.Errors is >= PeerRecord.ClearnessMin and <= PeerRecord.ClearnessMax && one.Size > 0 && double.IsFinite(one.Size))
        && !double.IsNaN(record.LastScores.Assigned) && !double.IsNaN(record.LastScores.HeldBack);
}
