using Cairn.Base;
using Cairn.Data;
using Cairn.Model;

namespace Cairn.Formats.Tests;

/// <summary>What is done with whole models: checked, compared, averaged.</summary>
public sealed class ModelWorkTests
{
    [Fact]
    public void A_checked_model_has_the_digests_of_its_parameters_whatever_file_it_is_in()
    {
        using var tiny = new Tiny(Tiny.Shape);
        using var folder = ModelFile.Open(tiny.Folder);
        ModelWriter.WriteGguf(folder, tiny.At("model.gguf"), NumberType.F32);
        using var gguf = ModelFile.Open(tiny.At("model.gguf"));
        var check = ModelCheck.Of(folder);
        Assert.Equal(tiny.Parameters.Digest(), check.Base);
        Assert.Equal(Checkpoint.Digest(tiny.Parameters), check.Checkpoint);
        Assert.Equal(check, ModelCheck.Of(gguf));
    }

    [Fact]
    public void A_list_of_pieces_that_does_not_agree_is_damage()
    {
        using var tiny = new Tiny(Tiny.Shape);
        using var model = ModelFile.Open(tiny.Folder);
        File.WriteAllBytes(tiny.At(ModelCheck.PiecesFile), [.. BaseDigest.Pieces(tiny.Parameters.Span).SelectMany(piece => piece.ToArray())]);
        Assert.True(ModelCheck.Of(model).Pieces);
        File.WriteAllBytes(tiny.At(ModelCheck.PiecesFile), new byte[Digest.Size]);
        Assert.Contains("damaged", Assert.Throws<InputException>(() => ModelCheck.Of(model)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_whose_tokenizer_knows_tokens_without_rows_refuses_the_texts_that_hold_them_and_no_others()
    {
        using var tiny = new Tiny(Tiny.Shape, tokenizer: Padded(256));
        using var model = ModelFile.Open(tiny.Folder);
        Assert.Equal(302, model.Tokenizer.VocabularySize);
        ModelCheck.Of(model);
        Assert.NotEmpty(ModelReference.Of(model, "a stone", 2, 1).Windows);
        var refused = Assert.Throws<InputException>(() => ModelReference.Of(model, "a stone [PAD] a hill", 2, 1)).Message;
        Assert.Contains("token 301", refused, StringComparison.Ordinal);
        Assert.Contains("300 rows", refused, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_whose_texts_end_with_a_token_that_has_no_row_is_refused()
    {
        using var tiny = new Tiny(Tiny.Shape, tokenizer: Padded(300));
        var refused = Assert.Throws<InputException>(() => ModelFile.Open(tiny.Folder)).Message;
        Assert.Contains("ends texts with token 300, but its embedding has only 300 rows", refused, StringComparison.Ordinal);
    }

    // Two tokens that were added without a row: the end of a text, perhaps, and a word.
    private static Tokenizer Padded(int end)
    {
        var parts = Tiny.TokenizerOf(300).Parts;
        byte[][] names = [.. parts.Tokens, "</s>"u8.ToArray(), "[PAD]"u8.ToArray()];
        TokenKind[] kinds = [.. parts.Kinds, TokenKind.Control, TokenKind.UserDefined];
        (names[256], names[end]) = (names[end], names[256]);
        return Tokenizer.Of(parts with { Tokens = names, Kinds = kinds, End = end }, "the test's tokenizer");
    }

    [Fact]
    public void Two_models_differ_exactly_where_they_differ()
    {
        using var tiny = new Tiny(Tiny.Shape);
        using var first = ModelFile.Open(tiny.Folder);
        ModelWriter.WriteHuggingFace(first, tiny.At("other"), NumberType.F32);
        using (var same = ModelFile.Open(tiny.At("other")))
        {
            Assert.True(ModelComparison.Of(first, same) is { SameParameters: true, SameTokenizer: true, SameTemplate: true });
        }

        tiny.Parameters[tiny.Parameters.Layout[1].Down][3] += 0.5f;
        Checkpoint.Save(tiny.Parameters, new GenerationDefaults(), (name, write) => DurableFile.Write(Path.Combine(tiny.At("other"), name), write));
        using var second = ModelFile.Open(tiny.At("other"));
        var different = Assert.Single(ModelComparison.Of(first, second).Tensors, tensor => tensor.Differing > 0);
        Assert.Equal(("model.layers.1.mlp.down_proj.weight", 1L), (different.Name, different.Differing));
        Assert.Equal(0.5, different.Largest, 1e-6);
    }

    [Fact]
    public void The_mean_of_models_counts_each_by_its_part()
    {
        using var one = new Tiny(Tiny.Shape, seed: 1);
        using var two = new Tiny(Tiny.Shape, seed: 2);
        using var first = ModelFile.Open(one.Folder);
        using var second = ModelFile.Open(two.Folder);
        using var mean = new AveragedModel([first, second], [3, 1]);
        ModelWriter.WriteGguf(mean, one.At("mean.gguf"), NumberType.F32);
        using var written = ModelFile.Open(one.At("mean.gguf"));
        using var parameters = written.LoadParameters();
        for (var i = 0; i < parameters.Span.Length; i += 97)
        {
            Assert.Equal((float)((0.75 * one.Parameters.Span[i]) + (0.25 * two.Parameters.Span[i])), parameters.Span[i]);
        }
    }

    [Fact]
    public void Models_that_do_not_fit_each_other_are_neither_compared_nor_averaged()
    {
        using var one = new Tiny(Tiny.Shape);
        using var two = new Tiny(Tiny.Shape with { Layers = 3 });
        using var three = new Tiny(Tiny.Shape, tokenizer: Tiny.TokenizerOf(299));
        using var first = ModelFile.Open(one.Folder);
        using var deeper = ModelFile.Open(two.Folder);
        using var other = ModelFile.Open(three.Folder);
        Assert.Throws<InputException>(() => ModelComparison.Of(first, deeper));
        Assert.Contains("shape", Assert.Throws<InputException>(() => new AveragedModel([first, deeper])).Message, StringComparison.Ordinal);
        Assert.Contains("tokenizer", Assert.Throws<InputException>(() => new AveragedModel([first, other])).Message, StringComparison.Ordinal);
        Assert.Throws<InputException>(() => new AveragedModel([first, first], [1, 0]));
    }
}
