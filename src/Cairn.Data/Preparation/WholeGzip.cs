using System.IO.Compression;
using System.Security.Cryptography;
using Cairn.Base;

namespace Cairn.Data;

/// <summary>Unpacks gzip and says so where it was cut off or where something follows its end: the platform's reader takes both for an end.</summary>
/// <remarks>A member of known content is put behind the file. Only if every member before it was whole does what is unpacked end with that content.</remarks>
/// <param name="file">One member or several; closed with this.</param>
internal sealed class WholeGzip(Stream file)
    : ReadingStream(new GZipStream(new Chained(file, new MemoryStream(PackedMark())), CompressionMode.Decompress))
{
    private static readonly byte[] Mark = SHA256.HashData("cairn/gzip/end"u8);
    private readonly byte[] _ahead = new byte[1 << 16];
    private int _start;
    private int _end;
    private bool _ended;

    /// <inheritdoc/>
    /// <exception cref="InvalidDataException">It is damaged, cut off, or something follows it.</exception>
    public override int Read(Span<byte> buffer)
    {
        // The last bytes are held back until it is known that they are not the mark.
        while (_end - _start <= Mark.Length && !_ended)
        {
            _ahead.AsSpan(_start, _end - _start).CopyTo(_ahead);
            (_start, _end) = (0, _end - _start);
            var got = Inner.Read(_ahead, _end, _ahead.Length - _end);
            (_end, _ended) = (_end + got, got == 0);
        }

        if (_ended && !_ahead.AsSpan(_start, _end - _start).EndsWith(Mark))
        {
            throw new InvalidDataException("it was cut off, or something that is no gzip follows it.");
        }

        var count = Math.Min(buffer.Length, _end - _start - Mark.Length);
        _ahead.AsSpan(_start, count).CopyTo(buffer);
        _start += count;
        return count;
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    private static byte[] PackedMark()
    {
        using var packed = new MemoryStream();
        using (var packing = new GZipStream(packed, CompressionLevel.NoCompression, leaveOpen: true))
        {
            packing.Write(Mark);
        }

        return packed.ToArray();
    }

    /// <summary>One stream, then another.</summary>
    private sealed class Chained(Stream first, MemoryStream second) : ReadingStream(first)
    {
        public override int Read(Span<byte> buffer) => Inner.Read(buffer) is > 0 and var got ? got : second.Read(buffer);

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
    }
}
