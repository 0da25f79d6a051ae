using Cairn.Base;
using Cairn.Formats;
using Cairn.Node;

namespace Cairn.Cli;

/// <summary>Finds the model that a path of the command line means.</summary>
internal static class ModelPlace
{
    /// <summary>Opens a model: a run's newest checkpoint, verified; a folder; or a file.</summary>
    /// <param name="path">From the command line.</param>
    /// <exception cref="InputException">There is no model, or it cannot be used.</exception>
    public static ModelFile Open(string path) => ModelFile.Open(FolderOf(path));

    /// <summary>Where the files of a model are: a run's newest checkpoint, verified, or the path itself.</summary>
    /// <param name="path">From the command line.</param>
    /// <exception cref="InputException">The run has no checkpoint, or a damaged one.</exception>
    public static string FolderOf(string path) => new RunDirectory(path) is { HoldsRun: true } run ? CheckpointFolder.Verified(run) : path;
}
