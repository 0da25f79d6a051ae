using System.Reflection;
using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Web;

/// <summary>An account of a run for those who were not there: a page that is whole in itself, and a card for the model. From ledger, log and store alone.</summary>
public static class RunAccount
{
    /// <summary>The account as one HTML file that needs nothing else.</summary>
    /// <param name="sources">Where the run's files are.</param>
    /// <exception cref="InputException">There is no run, or its ledger is damaged.</exception>
    public static string Html(RunSources sources)
    {
        using var reader = ReadAll(sources);
        return AccountPage.Of(reader.Book, Baselines.Read(sources.Comparison) ?? []);
    }

    /// <summary>A card for the newest checkpoint, in the form of Hugging Face.</summary>
    /// <param name="sources">Where the run's files are.</param>
    /// <exception cref="InputException">There is no run or no checkpoint yet, or the ledger is damaged.</exception>
    public static string ModelCard(RunSources sources)
    {
        using var reader = ReadAll(sources);
        return reader.Book.State.LatestCheckpoint is { } latest
            ? AccountCard.Of(reader.Book, latest.Round, latest.Digest)
            : throw new InputException($"{sources.Folder} has no checkpoint yet: train at least until the first settlement.");
    }

    /// <summary>Which program makes the account.</summary>
    internal static string Program { get; } =
        typeof(RunAccount).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>The command that gives the same bits from the same data.</summary>
    internal static string Command(RunBook book)
    {
        var (rules, members) = (book.Rules, book.State.Genesis.Members);
        return $"./cairn swarm {(rules.Model.FromModel ? "--from" : "--preset")} {rules.Model.Preset} --peers {members.Count(member => member.Role == Role.Peer)} " +
            $"--validators {members.Count(member => member.Role == Role.Validator)} --rounds {rules.Round.Rounds} --seed {rules.Seed}";
    }

    private static RunReader ReadAll(RunSources sources)
    {
        var reader = RunReader.Open(sources);
        try
        {
            new RunFollower(reader, TimeProvider.System, () => { }).ReadAll();
            return reader;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }
}
