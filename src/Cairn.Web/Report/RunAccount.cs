using System.Globalization;
using System.Reflection;
using Cairn.Base;
using Cairn.Data;
using Cairn.Ledger;
using Cairn.Protocol;

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
        return AccountPage.Of(reader.Book, SourceOfData(reader.Book, sources));
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

    /// <summary>The command that gives the same bits from the same text; null where others could join or validators changed the rules: they are not
    /// there again.</summary>
    internal static string? Command(RunBook book)
    {
        var (rules, members) = (book.Rules, book.State.Genesis.Members);
        var peers = members.Count(member => member.Role == Role.Peer);
        if (rules.PeersMax != peers || book.State.RulesVersions.Count > 1)
        {
            return null;
        }

        var command = $"./cairn swarm {(rules.Model.FromModel ? "--from" : "--preset")} {rules.Model.Preset} --peers {peers} " +
            $"--validators {members.Count - peers} --rounds {rules.Round.Rounds} --seed {rules.Seed}";
        var sparse = rules.Sparse;
        return command
            + (sparse.Combination == Combination.Mean ? "" : $" --combine {WordOf(sparse.Combination)}")
            + (sparse.Tolerated == 0 ? "" : $" --tolerated {sparse.Tolerated}")
            + (sparse.Quantization == Quantization.Sign ? "" : sparse.Quantization == Quantization.Published ? " --quantize published" : " --quantize sign-magnitude")
            + (sparse.Coding == Coding.Small ? "" : " --coding fast")
            + string.Create(CultureInfo.InvariantCulture, $" --outer-rate {sparse.OuterRate}")
            + (rules.Round.ApplyDelay == 0 ? "" : $" --apply-delay {rules.Round.ApplyDelay}")
            + (rules.Anneal is not { } anneal ? " --anneal-rounds 0"
                : string.Create(CultureInfo.InvariantCulture, $" --anneal-rounds {rules.Round.Rounds - anneal.FromStep}")
                    + (anneal.PeakFraction == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" --anneal-rate {anneal.PeakFraction}")))
            + $" --probes {rules.Round.ProbedPeers} --probe-sequences {rules.Round.ProbeSequences}";
    }

    private static string WordOf(Combination combination) => combination switch
    {
        Combination.MeanOfSelectors => "selectors",
        Combination.Support => "support",
        Combination.TrimmedMean => "trimmed",
        Combination.SignVote => "votes",
        _ => "mean",
    };

    // For people, and only if it is that of the rules.
    private static string? SourceOfData(RunBook book, RunSources sources)
    {
        try
        {
            var manifest = File.Exists(sources.Data) ? DataManifest.Load(sources.Data) : null;
            return manifest is null || manifest.Digest != book.Rules.Data.Manifest ? null
                : $"{manifest.Source}: {Words.Count(manifest.TrainTokens)} tokens to train on, "
                    + (manifest.AnnealShards == 0 ? "" : $"of them {Words.Count(manifest.Anneal.Sum(shard => shard.Tokens))} for the end of the run, ")
                    + $"{Words.Count(manifest.HeldOut.Tokens)} held out";
        }
        catch (InputException)
        {
            return null;
        }
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
