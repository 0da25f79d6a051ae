using System.Reflection;
using System.Text.Json.Serialization;
using Cairn.Base;

namespace Cairn.Protocol.Tests;

/// <summary>Rules to test with, and every change of one value in them, found by reflection so that no new value is forgotten.</summary>
internal static class SomeRules
{
    public static RunRules Valid { get; } = new(
        RunRules.CurrentVersion, "test", 7, 4,
        new ModelRules("nano", 4096, 128, 4, 4, 2, 384, 128, 10_000, 1e-5, true, 1_000_000, Digest.Of("test/base", [])),
        new DataRules(Digest.Of("test/data", []), Digest.Of("test/tokenizer", []), 10_000, 100),
        new TrainingRules(15, 8, 4e-3, 20, 0.1, 0.9, 0.95, 1e-8, 0.1, 1.0),
        new SparseRules(0.95, 1.5, Combination.Mean, 0, true, 64, Quantization.SignMagnitude, Coding.Small),
        new RoundRules(100, 10, 0, 4, 8, 0.2, 300, 8, 600),
        MoneyRules.Default);

    /// <summary>Each value of the rules changed alone, with its name.</summary>
    public static IEnumerable<(string Name, RunRules Rules)> EveryChange(RunRules rules) =>
        Changes(rules, "").Select(change => (change.Name, (RunRules)change.Changed));

    private static IEnumerable<(string Name, object Changed)> Changes(object record, string path)
    {
        foreach (var property in record.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (!property.CanWrite || property.GetCustomAttribute<JsonIgnoreAttribute>() is not null)
            {
                continue;
            }

            var value = property.GetValue(record)!;
            var name = $"{path}{property.Name}";
            var others = Other(value) is { } other ? [(name, other)] : Changes(value, $"{name}.");
            foreach (var (which, changed) in others)
            {
                yield return (which, With(record, property, changed));
            }
        }
    }

    // Null for a part that has values of its own.
    private static object? Other(object value) => value switch
    {
        int number => number + 1,
        long number => number + 1,
        ulong number => number + 1,
        double number => number * 1.0000000001,
        bool flag => !flag,
        string text => text + "x",
        Digest digest => Digest.Of("test/other", digest.ToArray()),
        Combination combination => 1 - combination,
        Quantization quantization => 1 - quantization,
        Coding coding => 1 - coding,
        _ => null,
    };

    private static object With(object record, PropertyInfo property, object value)
    {
        var copy = record.GetType().GetMethod("<Clone>$")!.Invoke(record, null)!;
        property.SetValue(copy, value);
        return copy;
    }
}
