using System.Globalization;
using System.Text.RegularExpressions;

namespace Cairn.Web.Tests;

/// <summary>The colours of the pages, dark and light: words stand out by 4.5 to 1 and what is drawn by 3 to 1, as WCAG 2.2 asks at level AA.</summary>
public sealed partial class ContrastTests
{
    private static readonly string[] Words = ["ink", "dim", "accent", "good", "bad", "warn"];
    private static readonly string[] Grounds = ["page", "card", "soft", "accent-soft"];

    [Fact]
    public void Words_and_lines_stand_out_from_what_is_behind_them()
    {
        var themes = Theme().Matches(Style()).Select(match => Color().Matches(match.Value).ToDictionary(color => color.Groups[1].Value, color => Luminance(color.Groups[2].Value))).ToList();
        Assert.Equal(3, themes.Count); // light, dark by nature, dark by choice
        Assert.Equal(themes[1], themes[2]);
        Assert.All(themes, theme =>
        {
            Assert.All(Words.SelectMany(word => Grounds, (word, ground) => (word, ground)), pair =>
                Assert.True(Contrast(theme[pair.word], theme[pair.ground]) >= 4.5, $"{pair.word} on {pair.ground}"));
            Assert.True(Contrast(theme["page"], theme["accent"]) >= 4.5, "the main button");
            Assert.All(theme.Keys.Where(name => Drawn().IsMatch(name)), name => Assert.True(Contrast(theme[name], theme["card"]) >= 3, name));
        });
    }

    private static string Style()
    {
        using var stream = typeof(Dashboard).Assembly.GetManifestResourceStream("www/app.css")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static double Contrast(double a, double b) => (Math.Max(a, b) + 0.05) / (Math.Min(a, b) + 0.05);

    private static double Luminance(string hex)
    {
        hex = hex.Length == 3 ? string.Concat(hex.Select(digit => new string(digit, 2))) : hex;
        double Part(int at)
        {
            var part = int.Parse(hex.AsSpan(at, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture) / 255.0;
            return part <= 0.04045 ? part / 12.92 : Math.Pow((part + 0.055) / 1.055, 2.4);
        }

        return (0.2126 * Part(0)) + (0.7152 * Part(2)) + (0.0722 * Part(4));
    }

    [GeneratedRegex(@"\{[^{}]*--page:[^{}]*\}")]
    private static partial Regex Theme();

    [GeneratedRegex("--([a-z0-9-]+):\\s*#([0-9a-f]{6}|[0-9a-f]{3})\\b")]
    private static partial Regex Color();

    [GeneratedRegex("^(s\\d|line-\\d|field)$")]
    private static partial Regex Drawn();
}
