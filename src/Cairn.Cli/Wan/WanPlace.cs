using System.Globalization;
using Cairn.Cli.Chaos;

namespace Cairn.Cli.Wan;

/// <summary>A folder of this process among those that pass, in which the server of a measurement lies; named so that a later process finds what an earlier one left when
/// it was killed.</summary>
internal sealed class WanPlace : IDisposable
{
    private const string NamePrefix = "cairn-wan-";
    private readonly string _folder;

    private WanPlace(string folder) => _folder = folder;

    /// <summary>Where the server goes.</summary>
    public string ServerFolder => ServerOf(_folder);

    /// <summary>Where the run goes if nobody says.</summary>
    public static string RunFolder => Path.Combine(Name(Environment.ProcessId), "run");

    /// <summary>Creates it.</summary>
    public static WanPlace Create() => new(Directory.CreateDirectory(Name(Environment.ProcessId)).FullName);

    /// <summary>Stops the servers of processes that are no more, and deletes their folders.</summary>
    public static async Task RemoveLeftAsync()
    {
        foreach (var folder in Directory.GetDirectories(Path.GetTempPath(), NamePrefix + "*"))
        {
            if (int.TryParse(Path.GetFileName(folder)[NamePrefix.Length..], CultureInfo.InvariantCulture, out var owner) && !NetworkSpaces.IsAlive(owner))
            {
                await LocalS3.StopLeftAsync(ServerOf(folder));
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string Name(int process) => Path.Combine(Path.GetTempPath(), NamePrefix + process.ToString(CultureInfo.InvariantCulture));

    private static string ServerOf(string folder) => Path.Combine(folder, "s3");
}
