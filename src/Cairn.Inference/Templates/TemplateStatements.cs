namespace Cairn.Inference;

/// <summary>A statement of a template, or text in it.</summary>
internal abstract class TemplateStatement
{
    public abstract TemplateFlow Execute(TemplateRun run);

    /// <summary>Executes one after another, until one of them ends a loop or its turn.</summary>
    public static TemplateFlow ExecuteAll(TemplateRun run, IReadOnlyList<TemplateStatement> statements)
    {
        run.Deepen();
        var flow = TemplateFlow.Next;
        for (var i = 0; i < statements.Count && flow == TemplateFlow.Next; i++)
        {
            run.Step();
            flow = statements[i].Execute(run);
        }

        run.Leave();
        return flow;
    }
}

/// <summary>Text that is written as it stands.</summary>
internal sealed class TextStatement(string text) : TemplateStatement
{
    public override TemplateFlow Execute(TemplateRun run)
    {
        run.Write(text);
        return TemplateFlow.Next;
    }
}

/// <summary>A value that is written.</summary>
internal sealed class ValueStatement(TemplateExpression value) : TemplateStatement
{
    public override TemplateFlow Execute(TemplateRun run)
    {
        run.Write(TemplateText.Of(run, value.Evaluate(run)));
        return TemplateFlow.Next;
    }
}

/// <summary>The first branch whose condition holds; the last may have none.</summary>
internal sealed class IfStatement(IReadOnlyList<(TemplateExpression? Condition, IReadOnlyList<TemplateStatement> Body)> branches) : TemplateStatement
{
    public override TemplateFlow Execute(TemplateRun run)
    {
        foreach (var (condition, body) in branches)
        {
            if (condition is null || TemplateValues.IsTrue(condition.Evaluate(run)))
            {
                return ExecuteAll(run, body);
            }
        }

        return TemplateFlow.Next;
    }
}

/// <summary>Once for each item; what is set inside is gone after each turn, but for the values of a namespace.</summary>
internal sealed class ForStatement(
    TemplateTarget target, TemplateExpression items, TemplateExpression? condition, IReadOnlyList<TemplateStatement> body, IReadOnlyList<TemplateStatement> otherwise)
    : TemplateStatement
{
    public override TemplateFlow Execute(TemplateRun run)
    {
        var all = TemplateValues.Items(run, items.Evaluate(run));
        if (condition is not null)
        {
            all = all.FindAll(item => run.Within(ofWhole: false, () =>
            {
                target.Assign(run, item);
                return TemplateValues.IsTrue(condition.Evaluate(run));
            }));
        }

        if (all.Count == 0)
        {
            return ExecuteAll(run, otherwise);
        }

        for (var at = 0; at < all.Count; at++)
        {
            if (run.Within(ofWhole: false, () => Turn(run, all, at)) == TemplateFlow.Break)
            {
                break;
            }
        }

        return TemplateFlow.Next;
    }

    private TemplateFlow Turn(TemplateRun run, List<object?> all, int at)
    {
        run.Set("loop", new TemplateLoop(all, at));
        target.Assign(run, all[at]);
        return ExecuteAll(run, body);
    }
}

/// <summary>Gives a name a value, or what is written inside.</summary>
internal sealed class SetStatement(TemplateTarget target, TemplateExpression? value, IReadOnlyList<TemplateStatement> body) : TemplateStatement
{
    public override TemplateFlow Execute(TemplateRun run)
    {
        target.Assign(run, value is not null ? value.Evaluate(run) : run.Capture(() => run.Within(ofWhole: false, () => ExecuteAll(run, body))));
        return TemplateFlow.Next;
    }
}

/// <summary>Defines a function that gives what it writes.</summary>
internal sealed class MacroStatement(
    string name, IReadOnlyList<(string Name, TemplateExpression? Otherwise)> takes, IReadOnlyList<TemplateStatement> body) : TemplateStatement
{
    public override TemplateFlow Execute(TemplateRun run)
    {
        run.Set(name, (TemplateFunction)Call);
        return TemplateFlow.Next;
    }

    private object? Call(TemplateRun run, TemplateArguments given) => run.Capture(() => run.Within(ofWhole: true, () =>
    {
        for (var i = 0; i < takes.Count; i++)
        {
            run.Step();
            run.Set(takes[i].Name, given.Get(i, takes[i].Name, new TemplateUndefined(takes[i].Name)));
            if (run.Find(takes[i].Name) is TemplateUndefined && takes[i].Otherwise is { } otherwise)
            {
                run.Set(takes[i].Name, otherwise.Evaluate(run));
            }
        }

        return ExecuteAll(run, body);
    }));
}

/// <summary>Statements that only stand together.</summary>
internal sealed class GroupStatement(IReadOnlyList<TemplateStatement> body) : TemplateStatement
{
    public override TemplateFlow Execute(TemplateRun run) => ExecuteAll(run, body);
}

/// <summary>Ends a loop or a turn of it.</summary>
internal sealed class LeaveStatement(TemplateFlow flow) : TemplateStatement
{
    public override TemplateFlow Execute(TemplateRun run) => flow;
}

/// <summary>What is given a value: a name, a value of a namespace, or several names at once.</summary>
/// <param name="Names">The names.</param>
/// <param name="Value">The value's name, where the one name is that of a namespace.</param>
/// <param name="Unpacks">True if a list is taken apart.</param>
internal sealed record TemplateTarget(IReadOnlyList<string> Names, string? Value, bool Unpacks)
{
    public void Assign(TemplateRun run, object? value)
    {
        if (Value is not null)
        {
            var space = run.Find(Names[0]) as TemplateNamespace ?? throw run.Refused($"'{Names[0]}' is no namespace");
            run.Charge(Value.Length);
            space.Values[Value] = value;
            return;
        }

        if (!Unpacks)
        {
            run.Set(Names[0], value);
            return;
        }

        var items = TemplateValues.Items(run, value);
        if (items.Count != Names.Count)
        {
            throw run.Refused($"{items.Count} values for {Names.Count} names");
        }

        for (var i = 0; i < items.Count; i++)
        {
            run.Set(Names[i], items[i]);
        }
    }
}

/// <summary>What a loop tells its body: where it stands.</summary>
/// <param name="items">All of them.</param>
/// <param name="at">The place, from 0.</param>
internal sealed class TemplateLoop(List<object?> items, int at)
{
    public object? Part(string name) => name switch
    {
        "index" => at + 1L,
        "index0" => (long)at,
        "revindex" => (long)items.Count - at,
        "revindex0" => items.Count - at - 1L,
        "first" => at == 0,
        "last" => at == items.Count - 1,
        "length" => (long)items.Count,
        "previtem" when at > 0 => items[at - 1],
        "nextitem" when at + 1 < items.Count => items[at + 1],
        _ => new TemplateUndefined($"loop.{name}"),
    };

    public object? Cycle(TemplateRun run, TemplateArguments given) =>
        given.Places.Count == 0 ? throw run.Refused("'cycle' has nothing to choose from") : given.Places[at % given.Places.Count];
}
