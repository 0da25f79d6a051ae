using System.Xml.Linq;

namespace Cairn.Tidy.Tests;

/// <summary>The rooms know each other only along the arrows of docs/flow.md.</summary>
public sealed class ProjectTests
{
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["Cairn.Base"] = [],
        ["Cairn.Compute"] = ["Cairn.Base"],
        ["Cairn.Data"] = ["Cairn.Base"],
        ["Cairn.Model"] = ["Cairn.Base", "Cairn.Compute"],
        ["Cairn.Formats"] = ["Cairn.Base", "Cairn.Compute", "Cairn.Data", "Cairn.Model"],
        ["Cairn.Inference"] = ["Cairn.Base", "Cairn.Compute", "Cairn.Data", "Cairn.Formats", "Cairn.Model"],
        ["Cairn.Training"] = ["Cairn.Base", "Cairn.Compute", "Cairn.Model"],
        ["Cairn.Sparse"] = ["Cairn.Base", "Cairn.Compute"],
        ["Cairn.Ledger"] = ["Cairn.Base"],
        ["Cairn.Ledger.Evm"] = ["Cairn.Base", "Cairn.Ledger"],
        ["Cairn.Gauntlet"] = ["Cairn.Base"],
        ["Cairn.Protocol"] = ["Cairn.Base", "Cairn.Ledger", "Cairn.Gauntlet"],
        ["Cairn.Exchange"] = ["Cairn.Base"],
        ["Cairn.Evaluation"] = ["Cairn.Base", "Cairn.Compute", "Cairn.Data", "Cairn.Model"],
        ["Cairn.Node"] = [.. Pure, "Cairn.Data", "Cairn.Formats", "Cairn.Exchange", "Cairn.Ledger.Evm"],
        ["Cairn.Simulation"] = [.. Pure, "Cairn.Data", "Cairn.Exchange"],
        ["Cairn.Bench"] = [.. Pure, "Cairn.Data", "Cairn.Exchange", "Cairn.Formats", "Cairn.Inference", "Cairn.Simulation", "Cairn.Web"],
        ["Cairn.Web"] = ["Cairn.Base", "Cairn.Compute", "Cairn.Model", "Cairn.Data", "Cairn.Formats", "Cairn.Inference", "Cairn.Ledger", "Cairn.Protocol"],
        ["Cairn.Cli"] =
        [
            .. Pure, "Cairn.Data", "Cairn.Evaluation", "Cairn.Formats", "Cairn.Inference", "Cairn.Exchange", "Cairn.Ledger.Evm", "Cairn.Node", "Cairn.Simulation",
            "Cairn.Web", "Cairn.Bench",
        ],
    };

    private static readonly Dictionary<string, string[]> Packages = new()
    {
        ["Cairn.Cli"] = ["System.CommandLine", "Spectre.Console"],
        ["Cairn.Data"] = ["Parquet.Net", "ZstdSharp.Port"],
        ["Cairn.Exchange"] = ["AWSSDK.S3", "AWSSDK.Core"],
        ["Cairn.Node"] = ["OpenTelemetry", "OpenTelemetry.Exporter.OpenTelemetryProtocol"],
    };

    private static readonly string[] TestPackages = ["Microsoft.NET.Test.Sdk", "xunit.v3", "xunit.runner.visualstudio"];

    // What the tests of one project need beside those.
    private static readonly Dictionary<string, string[]> PackagesOfTests = new() { ["Cairn.Web.Tests"] = ["Microsoft.Playwright"] };

    // Where hidden time, chance or I/O would break replay. Base holds the key file, Data and the ledger hold files.
    private static readonly string[] WithoutIO = ["Cairn.Compute", "Cairn.Model", "Cairn.Training", "Cairn.Sparse", "Cairn.Gauntlet", "Cairn.Protocol", "Cairn.Simulation"];

    private static string[] Pure =>
    [
        "Cairn.Base", "Cairn.Compute", "Cairn.Model", "Cairn.Training", "Cairn.Sparse", "Cairn.Ledger", "Cairn.Gauntlet", "Cairn.Protocol",
    ];

    [Fact]
    public void No_room_sees_another_than_those_its_arrows_allow()
    {
        var faults = new List<string>();
        foreach (var project in Repository.Projects.Where(project => !IsTest(project)))
        {
            var name = Path.GetFileNameWithoutExtension(project);
            if (!Arrows.TryGetValue(name, out var allowed))
            {
                faults.Add($"{name} is a new room: add it and its arrows here and in docs/flow.md");
                continue;
            }

            faults.AddRange(Included(project, "ProjectReference").Select(Path.GetFileNameWithoutExtension).Except(allowed).Select(other => $"{name} sees {other}"));
        }

        Faults.None(faults);
    }

    [Fact]
    public void Nobody_sees_the_command_line_but_its_own_tests()
    {
        var faults = Repository.Projects
            .Where(project => !project.StartsWith("tests/Cairn.Cli.Tests/", StringComparison.Ordinal))
            .Where(project => Included(project, "ProjectReference").Any(other => Path.GetFileNameWithoutExtension(other) == "Cairn.Cli"));
        Faults.None(faults);
    }

    [Fact]
    public void No_room_opens_its_internals_to_another_room()
    {
        var faults = Repository.Projects.SelectMany(project => Included(project, "InternalsVisibleTo"), (project, friend) => (project, friend))
            .Where(pair => !pair.friend.EndsWith(".Tests", StringComparison.Ordinal));
        Faults.None(faults);
        Assert.DoesNotContain(Repository.Sources.Where(file => file.StartsWith("src/", StringComparison.Ordinal)), file => Repository.Read(file).Contains("[assembly: InternalsVisibleTo"));
    }

    [Fact]
    public void Packages_are_only_those_that_were_agreed()
    {
        var faults = new List<string>();
        foreach (var project in Repository.Projects)
        {
            var name = Path.GetFileNameWithoutExtension(project);
            var allowed = IsTest(project) ? [.. TestPackages, .. PackagesOfTests.GetValueOrDefault(name, [])] : Packages.GetValueOrDefault(name, []);
            faults.AddRange(Included(project, "PackageReference").Except(allowed).Select(package => $"{name} uses {package}"));
        }

        Faults.None(faults);
    }

    [Fact]
    public void Rooms_without_clocks_files_or_tasks_are_held_to_it_by_the_compiler()
    {
        foreach (var room in WithoutIO)
        {
            var flag = XDocument.Load(Path.Combine(Repository.Root, $"src/{room}/{room}.csproj")).Descendants("PureRoom").SingleOrDefault()?.Value;
            Assert.True(flag == "true", $"{room} must say <PureRoom>true</PureRoom>");
        }
    }

    [Fact]
    public void Every_project_is_in_the_solution_and_has_its_lock_file()
    {
        var listed = XDocument.Load(Path.Combine(Repository.Root, "Cairn.slnx")).Descendants("Project").Select(project => project.Attribute("Path")!.Value).ToHashSet();
        Faults.None(Repository.Projects.Except(listed));
        Faults.None(listed.Except(Repository.Projects));
        Faults.None(Repository.Projects.Where(project => !Repository.Has(Path.GetDirectoryName(project) + "/packages.lock.json")));
    }

    private static bool IsTest(string project) => project.StartsWith("tests/", StringComparison.Ordinal);

    private static IEnumerable<string> Included(string project, string element) =>
        XDocument.Load(Path.Combine(Repository.Root, project)).Descendants(element).Select(item => item.Attribute("Include")?.Value).OfType<string>();
}
