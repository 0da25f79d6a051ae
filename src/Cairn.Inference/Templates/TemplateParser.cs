using Cairn.Base;

namespace Cairn.Inference;

/// <summary>Reads the statements of a template. What the language has beyond chat templates (other files, inheritance, filters over blocks) is refused by name.</summary>
internal sealed partial class TemplateParser
{
    private const int DepthMax = 100;
    private readonly List<TemplateToken> _tokens;
    private int _at;
    private int _depth;
    private int _loops;

    private TemplateParser(List<TemplateToken> tokens) => _tokens = tokens;

    private TemplateToken Now => _tokens[_at];

    /// <summary>Reads a template.</summary>
    /// <param name="source">From anywhere.</param>
    /// <exception cref="InputException">It is not a template of the kind that is known; the message names the line.</exception>
    public static IReadOnlyList<TemplateStatement> Parse(string source)
    {
        var parser = new TemplateParser(TemplateLexer.Cut(source));
        var statements = parser.Body();
        return parser.Now.Kind == TemplateTokenKind.End ? statements : throw parser.Refused($"'{parser._tokens[parser._at + 1].Text}' ends nothing");
    }

    // Up to the end, or to a statement that one of the names begins: that one stays to be read.
    private List<TemplateStatement> Body(params ReadOnlySpan<string> ends)
    {
        Deepen();
        var statements = new List<TemplateStatement>();
        while (Now.Kind != TemplateTokenKind.End)
        {
            if (Now.Kind == TemplateTokenKind.OpenStatement && _tokens[_at + 1] is { Kind: TemplateTokenKind.Name } next)
            {
                if (ends.Contains(next.Text))
                {
                    break;
                }

                if (next.Text.StartsWith("end", StringComparison.Ordinal) || next.Text is "else" or "elif")
                {
                    throw Refused($"'{next.Text}' ends nothing");
                }
            }

            statements.Add(Next());
        }

        _depth--;
        return statements;
    }

    private TemplateStatement Next()
    {
        var token = Take();
        switch (token.Kind)
        {
            case TemplateTokenKind.Text:
                return new TextStatement(token.Text);
            case TemplateTokenKind.OpenValue:
                var value = List();
                Take(TemplateTokenKind.CloseValue, "}}");
                return new ValueStatement(value);
            default:
                return Statement();
        }
    }

    private TemplateStatement Statement()
    {
        var word = Name();
        switch (word)
        {
            case "if":
                return If();
            case "for":
                return For();
            case "set":
                return Set();
            case "macro":
                return Macro();
            case "generation":
                // Marks what a model said, for training: it says nothing for us.
                CloseStatement();
                var group = new GroupStatement(Body("endgeneration"));
                End("endgeneration");
                return group;
            case "break" or "continue" when _loops > 0:
                CloseStatement();
                return new LeaveStatement(word == "break" ? TemplateFlow.Break : TemplateFlow.Continue);
            default:
                throw Refused($"'{word}' is not known here");
        }
    }

    private IfStatement If()
    {
        var branches = new List<(TemplateExpression?, IReadOnlyList<TemplateStatement>)>();
        var condition = Expression();
        while (true)
        {
            CloseStatement();
            branches.Add((condition, Body("elif", "else", "endif")));
            Take();
            switch (Name())
            {
                case "elif":
                    condition = Expression();
                    continue;
                case "else":
                    CloseStatement();
                    branches.Add((null, Body("endif")));
                    Take();
                    Name();
                    break;
            }

            CloseStatement();
            return new IfStatement(branches);
        }
    }

    private ForStatement For()
    {
        var target = Target(ofLoop: true);
        Word("in");
        var items = Or();
        var condition = Is("if") ? Expression() : null;
        if (Is("recursive"))
        {
            throw Refused("loops that call themselves are not known");
        }

        CloseStatement();
        _loops++;
        var body = Body("else", "endfor");
        _loops--;
        List<TemplateStatement> otherwise = [];
        Take();
        if (Name() == "else")
        {
            CloseStatement();
            otherwise = Body("endfor");
            Take();
            Name();
        }

        CloseStatement();
        return new ForStatement(target, items, condition, body, otherwise);
    }

    private SetStatement Set()
    {
        var target = Target(ofLoop: false);
        if (Sign("="))
        {
            var value = List();
            CloseStatement();
            return new SetStatement(target, value, []);
        }

        CloseStatement();
        var body = Body("endset");
        End("endset");
        return new SetStatement(target, null, body);
    }

    private MacroStatement Macro()
    {
        var name = Name();
        var takes = new List<(string, TemplateExpression?)>();
        Need("(");
        while (!Sign(")"))
        {
            takes.Add((Name(), Sign("=") ? Expression() : null));
            if (!Sign(","))
            {
                Need(")");
                break;
            }
        }

        CloseStatement();
        var loops = _loops;
        _loops = 0;
        var body = Body("endmacro");
        _loops = loops;
        End("endmacro");
        return new MacroStatement(name, takes, body);
    }

    // A name, a value of a namespace, or names with commas.
    private TemplateTarget Target(bool ofLoop)
    {
        var closes = Sign("(");
        List<string> names = [Name()];
        if (!ofLoop && Sign("."))
        {
            return new TemplateTarget(names, Name(), Unpacks: false);
        }

        var unpacks = false;
        while (Sign(","))
        {
            unpacks = true;
            if (Now.Kind != TemplateTokenKind.Name || Now.Text == "in")
            {
                break;
            }

            names.Add(Name());
        }

        if (closes)
        {
            Need(")");
        }

        return new TemplateTarget(names, null, unpacks);
    }

    private void End(string word)
    {
        Take(TemplateTokenKind.OpenStatement, "{%");
        Word(word);
        CloseStatement();
    }

    private void CloseStatement() => Take(TemplateTokenKind.CloseStatement, "%}");

    private TemplateToken Take() => _tokens[Now.Kind == TemplateTokenKind.End ? throw Refused("the end comes too early") : _at++];

    private TemplateToken Take(TemplateTokenKind kind, string what) => Now.Kind == kind ? Take() : throw Refused($"'{what}' is missing before '{Now.Text}'");

    private string Name() => Take(TemplateTokenKind.Name, "a name").Text;

    private void Word(string word)
    {
        if (!Is(word))
        {
            throw Refused($"'{word}' is missing before '{Now.Text}'");
        }
    }

    private bool Is(string word)
    {
        var found = Now.Kind == TemplateTokenKind.Name && Now.Text == word;
        _at += found ? 1 : 0;
        return found;
    }

    private bool Sign(string sign)
    {
        var found = Now.Kind == TemplateTokenKind.Sign && Now.Text == sign;
        _at += found ? 1 : 0;
        return found;
    }

    private void Need(string sign)
    {
        if (!Sign(sign))
        {
            throw Refused($"'{sign}' is missing before '{Now.Text}'");
        }
    }

    private void Deepen()
    {
        if (++_depth > DepthMax)
        {
            throw Refused($"it is nested more than {DepthMax} deep");
        }
    }

    private InputException Refused(string reason) => new($"the chat template cannot be used: line {Now.Line}: {reason}");
}
