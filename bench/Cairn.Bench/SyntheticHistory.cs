using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Cairn.Base;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Bench;

/// <summary>A long run that nobody trained: rules, a ledger in which every signature and every rule holds, and a log. For what must stay fast when a run is large.</summary>
public sealed class SyntheticHistory
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly List<NodeKey> _keys = [];
    private readonly string _folder;
    private readonly int _peers;
    private readonly int _validators;
    private readonly int _rounds;

    private SyntheticHistory(string folder, int peers, int validators, int rounds) => (_folder, _peers, _validators, _rounds) = (folder, peers, validators, rounds);

    /// <summary>Writes rules.json, ledger.cairn and events.jsonl.</summary>
    /// <param name="folder">An existing folder without them.</param>
    /// <param name="peers">Peers in every round.</param>
    /// <param name="validators">Validators.</param>
    /// <param name="rounds">Rounds, all of them closed.</param>
    /// <returns>Operations in the ledger.</returns>
    public static long Write(string folder, int peers, int validators, int rounds) => new SyntheticHistory(folder, peers, validators, rounds).Write();

    private long Write()
    {
        var members = Enumerable.Range(0, _peers + _validators).Select(Member).ToList();
        var rules = RulesOf();
        File.WriteAllBytes(Path.Combine(_folder, "rules.json"), RunRulesFile.Write(rules));
        var genesis = new Genesis { RulesDigest = rules.ComputeDigest(), Rules = rules.ToLedgerRules(), InitialBase = rules.Model.InitialBase, Members = members };
        var path = Path.Combine(_folder, "ledger.cairn");
        EmbeddedLedger.Create(path, genesis, flush: false).Dispose();
        using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.None, 1 << 20);
        using var log = new StreamWriter(Path.Combine(_folder, "events.jsonl"));
        var (state, operations) = (LedgerState.FromGenesis(genesis), 0L);
        Tell(log, 0, $"\"event\":\"evaluated\",\"round\":-1,\"loss\":9.5,\"bitsPerByte\":3.1,\"tokens\":0,\"seconds\":0");
        for (var number = 0; number < _rounds; number++)
        {
            foreach (var (uid, operation) in OperationsOf(state))
            {
                Append(file, state, uid, operation);
                operations++;
            }

            TellRound(log, number);
        }

        _keys.ForEach(key => key.Dispose());
        return operations;
    }

    private GenesisMember Member(int uid)
    {
        _keys.Add(NodeKey.Create());
        var isPeer = uid < _peers;
        return new GenesisMember(
            isPeer ? Role.Peer : Role.Validator, isPeer ? $"peer-{uid + 1}" : $"validator-{uid - _peers + 1}", _keys[uid].Public, 1_000_000_000,
            isPeer ? Digest.Zero : BeaconChain.Tip(Named("chain", uid), _rounds));
    }

    // Once each round, in the order in which the stages need them; the state says which stage is on, so each is built when it is asked for.
    private IEnumerable<(int Uid, Operation Operation)> OperationsOf(LedgerState state)
    {
        var round = state.CurrentRound;
        for (var uid = 0; uid < _peers; uid++)
        {
            yield return (uid, new Commit(round, OpeningOf(uid, round).Root(new Uid(uid), round)));
        }

        for (var uid = 0; uid < _peers; uid++)
        {
            yield return (uid, new Reveal(round, OpeningOf(uid, round)));
        }

        for (var uid = _peers; uid < _keys.Count; uid++)
        {
            Invariant.Check(BeaconChain.TryPreimage(Named("chain", uid), _rounds, state.Members[uid].ChainTip, out var preimage));
            yield return (uid, new Beacon(round, preimage));
        }

        for (var uid = _peers; uid < _keys.Count; uid++)
        {
            yield return (uid, new Verdict(round, [.. state.Roster.Select(entry => new VerdictEntry(
                entry.Uid, IsRefused(entry.Uid.Value, round.Number) ? Rejection.BadCode : Rejection.None, IsRefused(entry.Uid.Value, round.Number) ? 0 : 120))]));
        }

        for (var uid = 0; uid < _keys.Count; uid++)
        {
            yield return (uid, new PostBase(round, Named("base", round.Number)));
        }

        for (var uid = _peers; uid < _keys.Count && state.Stage == Stage.Settle && state.CurrentRound == round; uid++)
        {
            var each = Shares.One / _peers;
            yield return (uid, new PostShares(
                round, [.. Enumerable.Range(0, _peers).Select(peer => new ShareEntry(new Uid(peer), peer == 0 ? Shares.One - (each * (_peers - 1)) : each))],
                Named("checkpoint", round.Number)));
        }
    }

    private static bool IsRefused(int uid, int round) => uid % 13 == 7 && round % 3 == 1;

    private static Opening OpeningOf(int uid, Round round)
    {
        var number = ((long)round.Number << 16) + uid;
        return new Opening(Named("object", number), 22_000 + (uid % 97), Named("key", number), Named("base", round.Number - 1), Named("receipt", number), Named("trace", number));
    }

    // A frame as docs/wire.md describes it. The signatures are ours: to verify each of them here would take longer than all the rest.
    private void Append(FileStream file, LedgerState state, int uid, Operation operation)
    {
        var block = Block.Create(state.Height + 1, state.Tip, [SignedOperation.Sign(_keys[uid], state.Run, operation)]);
        state.Apply(block, verifySignatures: false);
        Span<byte> head = stackalloc byte[2 * sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(head, block.Bytes.Length);
        BinaryPrimitives.WriteInt32LittleEndian(head[sizeof(int)..], ~block.Bytes.Length);
        file.Write(head);
        file.Write(block.Bytes);
        file.Write(block.Hash.ToArray());
    }

    private void TellRound(StreamWriter log, int round)
    {
        var at = round * 60.0;
        foreach (var (stage, offset) in new[] { ("Commit", 0), ("Reveal", 48), ("Judge", 50), ("Apply", 56) })
        {
            Tell(log, at + offset, $"\"event\":\"stage\",\"round\":{round},\"stage\":\"{stage}\"");
        }

        for (var uid = 0; uid < _peers; uid++)
        {
            Tell(log, at + 40, $"\"event\":\"trained\",\"node\":\"peer-{uid + 1}\",\"round\":{round},\"firstLoss\":3.5,\"lastLoss\":3.25,\"tokens\":15360,\"seconds\":40");
            Tell(log, at + 45, $"\"event\":\"published\",\"node\":\"peer-{uid + 1}\",\"round\":{round},\"bytes\":22000,\"values\":20000,\"compressionVsFp32\":230");
        }

        for (var validator = 0; validator < _validators; validator++)
        {
            var verdicts = new StringBuilder();
            for (var uid = 0; uid < _peers; uid++)
            {
                var reason = IsRefused(uid, round) ? "BadCode" : "None";
                verdicts.Append(
                    CultureInfo.InvariantCulture,
                    $"{(uid > 0 ? "," : "")}{{\"peer\":\"peer-{uid + 1}\",\"uid\":{uid},\"reason\":\"{reason}\",\"score\":0.01,\"heldBack\":0.008,\"clearness\":2.5,\"rating\":{(uid % 50) - 10}}}");
            }

            Tell(log, at + 55, $"\"event\":\"judged\",\"node\":\"validator-{validator + 1}\",\"round\":{round},\"overlapMax\":0.05,\"verdicts\":[{verdicts}]");
        }

        var loss = 2.5 + (7 / Math.Sqrt(1 + (round * 0.2)));
        var tokens = (round + 1L) * _peers * 15_360;
        Tell(log, at + 59, string.Create(
            CultureInfo.InvariantCulture, $"\"event\":\"evaluated\",\"round\":{round},\"loss\":{loss:F4},\"bitsPerByte\":{loss / 3:F4},\"tokens\":{tokens},\"seconds\":{at:F0}"));
    }

    private static void Tell(StreamWriter log, double second, string fields) =>
        log.Write($"{{\"time\":\"{Start.AddSeconds(second):O}\",\"data\":{{{fields}}}}}\n");

    private static Digest Named(string what, long number)
    {
        using var hasher = new Hasher("cairn/bench/" + what);
        hasher.Append(number);
        return hasher.Finish();
    }

    private RunRules RulesOf() => new(
        RunRules.CurrentVersion, "synthetic", 1, Math.Max(4, _peers),
        new ModelRules("nano", 4096, 128, 4, 4, 2, 384, 128, 10_000, 1e-5, true, 1_311_872, Named("base", -1)),
        new DataRules(Named("data", 0), Named("tokenizer", 0), 1_000_000, 1000),
        new TrainingRules(15, 8, 4e-3, 20, 0.1, 0.9, 0.95, 1e-8, 0.1, 1.0),
        new SparseRules(0.95, 1.5, Combination.Mean, 0, true, 64, Quantization.Sign, Coding.Small),
        new RoundRules(_rounds, 10, 0, 4, 8, 0.2, 300, 8, 600), MoneyRules.Default);
}
