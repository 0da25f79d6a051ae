using System.Buffers.Binary;
using Cairn.Base;

namespace Cairn.Formats.Tests;

/// <summary>Damages files at random, from a seed: single bytes, lengths that claim everything, cuts, and pieces that move.</summary>
internal static class Mutations
{
    /// <summary>How many of each kind of file; CAIRN_MUTATIONS multiplies it (20 makes a million of all).</summary>
    public static int Count(int usual) =>
        usual * (int.TryParse(Environment.GetEnvironmentVariable("CAIRN_MUTATIONS"), out var times) ? Math.Clamp(times, 1, 1000) : 1);

    /// <summary>Gives damaged copies of a file to its reader. Whatever it says, it must say it by an <see cref="InputException"/>, and take no more memory than allowed.</summary>
    /// <param name="file">A good file.</param>
    /// <param name="head">So many bytes at the beginning are what is damaged most.</param>
    /// <param name="count">How many copies.</param>
    /// <param name="bytesMax">The most that one attempt may allocate.</param>
    /// <param name="read">Reads a copy.</param>
    /// <returns>How many copies were read and not refused.</returns>
    public static int Try(byte[] file, int head, int count, long bytesMax, Action<byte[]> read)
    {
        var (random, passed) = (new SeededRandom(77, "mutations"), 0);
        for (var round = 0; round < count; round++)
        {
            var damaged = Damage(file, head, ref random);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                read(damaged);
                passed++;
            }
            catch (InputException)
            {
            }

            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, bytesMax);
        }

        return passed;
    }

    private static byte[] Damage(byte[] file, int head, ref SeededRandom random)
    {
        var bytes = (byte[])file.Clone();
        int Place(ref SeededRandom dice, int width) => dice.NextBelow(Math.Max(1, (dice.NextBelow(8) == 0 ? bytes.Length : Math.Min(head, bytes.Length)) - width));
        switch (random.NextBelow(6))
        {
            case 0:
                bytes = bytes[..random.NextBelow(bytes.Length)];
                break;
            case 1 when bytes.Length > 8:
                ulong[] claims = [0, 1, 255, 1 << 20, int.MaxValue, uint.MaxValue, long.MaxValue, ulong.MaxValue, (ulong)bytes.Length];
                BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(Place(ref random, 8)), claims[random.NextBelow(claims.Length)]);
                break;
            case 2:
                var (from, to) = (Place(ref random, 16), Place(ref random, 16));
                bytes.AsSpan(from, Math.Min(16, bytes.Length - from)).ToArray().AsSpan(0, Math.Min(16, bytes.Length - Math.Max(from, to))).CopyTo(bytes.AsSpan(to));
                break;
            case 3:
                var at = Place(ref random, 1);
                bytes = [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + 1 + random.NextBelow(9))..]];
                break;
            default:
                for (var left = random.NextBelow(3); left >= 0; left--)
                {
                    bytes[Place(ref random, 1)] = (byte)random.NextBelow(256);
                }

                break;
        }

        return bytes;
    }
}
