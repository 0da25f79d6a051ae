namespace Cairn.Inference;

/// <summary>An expression of a template.</summary>
/// <param name="line">Where it stands.</param>
internal abstract class TemplateExpression(int line)
{
    public int Line => line;

    public object? Evaluate(TemplateRun run)
    {
        run.Enter(line);
        var value = Compute(run);
        run.Leave();
        return value;
    }

    protected abstract object? Compute(TemplateRun run);
}

/// <summary>A value that stands in the template.</summary>
internal sealed class ConstantExpression(int line, object? value) : TemplateExpression(line)
{
    public object? Value => value;

    protected override object? Compute(TemplateRun run) => value;
}

/// <summary>A name.</summary>
internal sealed class NameExpression(int line, string name) : TemplateExpression(line)
{
    public string Name => name;

    protected override object? Compute(TemplateRun run) => run.Find(name);
}

/// <summary>A list, or values in parentheses with commas.</summary>
internal sealed class ListExpression(int line, IReadOnlyList<TemplateExpression> items) : TemplateExpression(line)
{
    public IReadOnlyList<TemplateExpression> Parts => items;

    protected override object? Compute(TemplateRun run) => items.Select(item => item.Evaluate(run)).ToList();
}

/// <summary>A map.</summary>
internal sealed class MapExpression(int line, IReadOnlyList<(TemplateExpression Key, TemplateExpression Value)> entries) : TemplateExpression(line)
{
    protected override object? Compute(TemplateRun run)
    {
        var map = new TemplateMap();
        foreach (var (key, value) in entries)
        {
            var name = key.Evaluate(run) as string ?? throw run.Refused("names in a map are texts");
            run.Charge(name.Length);
            map[name] = value.Evaluate(run);
        }

        return map;
    }
}

/// <summary>A part by name after a dot, or by name or place in brackets.</summary>
internal sealed class PartExpression(int line, TemplateExpression whole, TemplateExpression key) : TemplateExpression(line)
{
    public TemplateExpression Whole => whole;

    public TemplateExpression Key => key;

    protected override object? Compute(TemplateRun run) => TemplateValues.Part(run, whole.Evaluate(run), key.Evaluate(run));
}

/// <summary>A part of a list or text from one place to another.</summary>
internal sealed class SliceExpression(int line, TemplateExpression whole, TemplateExpression?[] places) : TemplateExpression(line)
{
    protected override object? Compute(TemplateRun run)
    {
        var value = whole.Evaluate(run);
        return TemplateValues.Slice(run, value, Place(run, 0), Place(run, 1), Place(run, 2));
    }

    private long? Place(TemplateRun run, int at) => places[at]?.Evaluate(run) is not { } given ? null
        : TemplateValues.IsWhole(given, out var place) ? Math.Clamp(place, int.MinValue, int.MaxValue)
        : throw run.Refused("places are whole numbers");
}

/// <summary>A call of a function, a macro or a method.</summary>
internal sealed class CallExpression(int line, TemplateExpression target, ArgumentList given) : TemplateExpression(line)
{
    protected override object? Compute(TemplateRun run)
    {
        if (target is PartExpression { Key: ConstantExpression { Value: string name } } part)
        {
            var whole = part.Whole.Evaluate(run);
            return TemplateMethods.TryCall(run, whole, name, given.Evaluate(run), out var result) ? result
                : Call(run, TemplateValues.Part(run, whole, name), name);
        }

        return Call(run, target.Evaluate(run), (target as NameExpression)?.Name ?? "it");
    }

    private object? Call(TemplateRun run, object? function, string name) => function is TemplateFunction callable
        ? callable(run, given.Evaluate(run))
        : throw run.Refused($"'{name}' cannot be called");
}

/// <summary>A value through a filter.</summary>
internal sealed class FilterExpression(int line, TemplateExpression value, string name, ArgumentList given) : TemplateExpression(line)
{
    protected override object? Compute(TemplateRun run) => TemplateFilters.Apply(run, name, value.Evaluate(run), given.Evaluate(run));
}

/// <summary>Whether a value is of a kind.</summary>
internal sealed class KindExpression(int line, TemplateExpression value, string name, ArgumentList given) : TemplateExpression(line)
{
    protected override object? Compute(TemplateRun run) => TemplateKinds.Is(run, name, value.Evaluate(run), given.Evaluate(run));
}

/// <summary>Not, or the number below zero.</summary>
internal sealed class PrefixExpression(int line, string sign, TemplateExpression value) : TemplateExpression(line)
{
    protected override object? Compute(TemplateRun run)
    {
        var operand = value.Evaluate(run);
        return sign switch
        {
            "not" => !TemplateValues.IsTrue(operand),
            _ when TemplateValues.IsWhole(operand, out var whole) && whole != long.MinValue => sign == "-" ? -whole : whole,
            _ when operand is double real => sign == "-" ? -real : real,
            _ => throw run.Refused($"{TemplateValues.KindOf(operand)} has no sign"),
        };
    }
}

/// <summary>One value if something holds, else another.</summary>
internal sealed class ChoiceExpression(int line, TemplateExpression condition, TemplateExpression yes, TemplateExpression? no) : TemplateExpression(line)
{
    protected override object? Compute(TemplateRun run) => TemplateValues.IsTrue(condition.Evaluate(run)) ? yes.Evaluate(run)
        : no is null ? new TemplateUndefined("else") : no.Evaluate(run);
}

/// <summary>And, or: the second value is looked at only where it decides.</summary>
internal sealed class LogicExpression(int line, bool isAnd, TemplateExpression left, TemplateExpression right) : TemplateExpression(line)
{
    protected override object? Compute(TemplateRun run)
    {
        var first = left.Evaluate(run);
        return TemplateValues.IsTrue(first) == isAnd ? right.Evaluate(run) : first;
    }
}

/// <summary>Comparisons, each with the value before: <c>a &lt; b &lt; c</c> asks for both.</summary>
internal sealed class CompareExpression(int line, TemplateExpression first, IReadOnlyList<(string Sign, TemplateExpression Value)> others) : TemplateExpression(line)
{
    protected override object? Compute(TemplateRun run)
    {
        var left = first.Evaluate(run);
        foreach (var (sign, value) in others)
        {
            var right = value.Evaluate(run);
            var holds = sign switch
            {
                "==" => TemplateValues.AreEqual(run, left, right),
                "!=" => !TemplateValues.AreEqual(run, left, right),
                "in" => TemplateValues.Contains(run, right, left),
                "not in" => !TemplateValues.Contains(run, right, left),
                "<" => TemplateValues.Compare(run, left, right) < 0,
                "<=" => TemplateValues.Compare(run, left, right) <= 0,
                ">" => TemplateValues.Compare(run, left, right) > 0,
                _ => TemplateValues.Compare(run, left, right) >= 0,
            };
            if (!holds)
            {
                return false;
            }

            left = right;
        }

        return true;
    }
}

/// <summary>Sums, products and joined texts, from left to right.</summary>
internal sealed class SumExpression(int line, TemplateExpression first, IReadOnlyList<(string Sign, TemplateExpression Value)> others) : TemplateExpression(line)
{
    protected override object? Compute(TemplateRun run)
    {
        var sum = first.Evaluate(run);
        foreach (var (sign, value) in others)
        {
            sum = TemplateArithmetic.Apply(run, sign, sum, value.Evaluate(run));
        }

        return sum;
    }
}

/// <summary>What stands in the parentheses of a call.</summary>
/// <param name="places">In order.</param>
/// <param name="names">By name.</param>
internal sealed class ArgumentList(IReadOnlyList<TemplateExpression> places, IReadOnlyList<(string Name, TemplateExpression Value)> names)
{
    public static ArgumentList None { get; } = new([], []);

    private readonly long _namesLength = names.Sum(one => (long)one.Name.Length);

    public TemplateArguments Evaluate(TemplateRun run)
    {
        if (places.Count + names.Count == 0)
        {
            return TemplateArguments.None;
        }

        run.Charge(_namesLength);
        return new([.. places.Select(place => place.Evaluate(run))], names.ToDictionary(one => one.Name, one => one.Value.Evaluate(run), StringComparer.Ordinal));
    }
}
