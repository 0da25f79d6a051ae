using System.Text.RegularExpressions;

namespace Cairn.Tidy.Tests;

/// <summary>What the documents name is there.</summary>
public sealed partial class DocumentTests
{
    [Fact]
    public void The_flow_names_every_room()
    {
        var flow = Repository.Read("docs/flow.md");
        var rooms = Directory.GetDirectories(Path.Combine(Repository.Root, "src")).Select(folder => Path.GetFileName(folder)!).Where(name => Repository.Has($"src/{name}/{name}.csproj"));
        Faults.None(rooms.Where(room => !flow.Contains($"`{room}`", StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_path_in_a_document_exists()
    {
        var faults = Repository.Documents.SelectMany(document => NamedPath().Matches(Repository.Read(document)), (document, match) => (document, path: match.Groups[1].Value.TrimEnd('.', '-')))
            .Where(found => !Repository.Has(found.path));
        Faults.None(faults);
    }

    [Fact]
    public void Every_link_between_documents_leads_somewhere()
    {
        var faults = new List<string>();
        foreach (var document in Repository.Documents)
        {
            foreach (Match match in Link().Matches(Repository.Read(document)))
            {
                var target = match.Groups[1].Value.Split('#')[0];
                var folder = Path.GetDirectoryName(document)!;
                if (target.Length > 0 && !target.Contains("://", StringComparison.Ordinal) && !target.StartsWith("mailto:", StringComparison.Ordinal) && !Repository.Has(Path.Combine(folder, target)))
                {
                    faults.Add($"{document} links to {target}");
                }
            }
        }

        Faults.None(faults);
    }

    [Fact]
    public void The_tree_in_the_readme_is_the_tree_of_the_repository()
    {
        if (!Repository.Has("README.md"))
        {
            Assert.Skip("there is no README yet");
        }

        Faults.None(Trees(Repository.Lines("README.md")).Where(path => !Repository.Has(path)));
    }

    [Theory]
    [InlineData("src/\n  Cairn.Base/   digests\n  Cairn.Cli/    verbs\ndocs/\n  wire.md", "src src/Cairn.Base src/Cairn.Cli docs docs/wire.md")]
    [InlineData("cairn/\n├── src/\n│   ├── Cairn.Base   digests\n│   └── Cairn.Cli\n└── docs/", "src src/Cairn.Base src/Cairn.Cli docs")]
    [InlineData(".\n├─ cairn          the launcher\n└─ src/Cairn.Base  digests", "cairn src/Cairn.Base")]
    [InlineData("$ ./cairn swarm\nround 1", "")]
    [InlineData("┌─────┐\n├─ a ─┤\n│ b/  │", "")]
    [InlineData("runs/swarm-1/\n  report.json", "")]
    public void Trees_are_read_in_the_usual_spellings(string block, string paths) =>
        Assert.Equal(paths, string.Join(' ', Trees(["```", .. block.Split('\n'), "```"])));

    // Paths of all trees drawn in fenced blocks: a block is one if its first line, or its second below a root, names a folder.
    private static IEnumerable<string> Trees(string[] lines)
    {
        for (var at = 0; at < lines.Length; at++)
        {
            if (!lines[at].StartsWith("```", StringComparison.Ordinal))
            {
                continue;
            }

            var block = lines.Skip(at + 1).TakeWhile(line => !line.StartsWith("```", StringComparison.Ordinal)).ToArray();
            at += block.Length + 1;
            foreach (var path in Tree(block))
            {
                yield return path;
            }
        }
    }

    private static IEnumerable<string> Tree(string[] block)
    {
        // Lines of tables have corners that trees have not; what a run leaves behind is no part of the repository.
        var drawn = block.Any(line => line.Contains("├─", StringComparison.Ordinal)) && !block.Any(line => line.AsSpan().ContainsAny("┤┐╮┘╯"));
        if (block.Length < 2 || block[0].StartsWith("runs/", StringComparison.Ordinal) || !(drawn || FolderLine().IsMatch(block[0])))
        {
            yield break;
        }

        var above = new Stack<(int Column, string Path)>();
        foreach (var line in block.Where(line => TreeName().IsMatch(line)))
        {
            var name = TreeName().Match(line).Groups[1];
            while (above.TryPeek(out var last) && last.Column >= name.Index)
            {
                above.Pop();
            }

            // The first line of a drawn tree at column 0 is the root itself.
            var isRoot = drawn && name.Index == 0;
            var path = isRoot ? "" : (above.TryPeek(out var parent) && parent.Path.Length > 0 ? parent.Path + "/" : "") + name.Value.TrimEnd('/');
            above.Push((name.Index, path));
            if (!isRoot)
            {
                yield return path;
            }
        }
    }

    [GeneratedRegex(@"^[\w.\-]+/(\s|$)")]
    private static partial Regex FolderLine();

    [GeneratedRegex(@"^[\s│├└─|`]*([\w.][\w.\-/]*)")]
    private static partial Regex TreeName();

    // A pattern such as src/Cairn.* is no path.
    [GeneratedRegex(@"(?<![\w./\-])((?>(?:src|tests|docs|bench)/[\w\-./]*))(?![*<{…])")]
    private static partial Regex NamedPath();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}
