namespace Cairn.Inference;

/// <summary>What the signs do between two values, as in Python.</summary>
internal static class TemplateArithmetic
{
    /// <summary>Applies a sign.</summary>
    /// <exception cref="Cairn.Base.InputException">It means nothing between such values, or the result is out of range.</exception>
    public static object? Apply(TemplateRun run, string sign, object? left, object? right)
    {
        switch (sign)
        {
            case "~":
                return Joined(run, TemplateText.Of(run, left), TemplateText.Of(run, right));
            case "+" when left is string one && right is string two:
                return Joined(run, one, two);
            case "+" when left is List<object?> one && right is List<object?> two:
                run.ChargeItems(one.Count + two.Count);
                return one.Concat(two).ToList();
            case "*" when left is string text && TemplateValues.IsWhole(right, out var times):
                return Repeated(run, text, times);
            case "*" when right is string text && TemplateValues.IsWhole(left, out var times):
                return Repeated(run, text, times);
        }

        if (TemplateValues.IsWhole(left, out var a) && TemplateValues.IsWhole(right, out var b) && sign != "/")
        {
            return Whole(run, sign, a, b);
        }

        return TemplateValues.IsNumber(left, out var x) && TemplateValues.IsNumber(right, out var y)
            ? Real(run, sign, x, y)
            : throw run.Refused($"'{sign}' means nothing between {TemplateValues.KindOf(left)} and {TemplateValues.KindOf(right)}");
    }

    private static string Joined(TemplateRun run, string left, string right)
    {
        run.Charge((long)left.Length + right.Length);
        return left + right;
    }

    private static string Repeated(TemplateRun run, string text, long times)
    {
        times = Math.Clamp(times, 0, text.Length == 0 ? 0 : int.MaxValue);
        run.Charge(text.Length * times);
        return string.Create((int)(text.Length * times), text, (whole, part) =>
        {
            for (var at = 0; at < whole.Length; at += part.Length)
            {
                part.CopyTo(whole[at..]);
            }
        });
    }

    private static long Whole(TemplateRun run, string sign, long a, long b)
    {
        try
        {
            return sign switch
            {
                "+" => checked(a + b),
                "-" => checked(a - b),
                "*" => checked(a * b),
                _ when b is 0 or -1 => b == 0 ? throw run.Refused("a division by zero") : sign == "%" ? 0 : checked(-a),
                // Python rounds down, and the rest has the sign of the divisor.
                "//" => (a / b) - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0),
                _ => checked((a % b) + b) % b,
            };
        }
        catch (OverflowException)
        {
            throw run.Refused("a number is too large");
        }
    }

    private static double Real(TemplateRun run, string sign, double x, double y) => sign switch
    {
        "+" => x + y,
        "-" => x - y,
        "*" => x * y,
        _ when y == 0 => throw run.Refused("a division by zero"),
        "/" => x / y,
        "//" => Math.Floor(x / y),
        _ => x - (y * Math.Floor(x / y)),
    };
}
