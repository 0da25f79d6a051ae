using Cairn.Base;
using Cairn.Data;
using Cairn.Model;

namespace Cairn.Formats.Tests;

public sealed class ModelFileTests
{
    [Fact]
    public void A_checkpoint_opens_with_shape_tokenizer_and_parameters()
    {
        using var tiny = new Tiny(Tiny.Shape);
        using var model = ModelFile.Open(tiny.Folder);
        using var parameters = model.LoadParameters();
        Assert.Equal(tiny.Parameters.Digest(), parameters.Digest());
        Assert.Equal(tiny.Parameters.Shape, model.Shape);
        Assert.Equal(tiny.Tokenizer.Digest, model.Tokenizer.Digest);
        Assert.Equal(256, model.Generation.EndToken);
        Assert.Null(model.ChatTemplate);
    }

    [Theory]
    [InlineData(NumberType.F32, true, 0)]
    [InlineData(NumberType.F32, false, 0)]
    [InlineData(NumberType.F16, true, 1e-3)]
    [InlineData(NumberType.BF16, true, 1e-2)]
    [InlineData(NumberType.Q80, false, 1e-2)]
    [InlineData(NumberType.Q4K, true, 2e-2)]
    public void A_model_goes_through_GGUF_and_comes_back(NumberType type, bool tied, double tolerance)
    {
        using var tiny = new Tiny(new ModelShape(300, 256, 1, 4, 2, 96, 32, 20_000, 1e-6f, tied));
        var path = tiny.At("model.gguf");
        using (var from = ModelFile.Open(tiny.Folder))
        {
            ModelWriter.WriteGguf(from, path, type);
        }

        using var model = ModelFile.Open(path);
        using var parameters = model.LoadParameters();
        Assert.Equal(tiny.Parameters.Shape, model.Shape);
        Assert.Equal(tiny.Tokenizer.Digest, model.Tokenizer.Digest);
        Near(tiny.Parameters, parameters, tolerance);
    }

    [Theory]
    [InlineData(NumberType.F32, 0)]
    [InlineData(NumberType.F16, 1e-3)]
    [InlineData(NumberType.BF16, 1e-2)]
    public void A_model_cut_into_several_files_comes_back(NumberType type, double tolerance)
    {
        using var tiny = new Tiny(Tiny.Shape with { TiedHead = false });
        var folder = tiny.At("cut");
        using (var from = ModelFile.Open(tiny.Folder))
        {
            ModelWriter.WriteHuggingFace(from, folder, type, shardBytesMax: 100_000);
        }

        Assert.True(Directory.GetFiles(folder, "model-*-of-*.safetensors").Length > 3);
        using var model = ModelFile.Open(folder);
        using var parameters = model.LoadParameters();
        Assert.Equal(tiny.Parameters.Shape, model.Shape);
        Near(tiny.Parameters, parameters, tolerance);
    }

    [Fact]
    public void Heads_of_another_width_and_stretched_positions_go_through_every_format()
    {
        var shape = Tiny.Shape with { HeadWidth = 32, RopeTheta = 500_000, RopeScaling = new RopeScaling(8, new RopeBlend(1, 4, 8192)) };
        foreach (var scaled in new[] { shape, shape with { RopeScaling = new RopeScaling(8, new RopeBlend(1, 3, 64)) }, shape with { RopeScaling = new RopeScaling(4) } })
        {
            using var tiny = new Tiny(scaled);
            using var from = ModelFile.Open(tiny.Folder);
            Assert.Equal(scaled, from.Shape);
            ModelWriter.WriteGguf(from, tiny.At("model.gguf"), NumberType.F32);
            using var gguf = ModelFile.Open(tiny.At("model.gguf"));
            Assert.Equal(scaled, gguf.Shape);
            ModelWriter.WriteHuggingFace(gguf, tiny.At("back"), NumberType.F32);
            using var back = ModelFile.Open(tiny.At("back"));
            using var parameters = back.LoadParameters();
            Assert.Equal(scaled, back.Shape);
            Assert.Equal(tiny.Parameters.Digest(), parameters.Digest());
        }
    }

    [Fact]
    public void Rows_that_hold_no_whole_blocks_are_stored_finer()
    {
        var layout = new ParameterLayout(Tiny.Shape with { FeedForward = 250 });
        Assert.Equal(NumberType.Q80, GgufWriter.TypeOf(layout.Embedding, NumberType.Q4K, layout));
        Assert.Equal(NumberType.Q80, GgufWriter.TypeOf(layout[0].Gate, NumberType.Q4K, layout));
        Assert.Equal(NumberType.F16, GgufWriter.TypeOf(layout[0].Down, NumberType.Q4K, layout));
        Assert.Equal(NumberType.F32, GgufWriter.TypeOf(layout[0].AttentionNorm, NumberType.Q4K, layout));
    }

    [Fact]
    public void An_embedding_with_more_rows_than_the_tokenizer_has_names_for_all()
    {
        using var tiny = new Tiny(Tiny.Shape, vocabulary: 290);
        using var model = ModelFile.Open(tiny.Folder);
        Assert.Equal(300, model.Tokenizer.VocabularySize);
        Assert.Equal("", model.Tokenizer.DecodeText([299]));
        ModelWriter.WriteGguf(model, tiny.At("model.gguf"), NumberType.F32);
        using var gguf = ModelFile.Open(tiny.At("model.gguf"));
        Assert.Equal(300, gguf.Tokenizer.VocabularySize);
        Assert.Equal(model.Tokenizer.Encode("in the end"), gguf.Tokenizer.Encode("in the end"));
    }

    [Theory]
    [InlineData("\"<|endoftext|>\"")]
    [InlineData("{\"content\":\"<|endoftext|>\",\"lstrip\":false}")]
    public void What_ends_a_turn_ends_a_text_too(string name)
    {
        using var tiny = new Tiny(Tiny.Shape);
        File.WriteAllText(tiny.At(Checkpoint.GenerationFile), "{\"eos_token_id\":[7,9]}");
        File.WriteAllText(tiny.At(HuggingFaceNames.TokenizerConfig), $"{{\"eos_token\":{name}}}");
        using var model = ModelFile.Open(tiny.Folder);
        Assert.Equal([7, 9, tiny.Tokenizer.EosId], [model.Generation.EndToken!.Value, .. model.Generation.OtherEnds]);
    }

    [Fact]
    public void A_chat_template_goes_along()
    {
        const string Template = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}";
        using var tiny = new Tiny(Tiny.Shape);
        File.WriteAllText(tiny.At(HuggingFaceNames.ChatTemplate), Template);
        using var model = ModelFile.Open(tiny.Folder);
        ModelWriter.WriteGguf(model, tiny.At("model.gguf"), NumberType.F32);
        using var gguf = ModelFile.Open(tiny.At("model.gguf"));
        Assert.Equal(Template, gguf.ChatTemplate);
        ModelWriter.WriteHuggingFace(gguf, tiny.At("back"), NumberType.F16);
        using var back = ModelFile.Open(tiny.At("back"));
        Assert.Equal(Template, back.ChatTemplate);
    }

    [Fact]
    public void What_is_no_model_is_refused_by_its_name()
    {
        using var tiny = new Tiny(Tiny.Shape);
        Assert.Contains("absent", Assert.Throws<InputException>(() => ModelFile.Open(tiny.At("absent"))).Message, StringComparison.Ordinal);
        File.WriteAllText(tiny.At("empty.gguf"), "");
        Assert.Contains("no GGUF file", Assert.Throws<InputException>(() => ModelFile.Open(tiny.At("empty.gguf"))).Message, StringComparison.Ordinal);
        File.WriteAllBytes(tiny.At(Checkpoint.ParametersFile), new byte[100]);
        Assert.Contains(tiny.Folder, Assert.Throws<InputException>(() => ModelFile.Open(tiny.Folder)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../model.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("a\\\\b.safetensors")]
    public void An_index_cannot_lead_out_of_its_folder(string name)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes($"{{\"weight_map\":{{\"model.norm.weight\":\"{name}\"}}}}");
        using var file = FileBytes.Of("index", bytes);
        Assert.Throws<InputException>(() => SafetensorsIndex.FilesOf(file));
    }

    [Fact]
    public void A_number_too_large_for_a_half_is_refused_and_named()
    {
        using var tiny = new Tiny(Tiny.Shape);
        tiny.Parameters[tiny.Parameters.Layout[1].Up][7] = 1e5f;
        Checkpoint.Save(tiny.Parameters, new GenerationDefaults(), (name, write) => DurableFile.Write(tiny.At(name), write));
        using var model = ModelFile.Open(tiny.Folder);
        var refusal = Assert.Throws<InputException>(() => ModelWriter.WriteGguf(model, tiny.At("model.gguf"), NumberType.F16));
        Assert.Contains("layers.1.mlp.up_proj", refusal.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(tiny.At("model.gguf")));
    }

    private static void Near(Parameters expected, Parameters actual, double tolerance)
    {
        Assert.Equal(expected.Span.Length, actual.Span.Length);
        var worst = 0.0;
        for (var i = 0; i < expected.Span.Length; i++)
        {
            worst = Math.Max(worst, Math.Abs(expected.Span[i] - (double)actual.Span[i]));
        }

        Assert.InRange(worst, 0, tolerance);
    }
}
