using System.Text;
using Cairn.Base;
using Parquet;
using Parquet.Data;
using Parquet.Schema;

namespace Cairn.Data;

/// <summary>One column of text of a Parquet file, a row group at a time. Another's file: what it says of sizes is checked before memory is taken for it.</summary>
internal static class ParquetText
{
    private const int FooterBytesMax = 64 << 20;
    private const long ColumnBytesMax = 1L << 30;
    private const int RowsMax = 16 << 20;

    /// <summary>The texts of a column, in order; empty and missing ones are left out.</summary>
    /// <param name="path">The file.</param>
    /// <param name="column">The column's name.</param>
    /// <exception cref="InputException">While it is read: it is damaged, too large in a piece, or has no such column of text.</exception>
    public static IEnumerable<ReadOnlyMemory<byte>> Read(string path, string column)
    {
        using var file = OpenFile(path);
        var (reader, field) = Guarded(path, () => Open(path, file, column));
        try
        {
            for (var group = 0; group < reader.RowGroupCount; group++)
            {
                var at = group;
                using var texts = Guarded(path, () => ReadGroup(path, file, reader, field, at));
                for (var i = 0; i < texts.Values.Length; i++)
                {
                    if (texts.Values[i] is { Length: > 0 } text)
                    {
                        yield return StreamedText.Checked(path, Utf8Of(text.Span));
                    }
                }
            }
        }
        finally
        {
            reader.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private static FileStream OpenFile(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path} cannot be read: {e.Message} Give a Parquet file.", e);
        }
    }

    private static (ParquetReader Reader, DataField Field) Open(string path, FileStream file, string column)
    {
        var tail = new byte[8];
        if (file.Length < 12)
        {
            throw new InvalidDataException("it is too short.");
        }

        file.Position = file.Length - tail.Length;
        file.ReadExactly(tail);
        if (BitConverter.ToUInt32(tail) is var footer && (footer > FooterBytesMax || footer > file.Length - 12) || !tail.AsSpan(4).SequenceEqual("PAR1"u8))
        {
            throw new InvalidDataException("its footer is not one.");
        }

        ParquetPages.CheckFooter(file, file.Length - 8 - footer, (int)footer);
        file.Position = 0;
        var reader = ParquetReader.CreateAsync(file, leaveStreamOpen: true).GetAwaiter().GetResult();
        var field = reader.Schema.GetDataFields().FirstOrDefault(one => one.Path.ToString() == column);
        return field is { MaxRepetitionLevel: 0 } && field.ClrType == typeof(ReadOnlyMemory<char>)
            ? (reader, field)
            : throw new InputException(
                $"{path} has no column of text '{column}': name one of {string.Join(", ", reader.Schema.GetDataFields().Take(20).Select(one => one.Path.ToString()))}.");
    }

    // Of a dictionary's text all rows hold the same characters, and no copies: a file of a megabyte could ask for terabytes of those.
    private static RawColumnData<ReadOnlyMemory<char>> ReadGroup(string path, FileStream file, ParquetReader reader, DataField field, int group)
    {
        using var rows = reader.OpenRowGroupReader(group);
        var chunk = rows.GetMetadata(field)?.MetaData ?? throw new InvalidDataException("a row group lacks the column.");
        if (rows.RowCount is < 0 or > RowsMax || chunk.TotalUncompressedSize is < 0 or > ColumnBytesMax)
        {
            throw new InputException(
                $"{path} has a row group of {rows.RowCount:N0} rows and {chunk.TotalUncompressedSize:N0} bytes of text, and is read a row group at a time: " +
                $"write it anew with at most {ColumnBytesMax:N0} bytes in each.");
        }

        var start = chunk.DictionaryPageOffset is > 0 and var dictionary ? Math.Min(dictionary, chunk.DataPageOffset) : chunk.DataPageOffset;
        ParquetPages.Check(file, start, chunk.TotalCompressedSize, ColumnBytesMax);
        return (RawColumnData<ReadOnlyMemory<char>>)rows.ReadRawColumnDataBaseAsync(field).AsTask().GetAwaiter().GetResult();
    }

    private static byte[] Utf8Of(ReadOnlySpan<char> text)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(text)];
        Encoding.UTF8.GetBytes(text, bytes);
        return bytes;
    }

    // What a reader of others' bytes throws is the file's fault, whatever it is called; our own bug is none of these.
    private static T Guarded<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is not (InputException or InvariantViolation or OutOfMemoryException))
        {
            throw new InputException($"{path} is no Parquet file that can be read: {e.Message.TrimEnd('.')}. Fetch it again, or write it anew.", e);
        }
    }
}
