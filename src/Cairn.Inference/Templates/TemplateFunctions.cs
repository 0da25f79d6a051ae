using Cairn.Base;

namespace Cairn.Inference;

/// <summary>The functions that a template can call. There is no clock among them: the same conversation gives the same text on any day, and templates that ask
/// whether there is one have a date of their own.</summary>
internal static class TemplateFunctions
{
    private const int RangeMax = 100_000;

    /// <summary>All, by name.</summary>
    public static IReadOnlyDictionary<string, TemplateFunction> All { get; } = new Dictionary<string, TemplateFunction>(StringComparer.Ordinal)
    {
        ["range"] = Range,
        ["namespace"] = Namespace,
        ["dict"] = Map,
        ["raise_exception"] = Refuse,
    };

    private static List<object?> Range(TemplateRun run, TemplateArguments given)
    {
        var numbers = new List<long>();
        foreach (var place in given.Places)
        {
            numbers.Add(TemplateValues.IsWhole(place, out var number) && number is >= -int.MaxValue and <= int.MaxValue ? number
                : throw run.Refused("'range' takes whole numbers"));
        }

        var (from, to, step) = numbers switch
        {
            [var end] => (0L, end, 1L),
            [var begin, var end] => (begin, end, 1L),
            [var begin, var end, var by] when by != 0 => (begin, end, by),
            _ => throw run.Refused("'range' takes one to three numbers, the third not 0"),
        };
        var count = Math.Max(0, (to - from + step - Math.Sign(step)) / step);
        if (count > RangeMax)
        {
            throw run.Refused($"'range' gives at most {RangeMax} numbers");
        }

        run.ChargeItems(count);
        return [.. Enumerable.Range(0, (int)count).Select(i => (object?)(from + (i * step)))];
    }

    private static TemplateNamespace Namespace(TemplateRun run, TemplateArguments given)
    {
        var space = new TemplateNamespace();
        foreach (var (name, value) in given.Names)
        {
            space.Values[name] = value;
        }

        return space;
    }

    private static TemplateMap Map(TemplateRun run, TemplateArguments given)
    {
        var map = new TemplateMap();
        foreach (var (name, value) in given.Names)
        {
            map[name] = value;
        }

        return map;
    }

    // What the template says is for whoever sent the conversation.
    private static object? Refuse(TemplateRun run, TemplateArguments given) =>
        throw new InputException($"the model's chat template refuses this conversation: {TemplateText.Of(run, given.Get(0, "message"))}");
}
