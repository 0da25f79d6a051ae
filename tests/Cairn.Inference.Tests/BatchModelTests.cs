using Cairn.Base;
using Cairn.Compute;
using Cairn.Model;

namespace Cairn.Inference.Tests;

public sealed class BatchModelTests
{
    public static TheoryData<string> Shapes => ["grouped", "odd"];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Logits_are_those_of_the_kernels_of_training(string shape)
    {
        using var tiny = Of(shape);
        using var model = tiny.Load();
        var tokens = Tiny.Text(70);
        var expected = tiny.Expected(tokens);
        var text = model.Open();
        Assert.True(model.Reserve(text, tokens.Length));
        model.Run([new BatchPiece(text, tokens.AsMemory(0, 40), true)]);
        Close(expected[39], model.Logits(0));
        for (var at = 40; at < tokens.Length; at++)
        {
            model.Run([new BatchPiece(text, tokens.AsMemory(at, 1), true)]);
            Close(expected[at], model.Logits(0));
        }
    }

    [Theory]
    [InlineData("grouped", MatrixPrecision.F32)]
    [InlineData("grouped", MatrixPrecision.Bf16)]
    [InlineData("grouped", MatrixPrecision.Int8)]
    [InlineData("odd", MatrixPrecision.F32)]
    [InlineData("odd", MatrixPrecision.Bf16)]
    [InlineData("odd", MatrixPrecision.Int8)]
    public void Neither_company_nor_pieces_nor_threads_nor_sharing_show_in_the_bits(string shape, MatrixPrecision precision)
    {
        using var tiny = Of(shape);
        var tokens = Tiny.Text(60);
        var alone = Alone(tiny, precision, tokens);
        using var model = tiny.Load(new BatchModelOptions(precision, Threads: 2, CacheTokens: 1024));
        var others = Enumerable.Range(2, 6).Select(seed => (Text: model.Open(), Tokens: Tiny.Text(50, seed))).ToList();
        others.ForEach(other => Assert.True(model.Reserve(other.Text, other.Tokens.Length)));

        // In uneven pieces, beside others that come and go.
        var text = model.Open();
        Assert.True(model.Reserve(text, tokens.Length));
        int[] cuts = [0, 1, 17, 18, 19, 35, 49, 50, 51, 60];
        for (var cut = 1; cut < cuts.Length; cut++)
        {
            var pieces = others.Take(cut % 7).Select(other => new BatchPiece(other.Text, other.Tokens.AsMemory(other.Text.Length, 1 + (cut % 3)), cut % 2 == 0)).ToList();
            pieces.Insert(pieces.Count / 2, new BatchPiece(text, tokens.AsMemory(cuts[cut - 1]..cuts[cut]), true));
            model.Run([.. pieces]);
            Assert.Equal(alone[cuts[cut] - 1], model.Logits(pieces.FindIndex(piece => piece.Text == text)).ToArray());
        }

        // With what is kept of it.
        var again = model.Open();
        Assert.Equal(48, model.Share(again, tokens));
        Assert.True(model.Reserve(again, 12));
        model.Run([new BatchPiece(again, tokens.AsMemory(48), true)]);
        Assert.Equal(alone[^1], model.Logits(0).ToArray());
    }

    [Theory]
    [InlineData(MatrixPrecision.Bf16, 0.03)]
    [InlineData(MatrixPrecision.Int8, 0.03)]
    public void Smaller_numbers_cost_little(MatrixPrecision precision, double tolerance)
    {
        using var tiny = new Tiny();
        var tokens = Tiny.Text(64);
        var (exact, rounded) = (Alone(tiny, MatrixPrecision.F32, tokens), Alone(tiny, precision, tokens));
        var (off, size) = (0.0, 0.0);
        for (var at = 0; at < tokens.Length; at++)
        {
            off += exact[at].Zip(rounded[at], (a, b) => (double)(a - b) * (a - b)).Sum();
            size += exact[at].Sum(a => (double)a * a);
        }

        Assert.InRange(Math.Sqrt(off / size), 0.0001, tolerance);
    }

    [Fact]
    public void A_text_shares_whole_pages_of_its_beginning_and_never_all_of_it()
    {
        using var tiny = new Tiny();
        using var model = tiny.Load(new BatchModelOptions(CacheTokens: 256));
        var tokens = Tiny.Text(48);
        var first = Read(model, tokens);
        var second = model.Open();
        Assert.Equal(32, model.Share(second, tokens));
        var third = model.Open();
        Assert.Equal(16, model.Share(third, [.. tokens[..31], 1, 1, 1]));
        Assert.Equal(0, model.Share(model.Open(), [1, .. tokens[1..]]));
        Assert.Equal(256 - 48, model.FreeTokens);

        // Kept when nobody holds it any more, and found again.
        model.Close(first);
        model.Close(second);
        model.Close(third);
        Assert.Equal(256, model.FreeTokens);
        Assert.Equal(32, model.Share(model.Open(), tokens));
    }

    [Fact]
    public void What_is_kept_for_others_gives_way_and_texts_are_refused_only_when_all_is_held()
    {
        using var tiny = new Tiny();
        using var model = tiny.Load(new BatchModelOptions(CacheTokens: 128));
        for (var seed = 1; seed < 9; seed++)
        {
            model.Close(Read(model, Tiny.Text(100, seed)));
        }

        Assert.Equal(128, model.FreeTokens);
        var text = Read(model, Tiny.Text(100, 20));
        var other = model.Open();
        Assert.False(model.Reserve(other, 17));
        Assert.Equal(16, model.FreeTokens);
        Assert.True(model.Reserve(other, 16));
        model.Close(text);
        Assert.Equal(96, model.Share(model.Open(), Tiny.Text(100, 20)));
    }

    [Fact]
    public void Options_that_do_not_fit_are_all_named()
    {
        using var tiny = new Tiny();
        var refused = Assert.Throws<InputException>(() => tiny.Load(new BatchModelOptions(Threads: 0, Context: 129, CacheTokens: 5)));
        Assert.Contains("threads 0", refused.Message);
        Assert.Contains("context 129", refused.Message);
        Assert.Contains("cache of 5", refused.Message);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Pages_are_never_lost_nor_given_twice(int seed)
    {
        using var tiny = new Tiny();
        using var model = tiny.Load(new BatchModelOptions(CacheTokens: 160));
        var random = new SeededRandom((ulong)seed, "pages");
        var open = new List<(CachedText Text, int[] Tokens)>();
        for (var step = 0; step < 300; step++)
        {
            if (open.Count > 0 && random.NextBelow(3) == 0)
            {
                var at = random.NextBelow(open.Count);
                model.Close(open[at].Text);
                open.RemoveAt(at);
                continue;
            }

            // Few beginnings, so that many are shared.
            var tokens = Tiny.Text(1 + random.NextBelow(60), random.NextBelow(3));
            var text = model.Open();
            model.Share(text, tokens);
            if (model.Reserve(text, tokens.Length - text.Length))
            {
                model.Run([new BatchPiece(text, tokens.AsMemory(text.Length), false)]);
                open.Add((text, tokens));
            }
            else
            {
                model.Close(text);
            }

            var held = open.SelectMany(each => each.Text.Pages).Distinct().Count();
            Assert.Equal(160 - (held * BatchModel.PageTokens), model.FreeTokens);
        }
    }

    private static Tiny Of(string shape) => new(shape == "odd" ? Tiny.Odd : Tiny.Grouped);

    private static CachedText Read(BatchModel model, int[] tokens)
    {
        var text = model.Open();
        Assert.True(model.Reserve(text, tokens.Length));
        model.Run([new BatchPiece(text, tokens, false)]);
        return text;
    }

    // Token by token, on one thread, with nobody else.
    private static float[][] Alone(Tiny tiny, MatrixPrecision precision, int[] tokens)
    {
        using var model = tiny.Load(new BatchModelOptions(precision));
        var text = model.Open();
        Assert.True(model.Reserve(text, tokens.Length));
        return
        [
            .. tokens.Select((_, at) =>
            {
                model.Run([new BatchPiece(text, tokens.AsMemory(at, 1), true)]);
                return model.Logits(0).ToArray();
            }),
        ];
    }

    private static void Close(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        var size = Math.Sqrt(expected.ToArray().Average(value => (double)value * value));
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.InRange(actual[i] - expected[i], -1e-4 * size, 1e-4 * size);
        }
    }
}
