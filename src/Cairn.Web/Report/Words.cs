using System.Globalization;

namespace Cairn.Web;

/// <summary>Numbers as people read them.</summary>
internal static class Words
{
    /// <summary>A large number, shortened.</summary>
    public static string Short(double value) => Math.Abs(value) switch
    {
        >= 1e9 => (value / 1e9).ToString("0.##", CultureInfo.InvariantCulture) + " B",
        >= 1e6 => (value / 1e6).ToString("0.##", CultureInfo.InvariantCulture) + " M",
        >= 1e4 => (value / 1e3).ToString("0.#", CultureInfo.InvariantCulture) + " K",
        _ => value.ToString("0.##", CultureInfo.InvariantCulture),
    };

    /// <summary>A number with so many digits behind the point, or a dash.</summary>
    public static string Fixed(double? value, int digits) => value?.ToString("F" + digits, CultureInfo.InvariantCulture) ?? "–";

    /// <summary>A whole number.</summary>
    public static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A whole number of things.</summary>
    public static string Of(long value, string one, string many) => $"{Count(value)} {(value == 1 ? one : many)}";

    /// <summary>Bytes.</summary>
    public static string Bytes(double value) => value switch
    {
        >= 1L << 30 => (value / (1L << 30)).ToString("F1", CultureInfo.InvariantCulture) + " GiB",
        >= 1 << 20 => (value / (1 << 20)).ToString("F1", CultureInfo.InvariantCulture) + " MiB",
        _ => (value / 1024).ToString("F1", CultureInfo.InvariantCulture) + " KiB",
    };

    /// <summary>A measured difference with its error, or a dash.</summary>
    public static string Change(LossChangeView? change) =>
        change is null ? "–" : string.Create(CultureInfo.InvariantCulture, $"{change.Nats:+0.0000;-0.0000} ± {Fixed(change.StandardError, 4)}");

    /// <summary>A part of a whole.</summary>
    public static string Percent(double part) => (100 * part).ToString("F1", CultureInfo.InvariantCulture) + " %";
}
