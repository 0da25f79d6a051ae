using Cairn.Base;
using Cairn.Data;
using Cairn.Formats;
using Cairn.Model;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>What the parameters of a run are before round 0: those that its seed gives, or those of the model that it goes on with.</summary>
internal static class InitialParameters
{
    /// <summary>Where they lie, if they were brought.</summary>
    public static string PathOf(RunDirectory directory) => Path.Combine(directory.Root, BaseFile.FileName);

    /// <summary>Where it stands how one speaks with the model that was brought, if that says it: it goes with every checkpoint.</summary>
    public static string ConversationOf(RunDirectory directory) => Path.Combine(directory.Root, HuggingFaceNames.TokenizerConfig);

    /// <summary>Sets parameters to them.</summary>
    /// <param name="directory">The run's folder.</param>
    /// <param name="rules">Its rules; who needs certainty compares the digest with theirs.</param>
    /// <param name="parameters">Overwritten.</param>
    /// <exception cref="InputException">The file is missing or has another length.</exception>
    public static void Fill(RunDirectory directory, RunRules rules, Parameters parameters)
    {
        if (rules.Model.FromModel)
        {
            BaseFile.Read(PathOf(directory), parameters);
        }
        else
        {
            Initializer.Fill(parameters, rules.Seed);
        }
    }

    /// <summary>What a run that goes on with a model needs of it: its shape as the run trains it, its tokenizer in a file, and its parameters.</summary>
    /// <param name="directory">Receives parameters and tokenizer.</param>
    /// <param name="path">The model.</param>
    /// <param name="contextMax">No longer samples are trained on, whatever the model bears.</param>
    /// <returns>Shape, digest of the parameters, the tokenizer's file.</returns>
    /// <exception cref="InputException">The model cannot be used.</exception>
    public static (ModelShape Shape, Digest Base, string Tokenizer) Take(RunDirectory directory, string path, int contextMax)
    {
        using var model = ModelFile.Open(path);
        RequireRows(model);
        var tokenizer = Path.Combine(directory.Root, "initial-tokenizer.json");
        DurableFile.Write(tokenizer, model.Tokenizer.Save);
        if (model.ChatTemplate is not null)
        {
            ModelWriter.WriteTokenizerConfig(model, ConversationOf(directory));
        }

        return (model.Shape with { Context = Math.Min(model.Shape.Context, contextMax) }, BaseFile.Write(model, PathOf(directory)), tokenizer);
    }

    // Whoever trains does not choose the texts: none may yield a token that has no row. Tokens that steer come out of no text.
    private static void RequireRows(ModelFile model)
    {
        var (rows, kinds) = (model.Shape.Vocabulary, model.Tokenizer.Parts.Kinds);
        for (var id = rows; id < kinds.Count; id++)
        {
            if (kinds[id] is TokenKind.Normal or TokenKind.UserDefined or TokenKind.Byte)
            {
                throw new InputException(
                    $"{model.Path} cannot be trained: text may become token {id}, '{model.Tokenizer.NameOf(id)}', but its embedding has only {rows} rows; add the rows.");
            }
        }
    }
}
