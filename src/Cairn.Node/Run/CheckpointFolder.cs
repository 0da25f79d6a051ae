using Cairn.Base;
using Cairn.Data;
using Cairn.Exchange;
using Cairn.Formats;
using Cairn.Model;

namespace Cairn.Node;

/// <summary>Checkpoints in the Hugging Face layout: published to the store after a settlement; in a directory store each is a folder that other programs load.</summary>
public static class CheckpointFolder
{
    /// <summary>The tokenizer's file.</summary>
    public const string TokenizerFile = "tokenizer.json";

    /// <summary>The digests of the parameters' pieces, 32 bytes each: by them a part of the parameters can be checked alone, whoever gave it.</summary>
    public const string PiecesFile = "pieces.bin";

    /// <summary>How many checkpoints a store keeps, the newest ones.</summary>
    internal const int Kept = 3;

    /// <summary>The newest whole checkpoint of a run, or null if none was settled yet.</summary>
    /// <param name="directory">The run.</param>
    public static string? Newest(RunDirectory directory)
    {
        var parent = directory.Checkpoints;
        return !Directory.Exists(parent) ? null : Directory.EnumerateDirectories(parent)
            .Where(folder => Path.GetFileName(folder) is { Length: >= 6 } name && name.All(char.IsAsciiDigit))
            .Where(folder => File.Exists(Path.Combine(folder, Checkpoint.ParametersFile)))
            .OrderByDescending(Path.GetFileName, StringComparer.Ordinal).FirstOrDefault();
    }

    /// <summary>The newest checkpoint that the ledger names, or null if none was settled yet.</summary>
    /// <param name="directory">The run.</param>
    /// <param name="ledger">Its verified ledger.</param>
    internal static (string Folder, Digest Digest)? OfLedger(RunDirectory directory, Ledger.LedgerState ledger) =>
        ledger.LatestCheckpoint is { } latest ? (Path.Combine(directory.Checkpoints, latest.Round.Number.ToString("D6")), latest.Digest) : null;

    /// <summary>Loads the newest checkpoint of a run and compares it with the digest that the validators posted on the ledger.</summary>
    /// <param name="directory">The run.</param>
    /// <returns>The caller disposes the parameters.</returns>
    /// <exception cref="InputException">There is none yet, or it is damaged, or another model lies in its place.</exception>
    public static (Parameters Parameters, Tokenizer Tokenizer) LoadVerified(RunDirectory directory)
    {
        using var named = NamedCheckpoints.Open(directory);
        return named.Load();
    }

    /// <summary>The newest checkpoint of a run, compared with the digest that the validators posted on the ledger.</summary>
    /// <param name="directory">The run.</param>
    /// <returns>Its folder.</returns>
    /// <exception cref="InputException">There is none yet, or it is damaged, or another model lies in its place.</exception>
    public static string Verified(RunDirectory directory)
    {
        using var named = NamedCheckpoints.Open(directory);
        return named.Verify();
    }

    /// <summary>Loads a checkpoint that the ledger names, fetched first where it is not here.</summary>
    /// <exception cref="InputException">It cannot be had now, it is damaged, or another model lies in its place.</exception>
    internal static (Parameters Parameters, Tokenizer Tokenizer) LoadVerified(
        RunDirectory directory, Ledger.LedgerState state, (string Folder, Digest Digest) named, CancellationToken cancellation)
    {
        if (directory.IsOnNetwork && !File.Exists(Path.Combine(named.Folder, Checkpoint.ParametersFile)))
        {
            CheckpointFetch.FetchAsync(
                directory, state.LatestCheckpoint!.Value.Round, named.Digest, [.. state.Validators.Select(member => member.Place).Distinct()], named.Folder,
                cancellation).GetAwaiter().GetResult();
        }

        var (parameters, tokenizer) = Load(named.Folder);
        if (Checkpoint.Digest(parameters) == named.Digest)
        {
            return (parameters, tokenizer);
        }

        parameters.Dispose();
        throw new InputException(
            $"the model in {named.Folder} is not the one that the ledger names ({named.Digest.Short}): delete that folder if it was fetched, " +
            "or restore it from a copy of the store.");
    }

    /// <summary>Loads a model and its tokenizer from a folder in the Hugging Face layout.</summary>
    /// <param name="folder">The folder.</param>
    /// <returns>The caller disposes the parameters.</returns>
    /// <exception cref="InputException">A file is missing, damaged, or of a model that cannot be built.</exception>
    public static (Parameters Parameters, Tokenizer Tokenizer) Load(string folder)
    {
        Stream Open(string name)
        {
            try
            {
                return new FileStream(Path.Combine(folder, name), FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new InputException(
                    $"{Path.Combine(folder, name)} cannot be read ({e.Message}): name a folder that holds config.json, model.safetensors and tokenizer.json.", e);
            }
        }

        try
        {
            var parameters = Checkpoint.Load(Open);
            return (parameters, Tokenizer.Load(Path.Combine(folder, TokenizerFile)));
        }
        catch (InputException e) when (!e.Message.Contains(folder, StringComparison.Ordinal))
        {
            throw new InputException($"{folder}: {e.Message}", e);
        }
    }

    /// <summary>Writes a checkpoint into a folder, parameters last: with them the folder is whole.</summary>
    /// <param name="folder">Created if missing.</param>
    /// <param name="parameters">The model.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="run">Whose model it is; null for that of no run.</param>
    internal static void Save(string folder, Parameters parameters, Tokenizer tokenizer, RunDirectory? run = null)
    {
        foreach (var (name, write) in FilesOf(parameters, tokenizer, run))
        {
            DurableFile.Write(Path.Combine(folder, name), write);
        }
    }

    /// <summary>Publishes a checkpoint, parameters last, and drops those that are three settlements old.</summary>
    /// <returns>Its digest.</returns>
    internal static async Task<Digest> PublishAsync(RunContext run, string node, Round round, Parameters parameters, CancellationToken cancellation)
    {
        var digest = Checkpoint.Digest(parameters);
        // All of it is written before the first wait: the parameters move on while it is being sent.
        var files = new List<(string Name, FileStream File)>();
        try
        {
            foreach (var (name, write) in FilesOf(parameters, run.Data.Tokenizer, run.Directory))
            {
                files.Add((name, run.Spool.Open()));
                Write(files[^1].File, write);
            }

            foreach (var (name, file) in files)
            {
                await PatientPut.PutAsync(run, node, ObjectKey.Checkpoint(round, name), file.SafeFileHandle, cancellation);
            }
        }
        finally
        {
            files.ForEach(one => one.File.Dispose());
        }

        await ForgetAsync(run, round, cancellation);
        return digest;
    }

    private static void Write(FileStream file, Action<Stream> write)
    {
        try
        {
            write(file);
            file.Flush();
        }
        catch (IOException e)
        {
            throw new InputException($"cannot write a checkpoint: {e.Message} Free some space, then go on with --resume.", e);
        }
    }

    private static List<(string Name, Action<Stream> Write)> FilesOf(Parameters parameters, Tokenizer tokenizer, RunDirectory? run)
    {
        var files = new List<(string Name, Action<Stream> Write)>
        {
            (TokenizerFile, tokenizer.Save),
            (PiecesFile, stream =>
            {
                foreach (var piece in BaseDigest.Pieces(parameters.Span))
                {
                    stream.Write(piece.ToArray());
                }
            }),
        };
        if (run is not null && InitialParameters.ConversationOf(run) is var conversation && File.Exists(conversation))
        {
            files.Add((HuggingFaceNames.TokenizerConfig, stream => stream.Write(File.ReadAllBytes(conversation))));
        }

        Checkpoint.Save(parameters, new GenerationDefaults(EndToken: tokenizer.EosId), (name, write) => files.Add((name, write)));
        return files;
    }

    private static async Task ForgetAsync(RunContext run, Round newest, CancellationToken cancellation)
    {
        var before = ObjectKey.CheckpointPrefix(new Round(Math.Max(0, newest.Number - (Kept * run.Rules.Round.SettleEvery) + 1)));
        await foreach (var key in run.Stores.Own.ListAsync("checkpoints/", cancellation))
        {
            if (string.CompareOrdinal(key.Text, before) < 0)
            {
                await run.Stores.Own.DeleteAsync(key, cancellation);
            }
        }
    }
}
