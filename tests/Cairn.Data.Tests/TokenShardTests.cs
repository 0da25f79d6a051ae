using System.Buffers.Binary;
using System.Text;
using Cairn.Base;

namespace Cairn.Data.Tests;

public sealed class TokenShardTests
{
    private static readonly Tokenizer Small = BpeTrainer.Train(TestText.Corpus(), 320);
    private static readonly Document[] Documents = [.. TestText.Corpus(4, 60).Documents.Where(document => !document.HeldOut)];

    [Fact]
    public void Documents_follow_each_other_each_ended_by_the_end_of_text()
    {
        using var folder = new TestFolder();
        TokenShard.Write(folder["a.tokens"], Small, Documents);
        using var shard = TokenShard.Open(folder["a.tokens"]);
        Assert.Equal(Expected(), Ids(shard));
        Assert.Equal(Documents.Length, shard.Documents);
        Assert.Equal(Documents.Sum(document => document.Text.Length), shard.TextBytes);
        Assert.Equal(Small.Digest, shard.Tokenizer);
    }

    [Fact]
    public void Documents_encoded_on_all_cores_have_the_ids_of_one_thread()
    {
        // Several blocks of 256 KiB.
        var documents = Enumerable.Range(0, 300).SelectMany(_ => Documents).ToArray();
        Assert.True(documents.Sum(document => (long)document.Text.Length) > 1 << 20);
        using var folder = new TestFolder();
        TokenShard.Write(folder["a.tokens"], Small, documents);
        using var shard = TokenShard.Open(folder["a.tokens"]);
        var once = Expected();
        Assert.Equal(300L * once.Length, shard.Tokens);
        var ids = Ids(shard);
        for (var i = 0; i < 300; i++)
        {
            Assert.True(ids.AsSpan(i * once.Length, once.Length).SequenceEqual(once));
        }
    }

    [Fact]
    public void A_sample_has_as_targets_what_follows_its_inputs_and_the_end_of_text_is_one()
    {
        using var folder = new TestFolder();
        TokenShard.Write(folder["a.tokens"], Small, Documents);
        using var shard = TokenShard.Open(folder["a.tokens"]);
        var all = Expected();
        const int Length = 16;
        Assert.Equal((all.Length - 1) / Length, shard.SampleCount(Length));
        var (inputs, targets, ends) = (new int[Length], new int[Length], 0);
        for (var sample = 0; sample < shard.SampleCount(Length); sample++)
        {
            shard.CopySample(sample, Length, inputs, targets);
            Assert.Equal(all[(sample * Length)..((sample + 1) * Length)], inputs);
            Assert.Equal(all[((sample * Length) + 1)..(((sample + 1) * Length) + 1)], targets);
            ends += targets.Count(id => id == Small.EosId);
        }

        Assert.InRange(ends, Documents.Length - 1, Documents.Length);
        Assert.Throws<InvariantViolation>(() => shard.CopySample(shard.SampleCount(Length), Length, inputs, targets));
        Assert.Throws<InvariantViolation>(() => shard.CopySample(-1, Length, inputs, targets));
    }

    [Fact]
    public void The_whole_shard_can_be_one_sample_but_for_its_first_id()
    {
        using var folder = new TestFolder();
        TokenShard.Write(folder["a.tokens"], Small, Documents);
        using var shard = TokenShard.Open(folder["a.tokens"]);
        Assert.Equal(1, shard.SampleCount((int)shard.Tokens - 1));
        Assert.Equal(0, shard.SampleCount((int)shard.Tokens));
    }

    [Fact]
    public void The_same_documents_give_the_same_bytes()
    {
        using var folder = new TestFolder();
        TokenShard.Write(folder["a.tokens"], Small, Documents);
        TokenShard.Write(folder["b.tokens"], Small, Documents);
        Assert.Equal(File.ReadAllBytes(folder["a.tokens"]), File.ReadAllBytes(folder["b.tokens"]));
        using var shard = TokenShard.Open(folder["a.tokens"]);
        Assert.Equal("58383174", shard.Digest.Short);
    }

    [Fact]
    public void Wide_ids_are_stored_in_four_bytes()
    {
        // A vocabulary above 65,536 by special tokens: quick to make.
        var special = Enumerable.Range(0, 70_000).Select(i => $"<|{i}|>").Prepend(Tokenizer.EndOfText).ToArray();
        var wide = BpeTrainer.Train(TestText.Corpus(), 256 + special.Length + 20, special);
        using var folder = new TestFolder();
        TokenShard.Write(folder["w.tokens"], wide, Documents);
        using var shard = TokenShard.Open(folder["w.tokens"]);
        Assert.Equal(128 + (4 * shard.Tokens), new FileInfo(folder["w.tokens"]).Length);
        Assert.Equal(Encoding.UTF8.GetString(Documents[0].Text.Span), wide.DecodeText(Ids(shard).TakeWhile(id => id != wide.EosId).ToArray()));
        Assert.Contains(Ids(shard), id => id > 65_536);
    }

    [Fact]
    public void A_damaged_shard_is_refused_whatever_the_damage()
    {
        using var folder = new TestFolder();
        TokenShard.Write(folder["a.tokens"], Small, Documents[..5]);
        var good = File.ReadAllBytes(folder["a.tokens"]);
        var random = new SeededRandom(31, "shard");
        for (var round = 0; round < 250; round++)
        {
            var bytes = good[..(round % 4 == 0 ? random.NextBelow(good.Length) : good.Length)];
            if (bytes.Length == good.Length)
            {
                bytes[round < 150 ? round % 128 : random.NextBelow(bytes.Length)] ^= (byte)(1 << random.NextBelow(8));
            }

            var refusal = Assert.Throws<InputException>(() => TokenShard.Open(folder.Write("bad.tokens", bytes)).Dispose());
            Assert.Contains("bad.tokens", refusal.Message, StringComparison.Ordinal);
            Assert.Contains("data prepare", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_shard_whose_ids_leave_the_vocabulary_is_refused_even_with_a_true_digest()
    {
        using var folder = new TestFolder();
        var ids = new byte[4];
        BinaryPrimitives.WriteUInt16LittleEndian(ids, 320);
        BinaryPrimitives.WriteUInt16LittleEndian(ids.AsSpan(2), 256);
        Assert.Contains("outside the vocabulary", Refusal(folder, ids, documents: 1).Message, StringComparison.Ordinal);
        BinaryPrimitives.WriteUInt16LittleEndian(ids, 256);
        Assert.Contains("documents", Refusal(folder, ids, documents: 1).Message, StringComparison.Ordinal);
        BinaryPrimitives.WriteUInt16LittleEndian(ids.AsSpan(2), 7);
        Assert.Contains("documents", Refusal(folder, ids, documents: 1).Message, StringComparison.Ordinal);
    }

    private static InputException Refusal(TestFolder folder, byte[] ids, int documents)
    {
        using var hasher = new Hasher("cairn/shard");
        hasher.Append(ids);
        var header = new ShardHeader(320, 256, ids.Length / 2, documents, 1, Digest.Zero, Digest.Zero);
        header = header with { Content = header.Finish(hasher) };
        return Assert.Throws<InputException>(() => TokenShard.Open(folder.Write("h.tokens", [.. header.ToBytes(), .. ids])).Dispose());
    }

    private static int[] Expected()
    {
        var ids = new List<int>();
        foreach (var document in Documents)
        {
            Small.Encode(document.Text.Span, ids);
            ids.Add(Small.EosId);
        }

        return [.. ids];
    }

    private static int[] Ids(TokenShard shard)
    {
        var ids = new int[shard.Tokens];
        shard.CopyTokens(0, ids);
        return ids;
    }
}
