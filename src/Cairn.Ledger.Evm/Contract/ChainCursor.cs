using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>How far a ledger's file follows the chain: a final place, and the height of the file after everything up to there. Kept beside the file; without it the
/// chain is read from the run's first block.</summary>
/// <param name="Place">Of the chain.</param>
/// <param name="Height">Of the file.</param>
public readonly record struct ChainCursor(ChainPlace Place, long Height)
{
    private const string Domain = "cairn/chain/cursor/2";
    private const int BytesMax = 256;

    /// <summary>Reads a cursor; null if there is none, or none that is whole: nothing is lost by that.</summary>
    /// <param name="path">The file.</param>
    /// <param name="run">Of which run.</param>
    public static ChainCursor? Read(string path, Digest run)
    {
        if (!File.Exists(path) || new FileInfo(path).Length > BytesMax)
        {
            return null;
        }

        var bytes = File.ReadAllBytes(path);
        var reader = new WireReader(bytes);
        var owner = reader.Digest();
        var place = new ChainPlace((ulong)reader.Int64(), reader.Digest(), new EventRecord((ulong)reader.Int64(), reader.Digest()));
        var cursor = new ChainCursor(place, reader.Int64());
        var length = reader.Position;
        return reader.Digest() == Digest.Of(Domain, bytes.AsSpan(0, length)) && reader.Complete && owner == run ? cursor : null;
    }

    /// <summary>Writes it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="run">Of which run.</param>
    public void Write(string path, Digest run)
    {
        var writer = new WireWriter();
        writer.Digest(run);
        writer.Int64((long)Place.Number);
        writer.Digest(Place.Hash);
        writer.Int64((long)Place.Record.Said);
        writer.Digest(Place.Record.Chained);
        writer.Int64(Height);
        writer.Digest(Digest.Of(Domain, writer.Written));
        DurableFile.Write(path, writer.ToArray());
    }
}
