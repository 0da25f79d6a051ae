using Cairn.Base;

namespace Cairn.Compute.Tests;

/// <summary>Seeded inputs and comparisons.</summary>
internal static class Numbers
{
    public static float[] Normal(string purpose, int length, double deviation = 1)
    {
        var random = new SeededRandom(7, "kernels/" + purpose);
        var numbers = new float[length];
        for (var i = 0; i < length; i++)
        {
            numbers[i] = (float)(random.NextNormal() * deviation);
        }

        return numbers;
    }

    public static int[] Below(string purpose, int length, int bound)
    {
        var random = new SeededRandom(7, "kernels/" + purpose);
        var numbers = new int[length];
        for (var i = 0; i < length; i++)
        {
            numbers[i] = random.NextBelow(bound);
        }

        return numbers;
    }

    public static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        Assert.Equal(a.Length, b.Length);
        double sum = 0;
        for (var i = 0; i < a.Length; i++)
        {
            sum += (double)a[i] * b[i];
        }

        return sum;
    }

    /// <summary>x + h·direction.</summary>
    public static float[] Moved(float[] x, float[] direction, double h)
    {
        var moved = new float[x.Length];
        for (var i = 0; i < x.Length; i++)
        {
            moved[i] = (float)(x[i] + (h * direction[i]));
        }

        return moved;
    }

    /// <summary>Every element within <paramref name="tolerance"/> times the root mean square of the expected numbers (plus its own size).</summary>
    public static void Close(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double tolerance, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        var rms = Math.Sqrt(Dot(expected, expected) / expected.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            var allowed = tolerance * (rms + Math.Abs(expected[i]));
            Assert.True(
                Math.Abs(expected[i] - (double)actual[i]) <= allowed,
                $"{what}[{i}]: expected {expected[i]:R}, got {actual[i]:R}, allowed ±{allowed:E2}");
        }
    }
}
