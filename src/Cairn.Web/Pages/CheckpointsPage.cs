using System.Globalization;
using Cairn.Base;
using Cairn.Model;

namespace Cairn.Web;

/// <summary>The page Checkpoints: which ones the validators agreed on, and which of their files are here.</summary>
internal static class CheckpointsPage
{
    private const int Shown = 200;

    /// <summary>Files that may be fetched.</summary>
    public static IReadOnlyList<string> FileNames { get; } =
        [Checkpoint.ParametersFile, Checkpoint.ConfigFile, Checkpoint.GenerationFile, "tokenizer.json"];

    public static IReadOnlyList<CheckpointView> All(RunBook book, RunSources sources)
    {
        List<(int Round, Digest Digest, double? Loss, double? Bits)> named;
        lock (book.Gate)
        {
            named = [.. book.State.Checkpoints.TakeLast(Shown).Reverse().Select(checkpoint =>
                (checkpoint.Round.Number, checkpoint.Digest, book.Round(checkpoint.Round.Number)?.Loss, book.Round(checkpoint.Round.Number)?.BitsPerByte))];
        }

        return [.. named.Select(checkpoint =>
        {
            var files = FileNames.Select(name => new FileInfo(Path.Combine(FolderOf(sources, checkpoint.Round), name))).Where(file => file.Exists)
                .Select(file => new FileView(file.Name, file.Length)).ToList();
            return new CheckpointView(
                checkpoint.Round, checkpoint.Digest.ToString(), files.Exists(file => file.Name == Checkpoint.ParametersFile), files.Sum(file => file.Bytes),
                checkpoint.Loss, checkpoint.Bits, files);
        })];
    }

    /// <summary>The path of a file of a checkpoint that the ledger names, or null.</summary>
    public static string? PathOf(RunBook book, RunSources sources, int round, string file)
    {
        lock (book.Gate)
        {
            if (!FileNames.Contains(file) || !book.State.Checkpoints.Any(checkpoint => checkpoint.Round.Number == round))
            {
                return null;
            }
        }

        var path = Path.Combine(FolderOf(sources, round), file);
        return File.Exists(path) ? path : null;
    }

    /// <summary>Where the checkpoint of a round lies.</summary>
    public static string FolderOf(RunSources sources, int round) => Path.Combine(sources.Checkpoints, round.ToString("D6", CultureInfo.InvariantCulture));
}
