using Cairn.Base;

namespace Cairn.Data;

/// <summary>Walks the headers of the pages of a column before anybody unpacks them: no page may claim more than its column, and all together no more than is
/// allowed.</summary>
/// <remarks>A header is a struct in the compact protocol of Thrift, of which only the two sizes (fields 2 and 3) are read and the rest is passed over.</remarks>
internal static class ParquetPages
{
    private const int HeaderBytesMax = 1 << 20;
    private const int DepthMax = 16;

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
            var header = new Header(file, (int)Math.Min(HeaderBytesMax, start + length - at));
            header.Struct(0, readsSizes: true);
            if (header.Packed < 0 || header.Unpacked < 0 || header.Packed > start + length - at - header.Read || header.Unpacked > left)
            {
                throw new InvalidDataException("a page is larger than its column.");
            }

            left -= header.Unpacked;
            at += header.Read + header.Packed;
        }
    }

    private sealed class Header(Stream file, int bytesMax)
    {
        public int Read { get; private set; }

        public long Packed { get; private set; } = -1;

        public long Unpacked { get; private set; } = -1;

        public void Struct(int depth, bool readsSizes)
        {
            Require(depth < DepthMax);
            for (var field = 0L; ;)
            {
                var head = Byte();
                if (head == 0)
                {
                    return;
                }

                field = head >> 4 == 0 ? Integer() : field + (head >> 4);
                if (readsSizes && field is 2 or 3 && (head & 15) == 5)
                {
                    var size = Integer();
                    (Unpacked, Packed) = field == 2 ? (size, Packed) : (Unpacked, size);
                }
                else
                {
                    Skip(head & 15, depth, inList: false);
                }
            }
        }

        private void Skip(int type, int depth, bool inList)
        {
            Require(depth < DepthMax);
            switch (type)
            {
                case 1 or 2 when !inList:
                    return; // a truth value stands in the head of its field
                case 1 or 2 or 3:
                    Byte();
                    return;
                case 4 or 5 or 6:
                    Integer();
                    return;
                case 7:
                    Pass(8);
                    return;
                case 8:
                    Pass((long)Unsigned());
                    return;
                case 9 or 10:
                    List(depth + 1);
                    return;
                case 12:
                    Struct(depth + 1, readsSizes: false);
                    return;
                default:
                    throw new InvalidDataException("the header of a page is damaged.");
            }
        }

        private void List(int depth)
        {
            var head = Byte();
            var count = head >> 4 == 15 ? Unsigned() : (ulong)(head >> 4);
            Require(count <= (ulong)bytesMax);
            for (var i = 0UL; i < count; i++)
            {
                Skip(head & 15, depth, inList: true);
            }
        }

        private void Pass(long bytes)
        {
            Require(bytes >= 0 && bytes <= bytesMax - Read);
            file.Seek(bytes, SeekOrigin.Current);
            Read += (int)bytes;
        }

        private long Integer()
        {
            var zigzag = Unsigned();
            return (long)(zigzag >> 1) ^ -(long)(zigzag & 1);
        }

        private ulong Unsigned()
        {
            var value = 0UL;
            for (var shift = 0; shift < 64; shift += 7)
            {
                var part = Byte();
                value |= (ulong)(part & 127) << shift;
                if (part < 128)
                {
                    return value;
                }
            }

            throw new InvalidDataException("the header of a page is damaged.");
        }

        private int Byte()
        {
            Require(Read < bytesMax);
            Read++;
            var value = file.ReadByte();
            Require(value >= 0);
            return value;
        }

        private static void Require(bool holds)
        {
            if (!holds)
            {
                throw new InvalidDataException("the header of a page is damaged.");
            }
        }
    }
}
