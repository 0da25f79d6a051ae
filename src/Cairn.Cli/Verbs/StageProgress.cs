namespace Cairn.Cli.Verbs;

/// <summary>Prints each stage of a longer work as it begins, beside the result: on the error stream.</summary>
internal sealed class StageProgress : IProgress<string>
{
    /// <summary>For a verb: nothing is printed where the output is read by a program.</summary>
    public static StageProgress? For(bool json) => json ? null : new StageProgress();

    /// <inheritdoc/>
    public void Report(string value) => Console.Error.WriteLine($"  {value}");
}
