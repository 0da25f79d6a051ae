using System.Text;
using Cairn.Base;

namespace Cairn.Data.Tests;

public sealed class TokenizerTests
{
    private static readonly Tokenizer Small = BpeTrainer.Train(TestText.Corpus(), 360);

    [Fact]
    public void Any_bytes_come_back_from_their_ids()
    {
        var random = new SeededRandom(7, "fuzz");
        for (var round = 0; round < 2000; round++)
        {
            var bytes = TestText.RandomBytes(ref random, 300);
            var ids = new List<int>();
            var added = Small.Encode(bytes, ids);
            Assert.Equal(added, ids.Count);
            Assert.Equal(bytes, Small.Decode([.. ids]));
            Assert.DoesNotContain(Small.EosId, ids);
        }
    }

    [Fact]
    public void Text_that_spells_a_special_token_is_that_token_only_when_asked()
    {
        const string Text = "one<|endoftext|>two";
        Assert.DoesNotContain(Small.EosId, Small.Encode(Text));
        Assert.Equal(Text, Small.DecodeText(Small.Encode(Text)));
        var ids = Small.Encode(Text, allowSpecial: true);
        Assert.Equal([.. Small.Encode("one"), Small.EosId, .. Small.Encode("two")], ids);
        Assert.Equal("onetwo", Small.DecodeText(ids));
        Assert.Equal(Text, Small.DecodeText(ids, keepSpecial: true));
    }

    [Fact]
    public void Training_twice_gives_the_same_vocabulary()
    {
        Assert.Equal(Small.Digest, BpeTrainer.Train(TestText.Corpus(), 360).Digest);
        Assert.NotEqual(Small.Digest, BpeTrainer.Train(TestText.Corpus(), 359).Digest);
        Assert.NotEqual(Small.Digest, BpeTrainer.Train(TestText.Corpus(2, 20), 360).Digest);
    }

    [Fact]
    public void A_smaller_vocabulary_is_a_prefix_of_a_larger_one()
    {
        var smaller = BpeTrainer.Train(TestText.Corpus(), 300);
        Assert.Equal(300, smaller.VocabularySize);
        for (var id = 0; id < smaller.VocabularySize; id++)
        {
            Assert.Equal(smaller.Decode([id], keepSpecial: true), Small.Decode([id], keepSpecial: true));
        }
    }

    [Fact]
    public void A_text_too_small_for_the_vocabulary_gives_a_smaller_one()
    {
        var tokenizer = BpeTrainer.Train(TestText.Corpus(), 100_000);
        Assert.InRange(tokenizer.VocabularySize, 361, 2000);
    }

    [Theory]
    [InlineData(256)]
    [InlineData(-1)]
    [InlineData((1 << 20) + 1)]
    public void A_vocabulary_out_of_range_is_refused(int size) => Assert.Throws<InputException>(() => BpeTrainer.Train(TestText.Corpus(), size));

    [Fact]
    public void Merges_follow_the_algorithm_written_plainly()
    {
        var corpus = TestText.Corpus(3, 60);
        var plain = PlainBpe.Train(corpus, 120);
        var tokenizer = BpeTrainer.Train(corpus, 257 + 120);
        for (var i = 0; i < 120; i++)
        {
            Assert.Equal(plain[i], tokenizer.Decode([257 + i]));
        }
    }

    [Fact]
    public void A_long_word_is_merged_like_a_short_one()
    {
        // Beyond 64 bytes a queue replaces the scan; both must choose the lowest rank and the leftmost place.
        var random = new SeededRandom(5, "long");
        var table = Small.Vocabulary.MergeTable;
        for (var round = 0; round < 300; round++)
        {
            var word = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 65 + random.NextBelow(80)).Select(_ => "thesanorvlcid"[random.NextBelow(13)])));
            Assert.Equal(PlainBpe.Encode(word, table), new WordMerger(table, Small.Vocabulary.IdOfByte).Merge(word).ToArray());
            Assert.Equal(PlainBpe.Encode(word[..40], table), new WordMerger(table, Small.Vocabulary.IdOfByte).Merge(word.AsSpan(0, 40)).ToArray());
        }
    }

    [Fact]
    public void A_megabyte_without_a_space_is_no_trap()
    {
        var bytes = new byte[1 << 20];
        Array.Fill(bytes, (byte)'a');
        var ids = new List<int>();
        Small.Encode(bytes, ids);
        Assert.Equal(bytes, Small.Decode([.. ids]));
    }

    [Fact]
    public void Speaking_id_by_id_never_splits_a_character()
    {
        const string Text = "naïve café 漢字 𝔘nicode 👩‍🚀 end";
        var decoder = new StreamingDecoder(Small);
        var spoken = new StringBuilder();
        foreach (var id in Small.Encode(Text))
        {
            var piece = decoder.Append(id);
            Assert.DoesNotContain('\uFFFD', piece);
            Assert.False(piece.Length > 0 && char.IsHighSurrogate(piece[^1]));
            spoken.Append(piece);
        }

        Assert.Equal(Text, spoken.Append(decoder.Finish()).ToString());
        decoder.Append(0xE6);
        Assert.Equal("\uFFFD", decoder.Finish());
    }

    [Fact]
    public void Many_threads_encode_as_one()
    {
        var texts = Enumerable.Range(0, 200).Select(i => TestText.Corpus((ulong)i + 10, 20).Documents[0].Text).ToArray();
        var another = BpeTrainer.Train(TestText.Corpus(), 360);
        var alone = texts.Select(text => Ids(another, text)).ToArray();
        var together = new int[texts.Length][];
        Parallel.For(0, texts.Length, i => together[i] = Ids(Small, texts[i]));
        Assert.Equal(alone, together);
    }

    [Fact]
    public void Ids_of_a_known_text_never_change()
    {
        Assert.Equal("d78d3b51", Small.Digest.Short);
        Assert.Equal("266 330 32 100 111 258 110 280 263 101 101 32 359 357 358 269", string.Join(' ', Small.Encode("The cairn doesn't see 12345 stones.\n")));
    }

    private static int[] Ids(Tokenizer tokenizer, ReadOnlyMemory<byte> text)
    {
        var ids = new List<int>();
        tokenizer.Encode(text.Span, ids);
        return [.. ids];
    }
}
