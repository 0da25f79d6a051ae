using System.Globalization;
using System.Text;

namespace Cairn.Inference;

internal sealed partial class TemplateParser
{
    // One value, or several with commas between them.
    private TemplateExpression List()
    {
        var first = Expression();
        if (Now is not { Kind: TemplateTokenKind.Sign, Text: "," })
        {
            return first;
        }

        List<TemplateExpression> items = [first];
        while (Sign(",") && Now.Kind is not (TemplateTokenKind.CloseStatement or TemplateTokenKind.CloseValue) && Now is not { Kind: TemplateTokenKind.Sign, Text: ")" })
        {
            items.Add(Expression());
        }

        return new ListExpression(first.Line, items);
    }

    private TemplateExpression Expression()
    {
        Deepen();
        var value = Or();
        while (Is("if"))
        {
            var condition = Or();
            value = new ChoiceExpression(value.Line, condition, value, Is("else") ? Expression() : null);
        }

        _depth--;
        return value;
    }

    private TemplateExpression Or()
    {
        var left = And();
        while (Is("or"))
        {
            left = new LogicExpression(left.Line, isAnd: false, left, And());
        }

        return left;
    }

    private TemplateExpression And()
    {
        var left = Not();
        while (Is("and"))
        {
            left = new LogicExpression(left.Line, isAnd: true, left, Not());
        }

        return left;
    }

    private TemplateExpression Not()
    {
        var line = Now.Line;
        if (!Is("not"))
        {
            return Comparison();
        }

        Deepen();
        var value = Not();
        _depth--;
        return new PrefixExpression(line, "not", value);
    }

    private TemplateExpression Comparison()
    {
        var first = Sum();
        var others = new List<(string, TemplateExpression)>();
        while (ComparisonSign() is { } sign)
        {
            others.Add((sign, Sum()));
        }

        return others.Count == 0 ? first : new CompareExpression(first.Line, first, others);
    }

    private string? ComparisonSign()
    {
        if (Is("in"))
        {
            return "in";
        }

        if (Now is { Kind: TemplateTokenKind.Name, Text: "not" } && _tokens[_at + 1] is { Kind: TemplateTokenKind.Name, Text: "in" })
        {
            _at += 2;
            return "not in";
        }

        return Now is { Kind: TemplateTokenKind.Sign, Text: "==" or "!=" or "<" or "<=" or ">" or ">=" } ? Take().Text : null;
    }

    private TemplateExpression Sum() => Chain(["+", "-"], () => Chain(["~"], () => Chain(["*", "/", "//", "%"], Unary)));

    private TemplateExpression Chain(string[] signs, Func<TemplateExpression> part)
    {
        var first = part();
        var others = new List<(string, TemplateExpression)>();
        while (Now.Kind == TemplateTokenKind.Sign && signs.Contains(Now.Text))
        {
            others.Add((Take().Text, part()));
        }

        return others.Count == 0 ? first : new SumExpression(first.Line, first, others);
    }

    private TemplateExpression Unary()
    {
        var value = Signed();
        while (true)
        {
            var line = Now.Line;
            if (Sign("|"))
            {
                var name = Name();
                value = TemplateFilters.Has(name) ? new FilterExpression(line, value, name, Arguments(opened: false)) : throw Refused($"there is no filter '{name}'");
            }
            else if (Is("is"))
            {
                value = Kind(value, line);
            }
            else
            {
                return value;
            }
        }
    }

    private TemplateExpression Kind(TemplateExpression value, int line)
    {
        var negated = Is("not");
        var name = Now.Kind == TemplateTokenKind.Sign ? Take().Text : Name();
        if (!TemplateKinds.Has(name))
        {
            throw Refused($"nothing is '{name}'");
        }

        // Its argument may stand in parentheses or alone.
        var alone = Now.Kind is TemplateTokenKind.Quoted or TemplateTokenKind.Whole or TemplateTokenKind.Real || Now is { Kind: TemplateTokenKind.Sign, Text: "[" or "{" }
            || (Now.Kind == TemplateTokenKind.Name && Now.Text is not ("else" or "or" or "and" or "if" or "is" or "in" or "not" or "recursive"));
        var given = alone ? new ArgumentList([Postfix(Primary())], []) : Arguments(opened: false);
        TemplateExpression kind = new KindExpression(line, value, name, given);
        return negated ? new PrefixExpression(line, "not", kind) : kind;
    }

    private TemplateExpression Signed()
    {
        var line = Now.Line;
        if (Now is not { Kind: TemplateTokenKind.Sign, Text: "-" or "+" })
        {
            return Postfix(Primary());
        }

        Deepen();
        var sign = Take().Text;
        var value = Signed();
        _depth--;
        return new PrefixExpression(line, sign, value);
    }

    private TemplateExpression Primary()
    {
        var token = Take();
        switch (token.Kind)
        {
            case TemplateTokenKind.Quoted:
                // Texts side by side are one.
                var text = new StringBuilder(token.Text);
                while (Now.Kind == TemplateTokenKind.Quoted)
                {
                    text.Append(Take().Text);
                }

                return new ConstantExpression(token.Line, text.ToString());
            case TemplateTokenKind.Whole:
                return new ConstantExpression(token.Line, Whole(token));
            case TemplateTokenKind.Real:
                return new ConstantExpression(token.Line, double.Parse(token.Text, CultureInfo.InvariantCulture));
            case TemplateTokenKind.Name:
                return token.Text switch
                {
                    "true" or "True" => new ConstantExpression(token.Line, true),
                    "false" or "False" => new ConstantExpression(token.Line, false),
                    "none" or "None" => new ConstantExpression(token.Line, null),
                    "and" or "or" or "not" or "is" or "in" or "if" or "else" or "for" => throw Refused($"'{token.Text}' stands where a value belongs"),
                    _ => new NameExpression(token.Line, token.Text),
                };
            case TemplateTokenKind.Sign when token.Text == "(":
                return Parenthesis(token.Line);
            case TemplateTokenKind.Sign when token.Text == "[":
                return new ListExpression(token.Line, Until("]", Expression));
            case TemplateTokenKind.Sign when token.Text == "{":
                return new MapExpression(token.Line, Until("}", () =>
                {
                    var key = Expression();
                    Need(":");
                    return (key, Expression());
                }));
            default:
                throw Refused($"'{token.Text}' stands where a value belongs");
        }
    }

    private long Whole(TemplateToken token) => long.TryParse(token.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var whole) ? whole
        : throw Refused("a number is too large");

    private TemplateExpression Parenthesis(int line)
    {
        if (Sign(")"))
        {
            return new ListExpression(line, []);
        }

        var value = List();
        Need(")");
        return value;
    }

    private List<T> Until<T>(string close, Func<T> item)
    {
        var items = new List<T>();
        while (!Sign(close))
        {
            items.Add(item());
            if (!Sign(","))
            {
                Need(close);
                break;
            }
        }

        return items;
    }

    private TemplateExpression Postfix(TemplateExpression value)
    {
        while (true)
        {
            var line = Now.Line;
            if (Sign("."))
            {
                var key = Now.Kind == TemplateTokenKind.Whole ? Whole(Take()) : (object)Name();
                value = new PartExpression(line, value, new ConstantExpression(line, key));
            }
            else if (Sign("["))
            {
                value = Subscript(value, line);
            }
            else if (Sign("("))
            {
                value = new CallExpression(line, value, Arguments(opened: true));
            }
            else
            {
                return value;
            }
        }
    }

    private TemplateExpression Subscript(TemplateExpression whole, int line)
    {
        var places = new TemplateExpression?[3];
        var (at, slices) = (0, false);
        while (!Sign("]"))
        {
            if (Sign(":") && at < 2)
            {
                slices = true;
                at++;
            }
            else
            {
                places[at] = places[at] is null ? Expression() : throw Refused("']' is missing");
            }
        }

        return slices ? new SliceExpression(line, whole, places)
            : new PartExpression(line, whole, places[0] ?? throw Refused("there is nothing in the brackets"));
    }

    private ArgumentList Arguments(bool opened)
    {
        if (!opened && !Sign("("))
        {
            return ArgumentList.None;
        }

        var (places, names, known) = (new List<TemplateExpression>(), new List<(string, TemplateExpression)>(), new HashSet<string>(StringComparer.Ordinal));
        foreach (var (name, value) in Until(")", Argument))
        {
            if (name is null && names.Count == 0)
            {
                places.Add(value);
            }
            else if (name is not null && known.Add(name))
            {
                names.Add((name, value));
            }
            else
            {
                throw Refused("values without names come first, and no name twice");
            }
        }

        return new ArgumentList(places, names);
    }

    private (string? Name, TemplateExpression Value) Argument() =>
        Now.Kind == TemplateTokenKind.Name && _tokens[_at + 1] is { Kind: TemplateTokenKind.Sign, Text: "=" }
            ? (Name(), Sign("=") ? Expression() : throw Refused("'=' is missing"))
            : (null, Expression());
}
