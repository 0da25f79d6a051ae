namespace Cairn.Data;

/// <summary>Walks the headers of the pages of a column before anybody unpacks them: no page may claim more than its column, and all together no more than is
/// allowed.</summary>
internal static class ParquetPages
{
    private const int HeaderBytesMax = 1 << 20;

    /// <summary>Checks that a footer is whole in itself: a reader that believes the counts of one that is not never ends.</summary>
    /// <param name="file">The file; its position is moved.</param>
    /// <param name="start">Where the footer begins.</param>
    /// <param name="length">How many bytes it has.</param>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static void CheckFooter(Stream file, long start, int length)
    {
        file.Position = start;
        var footer = new ThriftWalk(file, length);
        footer.Struct();
        if (footer.Read != length)
        {
            throw new InvalidDataException("its footer ends before its end.");
        }
    }

    /// <summary>Checks the pages of a column of a row group.</summary>
    /// <param name="file">The file; its position is moved.</param>
    /// <param name="start">Where the first page begins.</param>
    /// <param name="length">How many bytes all pages take, packed.</param>
    /// <param name="unpackedMax">The most that they may take unpacked.</param>
    /// <exception cref="InvalidDataException">They do not fit.</exception>
    public static void Check(Stream file, long start, long length, long unpackedMax)
    {
        if (start < 4 || length < 0 || start > file.Length - length)
        {
            throw new InvalidDataException("a column lies outside of the file.");
        }

        var left = unpackedMax;
        for (var at = start; at < start + length;)
        {
            file.Position = at;
            var header = new ThriftWalk(file, (int)Math.Min(HeaderBytesMax, start + length - at));
            header.Struct();
            if (header.Packed < 0 || header.Unpacked < 0 || header.Packed > start + length - at - header.Read || header.Unpacked > left)
            {
                throw new InvalidDataException("a page is larger than its column.");
            }

            left -= header.Unpacked;
            at += header.Read + header.Packed;
        }
    }
}
