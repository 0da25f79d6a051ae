using System.Globalization;
using System.Net;
using System.Text;

namespace Cairn.Web;

/// <summary>Writes a page: what is between tags is always text, whoever wrote it.</summary>
internal sealed class Html
{
    private readonly StringBuilder _page = new();

    /// <summary>Markup of ours.</summary>
    public Html Raw(string markup)
    {
        _page.Append(markup);
        return this;
    }

    /// <summary>An element with text in it.</summary>
    public Html Element(string tag, string text)
    {
        _page.Append(CultureInfo.InvariantCulture, $"<{tag}>").Append(WebUtility.HtmlEncode(text)).Append(CultureInfo.InvariantCulture, $"</{tag}>\n");
        return this;
    }

    /// <summary>Names and what they are.</summary>
    public Html Pairs(params (string Name, string Value)[] pairs)
    {
        Raw("<dl>\n");
        foreach (var (name, value) in pairs)
        {
            Element("dt", name).Element("dd", value);
        }

        return Raw("</dl>\n");
    }

    /// <summary>A table.</summary>
    /// <param name="heads">Names of the columns; a leading '#' makes one of numbers.</param>
    /// <param name="rows">The rows.</param>
    public Html Table(string[] heads, IEnumerable<string[]> rows)
    {
        Raw("<div class=\"scroll\"><table><thead><tr>");
        foreach (var head in heads)
        {
            Cell("th", head.TrimStart('#'), head.StartsWith('#'));
        }

        Raw("</tr></thead><tbody>\n");
        foreach (var row in rows)
        {
            Raw("<tr>");
            for (var i = 0; i < row.Length; i++)
            {
                Cell("td", row[i], heads[i].StartsWith('#'));
            }

            Raw("</tr>\n");
        }

        return Raw("</tbody></table></div>\n");
    }

    public override string ToString() => _page.ToString();

    private void Cell(string tag, string text, bool number) =>
        _page.Append(CultureInfo.InvariantCulture, $"<{tag}{(number ? " class=\"n\"" : "")}>")
            .Append(WebUtility.HtmlEncode(text)).Append(CultureInfo.InvariantCulture, $"</{tag}>");
}
