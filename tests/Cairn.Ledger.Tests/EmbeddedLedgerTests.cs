using System.Diagnostics;
using Cairn.Base;

namespace Cairn.Ledger.Tests;

public sealed class EmbeddedLedgerTests : IDisposable
{
    private const string ChildFolder = "CAIRN_TEST_LEDGER_FOLDER";
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-ledger").FullName;

    private string LedgerPath => Path.Combine(_folder, "run", "ledger");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Two_handles_see_one_order_and_repeats_write_nothing()
    {
        var world = new World(peers: 2);
        using var first = EmbeddedLedger.Create(LedgerPath, world.Genesis);
        using var second = EmbeddedLedger.Open(LedgerPath);
        var commit = world.Sign(0, world.Commit(0));
        Assert.Equal(new AppendOutcome(Rejection.None, 1), first.Append(commit));
        Assert.Equal(new AppendOutcome(Rejection.AlreadyThere, 1), second.Append(world.Sign(0, world.Commit(0))));
        Assert.Equal(new AppendOutcome(Rejection.None, 2), second.Append(world.Sign(1, world.Commit(1))));
        Assert.Equal([1L, 2L], first.ReadNew().Select(block => block.Height));
        Assert.Equal([1L, 2L], second.ReadNew().Select(block => block.Height));
        Assert.Empty(first.ReadNew());
        Assert.Equal(world.Genesis.Digest, first.Genesis.Digest);
    }

    [Fact]
    public void A_refused_operation_writes_nothing()
    {
        var world = new World(peers: 2);
        using var ledger = EmbeddedLedger.Create(LedgerPath, world.Genesis);
        var length = new FileInfo(LedgerPath).Length;
        var outcome = ledger.Append(world.Sign(0, world.Reveal(0)));
        Assert.Equal((Rejection.OutOfTurn, false), (outcome.Why, outcome.Accepted));
        Assert.Equal(length, new FileInfo(LedgerPath).Length);
        Assert.Empty(ledger.ReadNew());
    }

    [Fact]
    public void Operations_appended_together_share_a_block_without_the_refused_ones()
    {
        var world = new World(peers: 2);
        using var ledger = EmbeddedLedger.Create(LedgerPath, world.Genesis);
        var outcomes = ledger.Append([world.Sign(0, world.Commit(0)), world.Sign(0, world.Reveal(0)), world.Sign(1, world.Commit(1)), world.Sign(0, world.Reveal(0))]);
        Assert.Equal([Rejection.None, Rejection.OutOfTurn, Rejection.None, Rejection.None], outcomes.Select(outcome => outcome.Why));
        Assert.Equal(3, Assert.Single(ledger.ReadNew()).Operations.Count);
        using var again = EmbeddedLedger.Open(LedgerPath);
        Assert.Equal(1, again.Height);
    }

    [Fact]
    public void A_followers_state_is_the_live_state()
    {
        var world = Played(out _);
        using var ledger = EmbeddedLedger.Open(LedgerPath);
        var state = LedgerState.FromGenesis(ledger.Genesis);
        foreach (var block in ledger.ReadNew())
        {
            state.Apply(block, verifySignatures: false);
        }

        Assert.Equal(world.State.StateDigest(), state.StateDigest());
    }

    [Fact]
    public void A_run_is_not_begun_twice_nor_opened_where_none_is()
    {
        var world = new World();
        EmbeddedLedger.Create(LedgerPath, world.Genesis).Dispose();
        Assert.Contains("exists", Assert.Throws<InputException>(() => EmbeddedLedger.Create(LedgerPath, world.Genesis)).Message);
        Assert.Contains("no ledger", Assert.Throws<InputException>(() => EmbeddedLedger.Open(LedgerPath + "2")).Message);
        Assert.Throws<InputException>(() => EmbeddedLedger.Create(Path.Combine(LedgerPath, "under", "a", "file"), world.Genesis));
    }

    [Fact]
    public void After_a_crash_at_any_byte_of_an_append_the_ledger_stands_before_or_after_it()
    {
        var world = new World(peers: 2);
        int before;
        using (var ledger = EmbeddedLedger.Create(LedgerPath, world.Genesis, flush: false))
        {
            ledger.Append(world.Sign(0, world.Commit(0)));
            before = (int)new FileInfo(LedgerPath).Length;
            ledger.Append(world.Sign(1, world.Commit(1)));
        }

        var whole = File.ReadAllBytes(LedgerPath);
        var reveal = world.Sign(0, world.Reveal(0));
        var second = world.Sign(1, world.Commit(1));
        for (var length = before; length <= whole.Length; length++)
        {
            File.WriteAllBytes(LedgerPath, whole[..length]);
            using (var reader = EmbeddedLedger.Open(LedgerPath, readOnly: true, flush: false))
            {
                Assert.Equal(length == whole.Length ? 2 : 1, reader.ReadNew().Count);
                Assert.Equal(length, new FileInfo(LedgerPath).Length);
            }

            using var writer = EmbeddedLedger.Open(LedgerPath, flush: false);
            Assert.Equal(length == whole.Length ? whole.Length : before, new FileInfo(LedgerPath).Length);
            Assert.Equal(length == whole.Length ? Rejection.AlreadyThere : Rejection.None, writer.Append(second).Why);
            Assert.Equal(Rejection.None, writer.Append(reveal).Why);
        }
    }

    [Fact]
    public void A_torn_tail_is_cut_by_the_next_append_of_another_handle_and_never_by_a_reader()
    {
        var world = new World(peers: 2);
        using var writer = EmbeddedLedger.Create(LedgerPath, world.Genesis);
        using var reader = EmbeddedLedger.Open(LedgerPath, readOnly: true);
        writer.Append(world.Sign(0, world.Commit(0)));
        var whole = File.ReadAllBytes(LedgerPath);

        // Longer than the next append, so that a mere overwrite would leave rubbish behind it.
        Extend([.. BitConverter.GetBytes(5000), .. BitConverter.GetBytes(~5000), .. new byte[4000]]);
        Assert.Single(reader.ReadNew());
        Assert.Empty(reader.ReadNew());
        Assert.Equal(whole.Length + 4008, new FileInfo(LedgerPath).Length);
        Assert.Equal(Rejection.None, writer.Append(world.Sign(1, world.Commit(1))).Why);
        Assert.Single(reader.ReadNew());
        Assert.Empty(reader.ReadNew());
    }

    [Fact]
    public void A_tail_of_zeros_that_a_power_cut_left_is_cut()
    {
        var world = new World(peers: 2);
        using (var ledger = EmbeddedLedger.Create(LedgerPath, world.Genesis))
        {
            ledger.Append(world.Sign(0, world.Commit(0)));
        }

        var length = new FileInfo(LedgerPath).Length;
        Extend(new byte[300]);
        using var again = EmbeddedLedger.Open(LedgerPath);
        Assert.Equal((1L, length), (again.Height, new FileInfo(LedgerPath).Length));
    }

    [Fact]
    public void A_change_of_any_byte_of_any_block_is_reported_with_its_height()
    {
        Played(out var ends);
        var whole = File.ReadAllBytes(LedgerPath);
        for (var height = 1; height < ends.Count; height++)
        {
            for (var at = ends[height - 1]; at < ends[height]; at += 17)
            {
                whole[at] ^= 0x10;
                File.WriteAllBytes(LedgerPath, whole);
                var message = Assert.Throws<InputException>(() => EmbeddedLedger.Open(LedgerPath, flush: false)).Message;
                Assert.Contains($"height {height} ", message);
                whole[at] ^= 0x10;
            }
        }
    }

    [Fact]
    public void A_changed_operation_under_a_new_seal_is_reported_with_its_height()
    {
        var world = Played(out var ends);
        var blocks = world.Blocks;
        for (var height = 1; height <= blocks.Count; height++)
        {
            // Somebody rewrites one block and chains everything after it anew; only the keys are missing.
            var forged = blocks.Select(block => block.Operations[0]).Select((one, i) => new[] { i == height - 1 ? Forged(one) : one });
            Rewrite(ends[0], world.Genesis, [.. forged]);
            Assert.Contains($"height {height} ", Assert.Throws<InputException>(() => EmbeddedLedger.Open(LedgerPath, flush: false)).Message);
        }
    }

    [Fact]
    public void A_history_longer_than_one_read_is_followed_and_verified_to_its_end()
    {
        var world = new World(peers: 1);
        var groups = Enumerable.Range(0, 8).Select(_ => Enumerable.Range(0, 256).Select(_ => Stranger(world.Genesis)).ToArray()).ToArray();
        int headerSize;
        using (var ledger = EmbeddedLedger.Create(LedgerPath, world.Genesis, flush: false))
        {
            headerSize = (int)new FileInfo(LedgerPath).Length;
            foreach (var group in groups)
            {
                Assert.All(ledger.Append(group), outcome => Assert.True(outcome.Accepted));
            }
        }

        Assert.True(new FileInfo(LedgerPath).Length > 1 << 18);
        using (var again = EmbeddedLedger.Open(LedgerPath))
        {
            Assert.Equal(Enumerable.Range(1, 8).Select(height => (long)height), again.ReadNew().Select(block => block.Height));
        }

        groups[6][200] = Forged(groups[6][200]);
        Rewrite(headerSize, world.Genesis, groups);
        Assert.Contains("height 7 ", Assert.Throws<InputException>(() => EmbeddedLedger.Open(LedgerPath)).Message);
    }

    [Fact]
    public void A_block_left_out_or_moved_is_reported()
    {
        Played(out var ends);
        var whole = File.ReadAllBytes(LedgerPath);
        byte[] Frame(int height) => whole[ends[height - 1]..ends[height]];
        var header = whole[..ends[0]];
        File.WriteAllBytes(LedgerPath, [.. header, .. Frame(1), .. Frame(3)]);
        Assert.Contains("height 2 ", Assert.Throws<InputException>(() => EmbeddedLedger.Open(LedgerPath)).Message);
        File.WriteAllBytes(LedgerPath, [.. header, .. Frame(2), .. Frame(1)]);
        Assert.Contains("height 1 ", Assert.Throws<InputException>(() => EmbeddedLedger.Open(LedgerPath)).Message);
        File.WriteAllBytes(LedgerPath, [.. header, .. Frame(1), .. Frame(1)]);
        Assert.Contains("height 2 ", Assert.Throws<InputException>(() => EmbeddedLedger.Open(LedgerPath)).Message);
    }

    [Fact]
    public void A_history_that_gets_shorter_behind_a_node_is_reported()
    {
        var world = new World(peers: 2);
        using var ledger = EmbeddedLedger.Create(LedgerPath, world.Genesis);
        ledger.Append(world.Sign(0, world.Commit(0)));
        using (var file = new FileStream(LedgerPath, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.SetLength(file.Length - 1);
        }

        Assert.Contains("height 1 ", Assert.Throws<InputException>(() => ledger.ReadNew()).Message);
    }

    [Fact]
    public void A_file_that_is_no_ledger_is_refused()
    {
        EmbeddedLedger.Create(LedgerPath, new World().Genesis).Dispose();
        var good = File.ReadAllBytes(LedgerPath);
        for (var length = 0; length < good.Length; length += 13)
        {
            Refused(good[..length]);
        }

        for (var at = 0; at < good.Length; at += 5)
        {
            var bad = (byte[])good.Clone();
            bad[at] ^= 0x40;
            Refused(bad);
        }

        Refused(new byte[5000]);
        Refused("not a ledger at all, but long enough to look like one"u8.ToArray());

        void Refused(byte[] bytes)
        {
            File.WriteAllBytes(LedgerPath, bytes);
            Assert.Contains("is no ledger", Assert.Throws<InputException>(() => EmbeddedLedger.Open(LedgerPath)).Message);
        }
    }

    [Fact]
    public void Writers_in_threads_and_in_another_process_take_turns()
    {
        var world = new World(peers: 0);
        using var ledger = EmbeddedLedger.Create(LedgerPath, world.Genesis);
        using var child = Process.Start(new ProcessStartInfo(ThisProgram(), "-method *.Appends_as_a_second_process")
        {
            Environment = { [ChildFolder] = _folder },
            RedirectStandardOutput = true,
        })!;
        Thread[] threads = [new(() => RegisterMany(LedgerPath, 40)), new(() => RegisterMany(LedgerPath, 40))];
        Array.ForEach(threads, thread => thread.Start());
        var seen = new List<long>();
        while (!child.HasExited || Array.Exists(threads, thread => thread.IsAlive))
        {
            seen.AddRange(ledger.ReadNew().Select(block => block.Height));
            Thread.Sleep(1);
        }

        child.StandardOutput.ReadToEnd();
        seen.AddRange(ledger.ReadNew().Select(block => block.Height));
        Assert.Equal(0, child.ExitCode);
        Assert.Equal(Enumerable.Range(1, 120).Select(height => (long)height), seen);
    }

    [Fact]
    public void Appends_as_a_second_process()
    {
        // Does its work only when started by the test above.
        if (Environment.GetEnvironmentVariable(ChildFolder) is { } folder)
        {
            RegisterMany(Path.Combine(folder, "run", "ledger"), 40);
        }
    }

    private static void RegisterMany(string path, int count)
    {
        using var ledger = EmbeddedLedger.Open(path);
        for (var i = 0; i < count; i++)
        {
            Assert.Equal(Rejection.None, ledger.Append(Stranger(ledger.Genesis)).Why);
        }
    }

    private static SignedOperation Stranger(Genesis genesis)
    {
        using var key = NodeKey.Create();
        return SignedOperation.Sign(key, genesis.Digest, new Register(Role.Peer, "stranger", Digest.Zero));
    }

    private static string ThisProgram() => Path.Combine(AppContext.BaseDirectory, "Cairn.Ledger.Tests" + (OperatingSystem.IsWindows() ? ".exe" : ""));

    // A small run in the file; `ends` are the offsets after the header and after each block.
    private World Played(out List<int> ends)
    {
        var world = new World(peers: 2);
        world.Round();
        using var ledger = EmbeddedLedger.Create(LedgerPath, world.Genesis, flush: false);
        ends = [(int)new FileInfo(LedgerPath).Length];
        foreach (var block in world.Blocks)
        {
            Assert.True(ledger.Append(block.Operations[0]).Accepted);
            ends.Add((int)new FileInfo(LedgerPath).Length);
        }

        return world;
    }

    private static SignedOperation Forged(SignedOperation operation)
    {
        var bytes = operation.ToBytes();
        bytes[PublicKey.Size + 3] ^= 1;
        Assert.True(SignedOperation.TryRead(bytes, out var forged, out _));
        return forged!;
    }

    private void Rewrite(int headerSize, Genesis genesis, SignedOperation[][] groups)
    {
        var writer = new WireWriter();
        writer.Raw(File.ReadAllBytes(LedgerPath).AsSpan(0, headerSize));
        var tip = genesis.Digest;
        for (var i = 0; i < groups.Length; i++)
        {
            var block = Block.Create(i + 1, tip, groups[i]);
            writer.Int32(block.Bytes.Length);
            writer.Int32(~block.Bytes.Length);
            writer.Raw(block.Bytes);
            writer.Digest(block.Hash);
            tip = block.Hash;
        }

        File.WriteAllBytes(LedgerPath, writer.ToArray());
    }

    private void Extend(byte[] bytes)
    {
        using var file = new FileStream(LedgerPath, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        file.Write(bytes);
    }
}
