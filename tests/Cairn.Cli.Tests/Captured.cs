namespace Cairn.Cli.Tests;

/// <summary>The program within this process: what it printed and what it returned.</summary>
/// <param name="Code">Exit code.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Errors">Standard error.</param>
internal sealed record Captured(int Code, string Output, string Errors)
{
    // There is one console: tests that take it stand in one class.
    public static async Task<Captured> RunAsync(params string[] arguments)
    {
        var (output, errors) = (Console.Out, Console.Error);
        using var newOutput = new StringWriter();
        using var newErrors = new StringWriter();
        Console.SetOut(newOutput);
        Console.SetError(newErrors);
        try
        {
            var code = await App.RunAsync(arguments);
            return new Captured(code, newOutput.ToString(), newErrors.ToString());
        }
        finally
        {
            Console.SetOut(output);
            Console.SetError(errors);
        }
    }

    /// <summary>Finds that there is one sentence on the error stream, without a trace of the stack, and that code.</summary>
    public string AssertRefused(int code)
    {
        Assert.Equal((code, 1), (Code, Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length));
        Assert.StartsWith("cairn: ", Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", Errors, StringComparison.Ordinal);
        return Errors;
    }
}
