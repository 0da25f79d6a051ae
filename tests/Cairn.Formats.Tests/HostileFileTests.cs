using Cairn.Base;
using Cairn.Data;
using Cairn.Model;

namespace Cairn.Formats.Tests;

public sealed class HostileFileTests
{
    private static readonly ModelShape Small = new(270, 8, 1, 2, 1, 6, 8);

    [Theory]
    [InlineData(TokenizerFamily.Llama3)]
    [InlineData(TokenizerFamily.SentencePiece)]
    public void Damaged_GGUF_files_are_read_or_refused(TokenizerFamily family)
    {
        var tokenizer = family == TokenizerFamily.SentencePiece ? Families.Characters(SpacePrefix.EverySegment) : Tiny.TokenizerOf(270, family);
        using var tiny = new Tiny(Small with { Vocabulary = tokenizer.VocabularySize }, tokenizer: tokenizer);
        using (var model = ModelFile.Open(tiny.Folder))
        {
            ModelWriter.WriteGguf(model, tiny.At("model.gguf"), NumberType.F16);
        }

        var file = File.ReadAllBytes(tiny.At("model.gguf"));
        var count = Mutations.Count(family == TokenizerFamily.SentencePiece ? 2_000 : 6_000);
        var passed = Mutations.Try(file, file.Length - (int)(2 * tiny.Parameters.Layout.Length), count, 24 << 20, bytes =>
        {
            using var model = GgufModel.Of("damaged.gguf", bytes);
            using var parameters = model.LoadParameters();
            Assert.Equal("in the end", model.Tokenizer.DecodeText(model.Tokenizer.Encode("in the end")));
        });
        Assert.InRange(passed, 1, int.MaxValue);
    }

    [Fact]
    public void Damaged_safetensors_are_read_or_refused()
    {
        using var tiny = new Tiny(Small);
        var file = File.ReadAllBytes(tiny.At(Checkpoint.ParametersFile));
        Mutations.Try(file, file.Length - (int)(4 * tiny.Parameters.Layout.Length), Mutations.Count(14_000), 4 << 20, bytes =>
        {
            using var mapped = FileBytes.Of("damaged.safetensors", bytes);
            foreach (var tensor in SafetensorsTable.Read(mapped))
            {
                tensor.Decode(mapped, new float[tensor.Length]);
            }
        });
    }

    [Fact]
    public void Damaged_indices_and_templates_are_read_or_refused()
    {
        using var index = new MemoryStream();
        SafetensorsIndex.Write(index, [("a", "model-00001-of-00002.safetensors"), ("b", "model-00002-of-00002.safetensors")], 8);
        Mutations.Try(index.ToArray(), 1 << 20, Mutations.Count(6_000), 1 << 20, bytes =>
        {
            using var mapped = FileBytes.Of("index", bytes);
            Assert.All(SafetensorsIndex.FilesOf(mapped), name => Assert.Equal(name, Path.GetFileName(name)));
        });
        var template = """{"chat_template":[{"name":"default","template":"{{ messages }}"}],"eos_token":"</s>"}"""u8.ToArray();
        Mutations.Try(template, 1 << 20, Mutations.Count(6_000), 1 << 20, bytes => TokenizerConfig.TemplateOf("damaged", bytes));
    }

    [Fact]
    public void Damaged_configurations_are_read_or_refused()
    {
        using var stream = new MemoryStream();
        HuggingFaceConfig.WriteConfig(
            stream, Small with { HeadWidth = 6, RopeScaling = new RopeScaling(8, new RopeBlend(1, 4, 8192)) }, new GenerationDefaults(1, 2) { OtherEnds = [3, 4] });
        Mutations.Try(stream.ToArray(), 1 << 20, Mutations.Count(6_000), 4 << 20, bytes =>
        {
            HuggingFaceConfig.ReadGeneration(new MemoryStream(bytes));
            var shape = HuggingFaceConfig.ReadConfig(new MemoryStream(bytes));
            Assert.Empty(shape.Faults());
        });
    }

    [Fact]
    public void A_claim_of_many_tensors_in_the_same_bytes_is_refused()
    {
        using var tiny = new Tiny(Small);
        using (var model = ModelFile.Open(tiny.Folder))
        {
            ModelWriter.WriteGguf(model, tiny.At("model.gguf"), NumberType.F32);
        }

        var file = File.ReadAllBytes(tiny.At("model.gguf"));
        var name = "blk.0.ffn_up.weight"u8;
        var place = file.AsSpan().IndexOf(name) + name.Length + 4 + 16 + 4;
        file.AsSpan(place, 8).Clear();
        Assert.Contains("overlaps", Assert.Throws<InputException>(() => GgufModel.Of("overlap.gguf", file)).Message, StringComparison.Ordinal);
    }
}
