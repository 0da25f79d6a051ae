namespace Cairn.Data;

/// <summary>Walks one struct in the compact protocol of Thrift without believing it: no list is longer than the bytes there are, nothing is nested deeper than a
/// little. Of its own fields the two are read that hold the sizes of a page (2 and 3); the rest is passed over.</summary>
/// <param name="file">Stands at the struct.</param>
/// <param name="bytesMax">It must end within so many bytes.</param>
internal sealed class ThriftWalk(Stream file, int bytesMax)
{
    private const int DepthMax = 16;

    /// <summary>Bytes passed.</summary>
    public int Read { get; private set; }

    /// <summary>Field 3 of the struct, or −1.</summary>
    public long Packed { get; private set; } = -1;

    /// <summary>Field 2 of the struct, or −1.</summary>
    public long Unpacked { get; private set; } = -1;

    /// <summary>Walks it.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Struct() => Struct(0, readsSizes: true);

    private void Struct(int depth, bool readsSizes)
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
                throw new InvalidDataException("its footer or the header of a page is damaged.");
        }
    }

    private void List(int depth)
    {
        var head = Byte();
        var count = head >> 4 == 15 ? Unsigned() : (ulong)(head >> 4);
        Require(count <= (ulong)(bytesMax - Read));
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

        throw new InvalidDataException("its footer or the header of a page is damaged.");
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
            throw new InvalidDataException("its footer or the header of a page is damaged.");
        }
    }
}
