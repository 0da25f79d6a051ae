namespace Cairn.Inference;

/// <summary>What stands behind <c>is</c>.</summary>
internal static class TemplateKinds
{
    private static readonly HashSet<string> Names =
    [
        "defined", "undefined", "none", "string", "mapping", "sequence", "iterable", "number", "integer", "float", "boolean", "true", "false", "even", "odd",
        "divisibleby", "in",
        "equalto", "eq", "==", "ne", "!=", "sameas", "callable", "lower", "upper", "lt", "le", "gt", "ge",
    ];

    /// <summary>True if there is such a question.</summary>
    public static bool Has(string name) => Names.Contains(name);

    /// <summary>True if a value is so.</summary>
    /// <exception cref="Cairn.Base.InputException">It cannot be said of such a value.</exception>
    public static bool Is(TemplateRun run, string name, object? value, TemplateArguments given)
    {
        run.Step();
        run.Charge(name is "lower" or "upper" ? (value as string)?.Length ?? 0 : 0);
        return name switch
        {
            "defined" => value is not TemplateUndefined,
            "undefined" => value is TemplateUndefined,
            "none" => value is null,
            "string" => value is string,
            "mapping" => value is TemplateMap,
            "sequence" or "iterable" => value is string or List<object?> or TemplateMap || (name == "iterable" && value is TemplateUndefined),
            "number" => value is long or double or bool,
            "integer" => value is long,
            "float" => value is double,
            "boolean" => value is bool,
            "true" => value is true,
            "false" => value is false,
            "even" => Whole(run, value) % 2 == 0,
            "odd" => Whole(run, value) % 2 != 0,
            "divisibleby" => Whole(run, given.Get(0, "num")) is not 0 and not -1 and var by ? Whole(run, value) % by == 0 : throw run.Refused("a division by zero"),
            "in" => TemplateValues.Contains(run, given.Get(0, "seq"), value),
            "equalto" or "eq" or "==" or "sameas" => TemplateValues.AreEqual(run, value, given.Get(0, "other")),
            "ne" or "!=" => !TemplateValues.AreEqual(run, value, given.Get(0, "other")),
            "lt" => TemplateValues.Compare(run, value, given.Get(0, "other")) < 0,
            "le" => TemplateValues.Compare(run, value, given.Get(0, "other")) <= 0,
            "gt" => TemplateValues.Compare(run, value, given.Get(0, "other")) > 0,
            "ge" => TemplateValues.Compare(run, value, given.Get(0, "other")) >= 0,
            "callable" => value is TemplateFunction,
            "lower" => value is string small && !small.Any(char.IsUpper) && small.Any(char.IsLower),
            _ => value is string large && !large.Any(char.IsLower) && large.Any(char.IsUpper),
        };
    }

    private static long Whole(TemplateRun run, object? value) =>
        TemplateValues.IsWhole(value, out var number) ? number : throw run.Refused($"{TemplateValues.KindOf(value)} is no whole number");
}
