using System.Globalization;
using Cairn.Base;

namespace Cairn.Node;

/// <summary>The most memory of this process that was in use at once since the gauge was set back, as the kernel counts it: resident pages of everything, the runtime,
/// its garbage and the program itself included.</summary>
internal static class MemoryGauge
{
    private const string Status = "/proc/self/status";
    private const string Reset = "/proc/self/clear_refs";
    private const string PeakOnly = "5";

    /// <summary>Begins anew: the peak is what is in use now.</summary>
    /// <exception cref="InputException">This system has no such count.</exception>
    public static void SetBack()
    {
        try
        {
            File.WriteAllText(Reset, PeakOnly);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"peak memory can only be measured where {Reset} is: on Linux, by the owner of the process ({e.Message})", e);
        }
    }

    /// <summary>The peak since then, in bytes.</summary>
    public static long Peak() => Read("VmHWM:");

    /// <summary>What is in use now, in bytes.</summary>
    public static long Now() => Read("VmRSS:");

    private static long Read(string field)
    {
        var line = File.ReadLines(Status).First(line => line.StartsWith(field, StringComparison.Ordinal));
        return 1024 * long.Parse(line.AsSpan(field.Length).Trim().ToString().Split(' ')[0], CultureInfo.InvariantCulture);
    }
}
