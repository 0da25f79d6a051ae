using Cairn.Base;
using Cairn.Model;

namespace Cairn.Model.Tests;

public sealed class ShapeTests
{
    [Fact]
    public void The_published_72b_has_exactly_its_published_parameters()
    {
        var shape = Presets.Get("72b");
        Assert.Equal(72_747_327_488, shape.ParameterCount);
        Assert.Equal(72_747_327_488, new ParameterLayout(shape).Length);
        Assert.Equal(723, new ParameterLayout(shape).Tensors.Count);
        Assert.Equal(855_654_400 - (2 * 8192), (shape.MatrixParameters - (262_144L * 8192)) / 80);
    }

    [Fact]
    public void Every_preset_is_valid_and_larger_than_the_one_before()
    {
        long before = 0;
        foreach (var name in Presets.Names)
        {
            var shape = Presets.Get(name);
            Assert.Empty(shape.Faults());
            Assert.True(shape.ParameterCount > before, name);
            before = shape.ParameterCount;
        }
    }

    [Fact]
    public void An_unknown_preset_is_answered_with_the_names()
    {
        var refusal = Assert.Throws<InputException>(() => Presets.Get("huge"));
        Assert.All(Presets.Names, name => Assert.Contains(name, refusal.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void A_bad_shape_is_refused_with_all_its_faults_at_once()
    {
        var shape = new ModelShape(1, 30, 0, 4, 3, 0, 0, 1, 0);
        var refusal = Assert.Throws<InputException>(shape.Validate);
        string[] words = ["vocabulary 1", "dim 30", "layers 0", "key/value heads 3", "feed-forward width 0", "context 0", "rotary base", "epsilon"];
        foreach (var word in words)
        {
            Assert.Contains(word, refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Attention_over_a_whole_text_of_wide_heads_is_refused_before_its_sizes_leave_an_int()
    {
        var shape = new ModelShape(100, 2, 1, 1, 1, 4, 8192, HeadWidth: 65_536);
        Assert.Contains("context 8192 times width of a head 65536", Assert.Single(shape.Faults()), StringComparison.Ordinal);
        Assert.Empty((shape with { Context = 1024 }).Faults());
        Assert.Empty(new ModelShape(128_256, 4096, 32, 32, 8, 14_336, 131_072).Faults());
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(true, 90)]
    [InlineData(false, 90)]
    public void The_memory_that_is_foretold_is_the_memory_that_is_taken(bool training, int batch)
    {
        var shape = Tiny.Shape();
        using var kernels = new Compute.CpuKernels(1);
        using var transformer = new Transformer(new ParameterLayout(shape), kernels, batch, 7, training);
        Assert.Equal(transformer.Buffers.Sum(buffer => sizeof(float) * (long)buffer.Length), Transformer.WorkingBytes(shape, batch, 7, training));
        using var activations = new LayerActivations(shape, 7 * batch);
        Assert.Equal(activations.All.Sum(buffer => sizeof(float) * (long)buffer.Length), LayerActivations.Bytes(shape, 7 * batch));
        using var gradients = new LayerGradients(shape, 7 * batch);
        Assert.Equal(gradients.All.Sum(buffer => sizeof(float) * (long)buffer.Length), LayerGradients.Bytes(shape, 7 * batch));
    }

    [Fact]
    public void The_cost_of_a_token_follows_the_formula()
    {
        // Shape A of the benchmarks: 80.2 MFLOP a token (reference compute.md 4).
        var shape = new ModelShape(4096, 384, 6, 6, 6, 1024, 256, TiedHead: false);
        Assert.Equal(80.2, shape.FlopsPerToken(256) / 1e6, 0.05);
        Assert.Equal(shape.FlopsPerToken(256), (shape with { TiedHead = true }).FlopsPerToken(256));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Tensors_stand_in_order_without_gaps_and_trios_are_adjacent(bool tied)
    {
        var layout = new ParameterLayout(Tiny.Shape(tied));
        long at = 0;
        foreach (var tensor in layout.Tensors)
        {
            Assert.Equal(at, tensor.Offset);
            at = tensor.End;
            Assert.True(layout.TryFind(tensor.Name, out var found));
            Assert.Same(tensor, found);
        }

        Assert.Equal(layout.Shape.ParameterCount, at);
        Assert.Equal(layout[1].Query.End, layout[1].Key.Offset);
        Assert.Equal(layout[1].Key.End, layout[1].Value.Offset);
        Assert.Equal(layout[1].Gate.End, layout[1].Up.Offset);
        Assert.Equal(!tied, layout.TryFind("lm_head.weight", out _));
        Assert.Equal("model.layers.1.self_attn.q_proj.weight", layout[1].Query.Name);
    }

    [Fact]
    public void A_model_beyond_one_buffer_is_refused_in_words()
    {
        var refusal = Assert.Throws<InputException>(() => new Parameters(new ParameterLayout(Presets.Get("8b"))));
        Assert.Contains("smaller preset", refusal.Message, StringComparison.Ordinal);
    }
}
