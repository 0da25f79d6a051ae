using System.Buffers.Binary;
using System.Text;
using Cairn.Base;
using Cairn.Model;

namespace Cairn.Model.Tests;

public sealed class CheckpointTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_checkpoint_comes_back_to_the_bit(bool tied)
    {
        using var parameters = Tiny.Parameters(Tiny.Shape(tied));
        var files = Save(parameters);
        using var loaded = Checkpoint.Load(name => new MemoryStream(files[name]));
        Assert.Equal(parameters.Shape, loaded.Shape);
        Assert.Equal(parameters.Digest(), loaded.Digest());
        Assert.Equal(Checkpoint.Digest(parameters), Checkpoint.Digest(loaded));
        Assert.Equal(SafetensorsFile.SizeBytes(parameters.Layout), files[Checkpoint.ParametersFile].Length);
    }

    [Fact]
    public void Defaults_of_generation_come_back()
    {
        using var parameters = Tiny.Parameters(Tiny.Shape());
        var files = Save(parameters);
        Assert.Equal(new GenerationDefaults(1, 2, 0.5, 0.9), HuggingFaceConfig.ReadGeneration(new MemoryStream(files[Checkpoint.GenerationFile])));
    }

    [Fact]
    public void A_file_whose_tensors_stand_in_another_order_is_read_too()
    {
        using var parameters = Tiny.Parameters(Tiny.Shape());
        var tensors = parameters.Layout.Tensors.Reverse().ToArray();
        var (header, data, at) = (new StringBuilder("{"), new MemoryStream(), 0L);
        foreach (var tensor in tensors)
        {
            header.Append($"\"{tensor.Name}\":{{\"data_offsets\":[{at},{at + (tensor.Length * 4)}],");
            header.Append($"\"dtype\":\"F32\",\"shape\":[{string.Join(",", tensor.Dimensions)}]}},");
            data.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(parameters[tensor]));
            at += tensor.Length * 4;
        }

        header[^1] = '}';
        using var loaded = SafetensorsFile.Read(new MemoryStream([.. File(header.ToString()), .. data.ToArray()]), parameters.Layout);
        Assert.Equal(parameters.Digest(), loaded.Digest());
    }

    [Theory]
    [InlineData("\"F32\"", "\"F16\"", "type F16")]
    [InlineData("[37,18]", "[18,37]", "has shape")]
    [InlineData("[37,18]", "[37,18.5]", "lacks a proper")]
    [InlineData("embed_tokens", "embed_tocens", "does not belong")]
    [InlineData("\"data_offsets\":[0,", "\"data_offsets\":[4,", "where 0 was next")]
    [InlineData("\"data_offsets\":[0,", "\"data_offsets\":[-8,", "lacks a proper")]
    [InlineData("model.layers.0.mlp.up_proj", "model.layers.1.mlp.up_proj", "listed twice")]
    [InlineData("\"dtype\"", "\"dtipe\"", "lacks a proper")]
    [InlineData("{", "[", "not JSON")]
    public void A_changed_header_is_refused_with_its_reason(string from, string to, string reason)
    {
        using var parameters = Tiny.Parameters(Tiny.Shape());
        var (header, data) = Split(Save(parameters)[Checkpoint.ParametersFile]);
        Assert.Contains(from, header, StringComparison.Ordinal);
        var place = header.IndexOf(from, StringComparison.Ordinal);
        var changed = header[..place] + to + header[(place + from.Length)..];
        var refusal = Assert.Throws<InputException>(() => SafetensorsFile.Read(new MemoryStream([.. File(changed), .. data]), parameters.Layout));
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_tensor_is_named()
    {
        using var tied = Tiny.Parameters(Tiny.Shape());
        var untied = new ParameterLayout(Tiny.Shape(tied: false));
        var refusal = Assert.Throws<InputException>(() => SafetensorsFile.Read(new MemoryStream(Save(tied)[Checkpoint.ParametersFile]), untied));
        Assert.Contains("'lm_head.weight' is missing", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Truncated_lengthened_and_claiming_files_are_refused_whether_or_not_they_can_seek()
    {
        using var parameters = Tiny.Parameters(Tiny.Shape());
        var bytes = Save(parameters)[Checkpoint.ParametersFile];
        var huge = (byte[])bytes.Clone();
        BinaryPrimitives.WriteInt64LittleEndian(huge, long.MaxValue);
        byte[][] hostile = [[], bytes[..5], bytes[..100], bytes[..^1], [.. bytes, 0], huge, new byte[8]];
        foreach (var file in hostile)
        {
            Assert.Throws<InputException>(() => SafetensorsFile.Read(new MemoryStream(file), parameters.Layout));
            Assert.Throws<InputException>(() => SafetensorsFile.Read(new OneWayStream(file), parameters.Layout));
        }
    }

    [Fact]
    public void No_mutation_of_a_header_does_anything_but_pass_or_be_refused()
    {
        using var parameters = Tiny.Parameters(Tiny.Shape());
        var bytes = Save(parameters)[Checkpoint.ParametersFile];
        var headerBytes = bytes.Length - (int)(parameters.Layout.Length * 4);
        var random = new SeededRandom(1, "mutate");
        for (var i = 0; i < 2000; i++)
        {
            var mutated = (byte[])bytes.Clone();
            for (var n = random.NextBelow(3); n >= 0; n--)
            {
                mutated[random.NextBelow(headerBytes)] = (byte)random.NextBelow(256);
            }

            try
            {
                SafetensorsFile.Read(new MemoryStream(mutated), parameters.Layout).Dispose();
            }
            catch (InputException)
            {
            }
        }
    }

    [Fact]
    public void A_number_that_is_not_finite_is_refused()
    {
        using var parameters = Tiny.Parameters(Tiny.Shape());
        parameters.Span[^3] = float.NaN;
        var bytes = Save(parameters)[Checkpoint.ParametersFile];
        var refusal = Assert.Throws<InputException>(() => SafetensorsFile.Read(new MemoryStream(bytes), parameters.Layout));
        Assert.Contains("model.norm.weight", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_configuration_that_is_not_our_llama_is_refused_with_all_its_faults()
    {
        const string config = """
            {"model_type":"gpt2","hidden_act":"gelu","attention_bias":true,"rope_scaling":{"factor":8,"type":"dynamic"},"hidden_size":"wide","vocab_size":10,
             "num_attention_heads":4,"intermediate_size":12,"max_position_embeddings":8}
            """;
        var refusal = Assert.Throws<InputException>(() => HuggingFaceConfig.ReadConfig(new MemoryStream(Encoding.UTF8.GetBytes(config))));
        foreach (var word in new[] { "model_type", "hidden_act", "attention_bias", "rope_scaling", "hidden_size", "num_hidden_layers" })
        {
            Assert.Contains(word, refusal.Message, StringComparison.Ordinal);
        }

        foreach (var text in new[] { "", "[]", "3", "{}", "{\"model_type\":7}", new string(' ', (1 << 20) + 1) })
        {
            Assert.Throws<InputException>(() => HuggingFaceConfig.ReadConfig(new MemoryStream(Encoding.UTF8.GetBytes(text))));
        }
    }

    [Fact]
    public void No_mutation_of_a_configuration_does_anything_but_pass_or_be_refused()
    {
        using var parameters = Tiny.Parameters(Tiny.Shape());
        var files = Save(parameters);
        var random = new SeededRandom(2, "mutate");
        for (var i = 0; i < 2000; i++)
        {
            foreach (var name in new[] { Checkpoint.ConfigFile, Checkpoint.GenerationFile })
            {
                var mutated = (byte[])files[name].Clone();
                mutated[random.NextBelow(mutated.Length)] = (byte)random.NextBelow(256);
                mutated[random.NextBelow(mutated.Length)] = (byte)random.NextBelow(256);
                try
                {
                    _ = name == Checkpoint.ConfigFile
                        ? HuggingFaceConfig.ReadConfig(new MemoryStream(mutated)) as object
                        : HuggingFaceConfig.ReadGeneration(new MemoryStream(mutated));
                }
                catch (InputException)
                {
                }
            }
        }

        foreach (var text in new[] { """{"model_type":"\ud800"}""", """{"\ud800":1,"model_type":"llama"}""" })
        {
            Assert.Throws<InputException>(() => HuggingFaceConfig.ReadConfig(new MemoryStream(Encoding.UTF8.GetBytes(text))));
        }
    }

    private static Dictionary<string, byte[]> Save(Parameters parameters)
    {
        var files = new Dictionary<string, byte[]>();
        Checkpoint.Save(parameters, new GenerationDefaults(1, 2, 0.5, 0.9), (name, write) =>
        {
            using var stream = new MemoryStream();
            write(stream);
            files[name] = stream.ToArray();
        });
        return files;
    }

    private static (string Header, byte[] Data) Split(byte[] file)
    {
        var length = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        return (Encoding.UTF8.GetString(file, 8, length), file[(8 + length)..]);
    }

    private static byte[] File(string header)
    {
        var bytes = Encoding.UTF8.GetBytes(header);
        var prefix = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, bytes.Length);
        return [.. prefix, .. bytes];
    }

    /// <summary>A socket's behaviour: no seeking, a few bytes at a time.</summary>
    private sealed class OneWayStream(byte[] bytes) : Stream
    {
        private int _at;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var taken = Math.Min(Math.Min(count, 1000), bytes.Length - _at);
            bytes.AsSpan(_at, taken).CopyTo(buffer.AsSpan(offset));
            _at += taken;
            return taken;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
