using Cairn.Base;

namespace Cairn.Ledger.Tests;

/// <summary>The formats of docs/wire.md, section "Ledger", byte by byte.</summary>
public sealed class WireTests
{
    private static readonly Digest A = Filled(0xAA);
    private static readonly Digest B = Filled(0xBB);
    private static readonly string AA = new('a', 64);
    private static readonly string BB = new('b', 64);

    public static TheoryData<string, Operation, string> Goldens => new()
    {
        { "register", new Register(Role.Validator, "ada-1", A), "01" + "01" + "05000000" + "6164612d31" + AA },
        { "commit", new Commit(new Round(258), A), "02" + "02010000" + AA },
        { "reveal", new Reveal(new Round(1), new Opening(A, 0x0102030405, B, A, B, A)), "03" + "01000000" + AA + "0504030201000000" + BB + AA + BB + AA },
        { "beacon", new Beacon(new Round(2), B), "04" + "02000000" + BB },
        {
            "verdict",
            new Verdict(new Round(3), [new VerdictEntry(new Uid(1), Rejection.None, 240), new VerdictEntry(new Uid(4), Rejection.Copied, 0)]),
            "05" + "03000000" + "02000000" + "01000000" + "00" + "f0000000" + "04000000" + "0c" + "00000000"
        },
        { "base", new PostBase(new Round(4), A), "06" + "04000000" + AA },
        {
            "shares",
            new PostShares(new Round(5), [new ShareEntry(new Uid(0), 1), new ShareEntry(new Uid(2), 999_999_999)], B),
            "07" + "05000000" + "02000000" + "00000000" + "0100000000000000" + "02000000" + "ffc99a3b00000000" + BB
        },
        { "timeout", new Timeout(new Round(6), Stage.Judge), "08" + "06000000" + "02" },
        { "return", new Return(new Round(7)), "09" + "07000000" },
        { "vote to cut", new VoteSlash(new Round(8), new Uid(3), Rejection.Harmful, B), "0b" + "08000000" + "03000000" + "11" + BB },
        { "exit", new Exit(new Round(9)), "0c" + "09000000" },
        { "vote to pause", new VotePause(new Round(10), true), "0d" + "0a000000" + "01" },
        {
            "vote for rules", new VoteRules(new Round(13), new Round(20), [new(Rule.RewardPerSettlement, 500), new(Rule.OuterRate, 650_000_000)]),
            "10" + "0d000000" + "14000000" + "02000000" + "01" + "f401000000000000" + "13" + "8036be2600000000"
        },
        { "vote taken back", new VoteRules(new Round(14), new Round(0), []), "10" + "0e000000" + "00000000" + "00000000" },
        { "declare", new Declare(new Round(12), 60), "0f" + "0c000000" + "3c000000" },
        { "announce", new Announce(new Round(11), "s3://a"), "0e" + "0b000000" + "06000000" + "73333a2f2f61" },
    };

    [Theory]
    [MemberData(nameof(Goldens))]
    public void An_operation_has_these_bytes_and_no_others(string name, Operation operation, string hex)
    {
        Assert.NotEmpty(name);
        var bytes = OperationCodec.ToBytes(operation);
        Assert.Equal(hex, Convert.ToHexStringLower(bytes));
        Assert.True(OperationCodec.TryRead(bytes, out var read, out var why));
        Assert.Equal(Rejection.None, why);
        Assert.Equal(hex, Convert.ToHexStringLower(OperationCodec.ToBytes(read!)));
    }

    [Theory]
    [MemberData(nameof(Goldens))]
    public void No_truncated_or_changed_operation_throws_and_what_is_read_is_canonical(string name, Operation operation, string hex)
    {
        Assert.NotEmpty(name);
        var bytes = OperationCodec.ToBytes(operation);
        Assert.Equal(hex.Length, bytes.Length * 2);
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.False(OperationCodec.TryRead(bytes.AsSpan(0, length), out _, out var why));
            Assert.Equal(Rejection.Malformed, why);
        }

        Assert.False(OperationCodec.TryRead([.. bytes, 0], out _, out _));
        for (var i = 0; i < bytes.Length; i++)
        {
            foreach (var change in new byte[] { 1, 2, 0x80, 0xFF })
            {
                var mutant = (byte[])bytes.Clone();
                mutant[i] ^= change;
                if (OperationCodec.TryRead(mutant, out var read, out _))
                {
                    Assert.Equal(mutant, OperationCodec.ToBytes(read!));
                }
            }
        }
    }

    [Fact]
    public void Random_bytes_are_refused_without_harm()
    {
        var random = new SeededRandom(1, "noise");
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = new byte[random.NextBelow(200)];
            for (var j = 0; j < bytes.Length; j++)
            {
                bytes[j] = (byte)random.NextBelow(j < 8 ? 12 : 256);
            }

            if (SignedOperation.TryRead(bytes, out var read, out var why))
            {
                Assert.Equal(bytes, read!.ToBytes());
            }
            else
            {
                Assert.NotEqual(Rejection.None, why);
            }

            Block.TryRead(bytes, out _, out _);
            Genesis.TryRead(bytes, out _, out _);
        }
    }

    [Fact]
    public void Statements_outside_their_ranges_are_malformed()
    {
        Operation[] bad =
        [
            new Register(Role.Peer, "", Digest.Zero), new Register(Role.Peer, new string('a', 33), Digest.Zero), new Register(Role.Peer, "Ada", Digest.Zero),
            new Register(Role.Peer, "ada", A), new Register(Role.Validator, "ada", Digest.Zero), new Register((Role)2, "ada", A),
            new Commit(new Round(-1), A), new Reveal(new Round(0), new Opening(A, -1, A, A, A, A)),
            new Verdict(new Round(0), [new VerdictEntry(new Uid(1), Rejection.None, 0)]),
            new Verdict(new Round(0), [new VerdictEntry(new Uid(1), Rejection.Late, 1)]),
            new Verdict(new Round(0), [new VerdictEntry(new Uid(1), (Rejection)200, 0)]),
            new Verdict(new Round(0), [new VerdictEntry(new Uid(2), Rejection.Late, 0), new VerdictEntry(new Uid(1), Rejection.Late, 0)]),
            new Verdict(new Round(0), [new VerdictEntry(new Uid(1), Rejection.Late, 0), new VerdictEntry(new Uid(1), Rejection.Late, 0)]),
            new PostShares(new Round(0), [new ShareEntry(new Uid(0), Shares.One - 1)], A),
            new PostShares(new Round(0), [new ShareEntry(new Uid(0), Shares.One + 1), new ShareEntry(new Uid(1), -1)], A),
            new Timeout(new Round(0), Stage.Finished),
            new Declare(new Round(0), 0), new Declare(new Round(-1), 4),
            new Announce(new Round(-1), "s3://a"), new Announce(new Round(0), ""), new Announce(new Round(0), "a b"), new Announce(new Round(0), "ä"),
            new Announce(new Round(0), new string('a', OperationCodec.PlaceMax + 1)),
            new VoteSlash(new Round(0), new Uid(0), Rejection.None, A), new VoteSlash(new Round(0), new Uid(0), (Rejection)200, A),
        ];
        Assert.All(bad, operation => Assert.False(OperationCodec.IsWellFormed(operation)));
    }

    [Fact]
    public void The_largest_statement_fits_its_limit()
    {
        var shares = new ShareEntry[LedgerRules.PeersLimit];
        for (var i = 0; i < shares.Length; i++)
        {
            shares[i] = new ShareEntry(new Uid(i), i == 0 ? Shares.One : 0);
        }

        var bytes = OperationCodec.ToBytes(new PostShares(new Round(0), shares, A));
        Assert.InRange(bytes.Length, OperationCodec.StatementBytesMax - 128, OperationCodec.StatementBytesMax);
        Assert.True(OperationCodec.TryRead(bytes, out _, out _));
        Assert.False(OperationCodec.TryRead(new byte[OperationCodec.BytesMax + 1], out _, out var why));
        Assert.Equal(Rejection.TooLarge, why);
    }

    [Fact]
    public void The_signed_digest_covers_rules_author_and_content_but_no_signature()
    {
        var author = new PublicKey([.. Enumerable.Range(0, 64).Select(i => (byte)i)]);
        var content = OperationCodec.ToBytes(new Return(new Round(7)));
        Assert.Equal("6ca441eed224d666ba48c5f0881203ffc025f6bf8ce5473ac45f33f38d5aa3c3", SignedOperation.OperationDigest(A, author, content).ToString());
        using var key = NodeKey.Create();
        var (one, two) = (SignedOperation.Sign(key, A, new Return(new Round(7))), SignedOperation.Sign(key, A, new Return(new Round(7))));
        Assert.False(one.Signature.SequenceEqual(two.Signature));
        Assert.Equal(one.OperationDigest(A), two.OperationDigest(A));
        Assert.True(one.Verify(A));
        Assert.False(one.Verify(B));
    }

    [Fact]
    public void A_signed_operation_is_author_signature_content()
    {
        using var key = NodeKey.Create();
        var signed = SignedOperation.Sign(key, A, new Commit(new Round(1), B));
        var bytes = signed.ToBytes();
        Assert.Equal([.. key.Public.Bytes, .. signed.Signature, .. OperationCodec.ToBytes(signed.Operation)], bytes);
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= 1;
            Assert.False(SignedOperation.TryRead(bytes, out var changed, out _) && changed!.Verify(A));
            bytes[i] ^= 1;
        }
    }

    [Fact]
    public void A_block_is_height_previous_and_operations()
    {
        using var key = NodeKey.Create();
        var signed = SignedOperation.Sign(key, A, new Return(new Round(1)));
        var block = Block.Create(3, B, [signed, signed]);
        var length = Convert.ToHexStringLower(BitConverter.GetBytes(signed.ToBytes().Length));
        var one = length + Convert.ToHexStringLower(signed.ToBytes());
        Assert.Equal("0300000000000000" + BB + "02000000" + one + one, Convert.ToHexStringLower(block.Bytes));
        Assert.Equal(Digest.Of("cairn/block", block.Bytes), block.Hash);
        Assert.True(Block.TryRead(block.Bytes, out var read, out _));
        Assert.Equal(block.Hash, read!.Hash);
        for (var cut = 0; cut < block.Bytes.Length; cut++)
        {
            Assert.False(Block.TryRead(block.Bytes[..cut], out _, out var why));
            Assert.Equal(Rejection.Malformed, why);
        }
    }

    [Fact]
    public void Rules_and_genesis_have_these_bytes()
    {
        var rules = new LedgerRules
        {
            Seed = 0xFFFF_FFFF_FFFF_FFFE,
            Rounds = 10,
            PeersMax = 4,
            SampleCount = 1000,
            SamplesPerPeer = 25,
            SamplesMin = 20,
            SamplesPerStep = 5,
            SettleEvery = 5,
            AbsentRoundsMax = 2,
            RewardPerSettlement = 7,
            PeerBondMin = 8,
            ValidatorBondMin = 9,
            NewcomerShareMax = 11,
            ExitDelayRounds = 13,
            AccusationRounds = 12,
            EquivocationSlash = 14,
            FaultSlash = 15,
            DividendShare = 16,
            AuditShare = 17,
            Kappa = 18,
            BackingMovingAverage = 19,
            BackingPenalty = 20,
        };
        var writer = new WireWriter();
        rules.Write(writer);
        Assert.Equal(
            "feffffffffffffff" + "0a000000" + "04000000" + "e803000000000000" + "19000000" + "14000000" + "05000000" + "05000000" + "02000000"
            + "0700000000000000" + "0800000000000000" + "0900000000000000" + "0b00000000000000" + "0d000000" + "0c000000"
            + "0e00000000000000" + "0f00000000000000" + "1000000000000000" + "1100000000000000" + "1200000000000000" + "1300000000000000"
            + "1400000000000000",
            Convert.ToHexStringLower(writer.Written));
        Assert.Equal(LedgerRules.Size, writer.Written.Length);

        var (key, other) = (new PublicKey([.. A.ToArray(), .. A.ToArray()]), new PublicKey([.. B.ToArray(), .. B.ToArray()]));
        var genesis = new Genesis
        {
            RulesDigest = A,
            Rules = rules,
            InitialBase = B,
            Members = [new GenesisMember(Role.Validator, "v", key, 10, B)],
            Allocations = [new Allocation(other, 3)],
        };
        var bytes = genesis.ToBytes();
        Assert.Equal(
            AA + Convert.ToHexStringLower(writer.Written) + BB
            + "01000000" + "01" + "01000000" + "76" + AA + AA + "0a00000000000000" + BB
            + "01000000" + BB + BB + "0300000000000000",
            Convert.ToHexStringLower(bytes));
        Assert.True(Genesis.TryRead(bytes, out var read, out _));
        Assert.Equal(genesis.Digest, read!.Digest);
        Assert.Equal(rules, read.Rules);
        for (var cut = 0; cut < bytes.Length; cut++)
        {
            Assert.False(Genesis.TryRead(bytes.AsSpan(0, cut), out _, out _));
        }
    }

    [Fact]
    public void Faulty_genesis_bytes_are_refused()
    {
        var bytes = new World().Genesis.ToBytes();
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= 0xFF;
            if (Genesis.TryRead(bytes, out var read, out _))
            {
                Assert.Empty(read!.Faults());
                Assert.Equal(bytes, read.ToBytes());
            }

            bytes[i] ^= 0xFF;
        }
    }

    private static Digest Filled(byte value)
    {
        var bytes = new byte[Digest.Size];
        Array.Fill(bytes, value);
        return new Digest(bytes);
    }
}
