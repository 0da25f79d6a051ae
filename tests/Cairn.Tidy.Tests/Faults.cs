namespace Cairn.Tidy.Tests;

/// <summary>Fails with all that was found, one to a line: the assertions of the test framework show the first few only.</summary>
internal static class Faults
{
    public static void None<T>(IEnumerable<T> found)
    {
        var lines = found.Select(fault => $"{fault}").ToList();
        Assert.True(lines.Count == 0, string.Join('\n', lines));
    }
}
