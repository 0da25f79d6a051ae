using System.Globalization;
using System.Text;
using Cairn.Base;
using Cairn.Data;

namespace Cairn.Formats;

/// <summary>Writes a tokenizer and a chat template into the head of a GGUF file.</summary>
internal sealed class GgufTokenizerWriter(ModelFile model, GgufWriter writer)
{
    private const string Prefix = "tokenizer.ggml.";

    /// <summary>Writes them.</summary>
    /// <exception cref="InputException">The tokenizer cannot be said in GGUF.</exception>
    public void Write()
    {
        var (tokenizer, parts) = (model.Tokenizer, model.Tokenizer.Parts);
        if (parts.Tokens.Count != model.Shape.Vocabulary)
        {
            throw new InputException(
                $"{model.Path} cannot be written as GGUF: its tokenizer has {parts.Tokens.Count} tokens and its embedding {model.Shape.Vocabulary} rows");
        }

        var characters = parts.Family == TokenizerFamily.SentencePiece;
        writer.Text(Prefix + "model", characters ? "llama" : "gpt2");
        writer.Text(Prefix + "pre", characters ? "default" : GgufTokenizer.CutOf(parts) ?? throw new InputException(
            $"{model.Path} cannot be written as GGUF: its tokenizer takes whole words before merges, which is said there only of the words of Llama 3"));
        writer.Texts(Prefix + "tokens", [.. Enumerable.Range(0, parts.Tokens.Count).Select(NameOf)]);
        writer.Numbers(Prefix + "token_type", parts.Kinds.Select(kind => (int)kind), parts.Kinds.Count);
        if (characters)
        {
            writer.Reals(Prefix + "scores", ScoreMerges.Of(parts));
            writer.Flag(Prefix + "add_space_prefix", parts.Prefix != SpacePrefix.Never);
        }
        else
        {
            writer.Texts(Prefix + "merges", [.. parts.Merges.Select(
                merge => Encoding.UTF8.GetBytes($"{tokenizer.NameOf(merge.Left)} {tokenizer.NameOf(merge.Right)}"))]);
        }

        // Readers take token 11 for what is not said.
        writer.UInt32(Prefix + "bos_token_id", tokenizer.BosId ?? model.Generation.BeginToken ?? tokenizer.EosId);
        writer.UInt32(Prefix + "eos_token_id", tokenizer.EosId);
        writer.Flag(Prefix + "add_bos_token", tokenizer.BosId is not null);
        writer.Flag(Prefix + "add_eos_token", false);
        if (((int?[])[model.Generation.EndToken, .. model.Generation.OtherEnds]).FirstOrDefault(id => id is not null && id != tokenizer.EosId) is { } turn)
        {
            writer.UInt32(Prefix + "eot_token_id", turn);
        }

        if (Enumerable.Range(0, parts.Kinds.Count).FirstOrDefault(id => parts.Kinds[id] == TokenKind.Unknown, -1) is >= 0 and var unknown)
        {
            writer.UInt32(Prefix + "unknown_token_id", unknown);
        }

        if (model.ChatTemplate is { } template)
        {
            writer.Text("tokenizer.chat_template", template);
        }
    }

    // What has no name of its own gets one that no text can be.
    private byte[] NameOf(int id) => Encoding.UTF8.GetBytes(
        model.Tokenizer.Parts.Tokens[id].Length == 0 ? "[PAD" + id.ToString(CultureInfo.InvariantCulture) + "]" : model.Tokenizer.NameOf(id));
}
