using Cairn.Base;

namespace Cairn.Inference;

/// <summary>Cuts a template into tokens, in the way chat templates are published for: a line that holds nothing before a statement or a comment loses its blanks,
/// and the line break right after one is not text; a minus beside a brace takes all blanks on that side.</summary>
internal sealed class TemplateLexer
{
    private static readonly string[] Signs =
    [
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", "<", ">", "=", ".", ",", ":", "|", "(", ")", "[", "]", "{", "}",
    ];

    private readonly string _source;
    private readonly List<TemplateToken> _tokens = [];
    private int _at;
    private int _line = 1;

    // True where a line begins: at the start, and where the last tag took a line break with it.
    private bool _lineBegins = true;

    private TemplateLexer(string source) => _source = source;

    /// <summary>Cuts.</summary>
    /// <param name="source">From anywhere.</param>
    /// <exception cref="InputException">A tag, a quote or a comment has no end, or a character means nothing.</exception>
    public static List<TemplateToken> Cut(string source)
    {
        // Line breaks of all systems are one, and the very last one is not text.
        var text = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        var lexer = new TemplateLexer(text.EndsWith('\n') ? text[..^1] : text);
        while (lexer._at < lexer._source.Length)
        {
            lexer.CutNext();
        }

        lexer.Add(TemplateTokenKind.End, "");
        return lexer._tokens;
    }

    private void CutNext()
    {
        var open = NextTag();
        var text = _source[_at..open];
        if (open == _source.Length)
        {
            AddText(text, text);
            _at = open;
            return;
        }

        var mark = _source[open + 1];
        var sign = open + 2 < _source.Length ? _source[open + 2] : ' ';
        AddText(text, sign == '-' ? text.TrimEnd() : sign != '+' && mark != '{' ? WithoutMargin(text) : text);
        _at = open + (sign is '-' or '+' ? 3 : 2);
        switch (mark)
        {
            case '#':
                SkipComment();
                break;
            case '%' when IsRaw(out var after):
                CutRaw(after);
                break;
            default:
                CutTag(mark == '{');
                break;
        }
    }

    private int NextTag()
    {
        for (var i = _at; i + 1 < _source.Length; i++)
        {
            if (_source[i] == '{' && _source[i + 1] is '{' or '%' or '#')
            {
                return i;
            }
        }

        return _source.Length;
    }

    private void AddText(string asItStands, string kept)
    {
        if (kept.Length > 0)
        {
            Add(TemplateTokenKind.Text, kept);
        }

        _line += asItStands.AsSpan().Count('\n');
    }

    // Blanks between the last line break and a statement.
    private string WithoutMargin(string text)
    {
        var margin = text.LastIndexOf('\n') + 1;
        return (margin > 0 || _lineBegins) && text.AsSpan(margin).IsWhiteSpace() ? text[..margin] : text;
    }

    private void SkipComment()
    {
        var end = _source.IndexOf("#}", _at, StringComparison.Ordinal);
        if (end < 0)
        {
            throw Refused("a comment has no end");
        }

        var sign = end > _at ? _source[end - 1] : ' ';
        _line += _source.AsSpan(_at, end - _at).Count('\n');
        _at = end + 2;
        AfterTag(sign, ofStatement: true);
    }

    private bool IsRaw(out int after)
    {
        var at = SkipBlanks(_at);
        after = at;
        if (string.CompareOrdinal(_source, at, "raw", 0, 3) != 0)
        {
            return false;
        }

        at = SkipBlanks(at + 3);
        var trims = at < _source.Length && _source[at] == '-';
        at += trims ? 1 : 0;
        if (string.CompareOrdinal(_source, at, "%}", 0, 2) != 0)
        {
            return false;
        }

        after = trims ? SkipBlanks(at + 2) : at + 2;
        return true;
    }

    private void CutRaw(int from)
    {
        _line += _source.AsSpan(_at, from - _at).Count('\n');
        for (var open = from; (open = _source.IndexOf("{%", open, StringComparison.Ordinal)) >= 0; open += 2)
        {
            var signed = open + 2 < _source.Length && _source[open + 2] is '-' or '+';
            var at = SkipBlanks(open + (signed ? 3 : 2));
            if (string.CompareOrdinal(_source, at, "endraw", 0, 6) != 0)
            {
                continue;
            }

            var close = SkipBlanks(at + 6);
            var sign = close < _source.Length && _source[close] is '-' or '+' ? _source[close] : ' ';
            close += sign == ' ' ? 0 : 1;
            if (string.CompareOrdinal(_source, close, "%}", 0, 2) == 0)
            {
                var text = _source[from..open];
                AddText(text, _source[open + 2] == '-' ? text.TrimEnd() : text);
                _at = close + 2;
                AfterTag(sign, ofStatement: true);
                return;
            }
        }

        throw Refused("'raw' has no 'endraw'");
    }

    private void CutTag(bool ofValue)
    {
        Add(ofValue ? TemplateTokenKind.OpenValue : TemplateTokenKind.OpenStatement, "");
        var close = ofValue ? "}}" : "%}";
        // Inside brackets two braces end two maps and no tag.
        var brackets = 0;
        while (true)
        {
            SkipInside();
            if (_at >= _source.Length)
            {
                throw Refused("a tag has no end");
            }

            var sign = _source[_at] is '-' or '+' ? _source[_at] : ' ';
            var at = _at + (sign == ' ' ? 0 : 1);
            if (brackets == 0 && string.CompareOrdinal(_source, at, close, 0, 2) == 0)
            {
                Add(ofValue ? TemplateTokenKind.CloseValue : TemplateTokenKind.CloseStatement, "");
                _at = at + 2;
                AfterTag(sign, !ofValue);
                return;
            }

            brackets += CutInside();
        }
    }

    // What follows a tag: all blanks go after a minus, one line break after a statement or comment.
    private void AfterTag(char sign, bool ofStatement)
    {
        var end = sign == '-' ? SkipBlanks(_at) : ofStatement && sign != '+' && _at < _source.Length && _source[_at] == '\n' ? _at + 1 : _at;
        _lineBegins = end > _at && _source[end - 1] == '\n';
        _line += _source.AsSpan(_at, end - _at).Count('\n');
        _at = end;
    }

    private int CutInside()
    {
        var first = _source[_at];
        if (char.IsAsciiLetter(first) || first == '_')
        {
            CutName();
            return 0;
        }

        if (char.IsAsciiDigit(first))
        {
            CutNumber();
            return 0;
        }

        if (first is '"' or '\'')
        {
            CutQuoted(first);
            return 0;
        }

        foreach (var sign in Signs)
        {
            if (string.CompareOrdinal(_source, _at, sign, 0, sign.Length) == 0)
            {
                Add(TemplateTokenKind.Sign, sign);
                _at += sign.Length;
                return sign is "(" or "[" or "{" ? 1 : sign is ")" or "]" or "}" ? -1 : 0;
            }
        }

        throw Refused($"the character '{first}' means nothing here");
    }

    private void CutName()
    {
        var begin = _at;
        while (_at < _source.Length && (char.IsAsciiLetterOrDigit(_source[_at]) || _source[_at] == '_'))
        {
            _at++;
        }

        Add(TemplateTokenKind.Name, _source[begin.._at]);
    }

    private void CutNumber()
    {
        var begin = _at;
        SkipDigits();
        var real = _at + 1 < _source.Length && _source[_at] == '.' && char.IsAsciiDigit(_source[_at + 1]);
        if (real)
        {
            _at++;
            SkipDigits();
        }

        if (_at < _source.Length && _source[_at] is 'e' or 'E')
        {
            var digits = _at + (_at + 1 < _source.Length && _source[_at + 1] is '+' or '-' ? 2 : 1);
            if (digits < _source.Length && char.IsAsciiDigit(_source[digits]))
            {
                real = true;
                _at = digits;
                SkipDigits();
            }
        }

        Add(real ? TemplateTokenKind.Real : TemplateTokenKind.Whole, _source[begin.._at].Replace("_", "", StringComparison.Ordinal));
    }

    private void CutQuoted(char quote)
    {
        var end = _at + 1;
        while (end < _source.Length && _source[end] != quote)
        {
            end += _source[end] == '\\' ? 2 : 1;
        }

        if (end >= _source.Length)
        {
            throw Refused("a quoted text has no end");
        }

        var inside = _source[(_at + 1)..end];
        Add(TemplateTokenKind.Quoted, TemplateText.Unescape(inside));
        _line += inside.AsSpan().Count('\n');
        _at = end + 1;
    }

    private void SkipDigits()
    {
        while (_at < _source.Length && (char.IsAsciiDigit(_source[_at]) || _source[_at] == '_'))
        {
            _at++;
        }
    }

    private void SkipInside()
    {
        var end = SkipBlanks(_at);
        _line += _source.AsSpan(_at, end - _at).Count('\n');
        _at = end;
    }

    private int SkipBlanks(int at)
    {
        while (at < _source.Length && char.IsWhiteSpace(_source[at]))
        {
            at++;
        }

        return at;
    }

    private void Add(TemplateTokenKind kind, string text) => _tokens.Add(new TemplateToken(kind, text, _line));

    private InputException Refused(string reason) => new($"the chat template cannot be used: line {_line}: {reason}");
}
