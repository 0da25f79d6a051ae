using Cairn.Base;
using Cairn.Ledger;
using Cairn.Simulation;

namespace Cairn.Protocol.Tests;

/// <summary>A ledger that a test moves by hand, and one machine that sees every step of it.</summary>
internal sealed class Scene
{
    /// <summary>The base of round 0.</summary>
    public static readonly Digest InitialBase = Name("initial", 0);

    private readonly Founding _founding;
    private readonly Func<NodeEvent, LedgerState, IReadOnlyList<Effect>> _step;

    private Scene(Founding founding, LedgerState ledger, Func<NodeEvent, LedgerState, IReadOnlyList<Effect>> step) =>
        (_founding, Ledger, _step) = (founding, ledger, step);

    public LedgerState Ledger { get; }

    public IReadOnlyList<Uid> Validators => [.. Ledger.Members.Where(m => m.Role == Role.Validator).Select(m => m.Uid)];

    public static Scene OfPeer(Scenario scenario, int uid = 0)
    {
        var machine = new PeerMachine(Founding.KeyOf(uid), new Round(0), Digest.Zero, scenario.ApplyDelay);
        return Of(scenario, machine.Step);
    }

    public static Scene OfValidator(Scenario scenario)
    {
        var machine = new ValidatorMachine(Founding.KeyOf(scenario.Peers.Count), new Round(0), Digest.Zero, evaluates: false);
        return Of(scenario, machine.Step);
    }

    private static Scene Of(Scenario scenario, Func<NodeEvent, LedgerState, IReadOnlyList<Effect>> step)
    {
        var founding = new Founding(scenario, InitialBase);
        return new Scene(founding, LedgerState.FromGenesis(founding.Genesis), step);
    }

    /// <summary>The same ledger, seen by another machine: a new life.</summary>
    public Scene Restarted(Func<NodeEvent, LedgerState, IReadOnlyList<Effect>> step) => new(_founding, Ledger, step);

    /// <summary>Tells the machine something.</summary>
    /// <returns>What it asks for, in words.</returns>
    public IReadOnlyList<string> Tell(NodeEvent happened) => [.. _step(happened, Ledger).Select(Words.Of)];

    public IReadOnlyList<string> Look() => Tell(new LedgerMoved(Ledger));

    public void Must(int uid, Operation operation) => Must(_founding.Sign(uid, operation));

    /// <summary>Says something by a key that the run did not begin with.</summary>
    public void MustAsStranger(Operation operation) => Must(SignedOperation.Of(Founding.KeyOf(99), new byte[NodeKey.SignatureSize], operation));

    private void Must(SignedOperation signed)
    {
        var block = Block.Create(Ledger.Height + 1, Ledger.Tip, [signed]);
        Ledger.TryApply(block, verifySignatures: false, out var why);
        Assert.Equal(Rejection.None, why);
    }

    public void Must(Uid uid, Operation operation) => Must(uid.Value, operation);

    /// <summary>Ends the stage in progress by the word of all validators.</summary>
    public void TimeOut()
    {
        var timeout = new Ledger.Timeout(Ledger.CurrentRound, Ledger.Stage);
        foreach (var uid in Validators)
        {
            if (Ledger.Stage == timeout.Stage && Ledger.CurrentRound == timeout.Round)
            {
                Must(uid, timeout);
            }
        }
    }

    public void TimeOutUntil(Stage stage)
    {
        while (Ledger.Stage != stage)
        {
            TimeOut();
        }
    }

    public Opening OpeningOf(int uid) =>
        new(Name("object", uid), 100, Name("key", uid), Name("base", Ledger.CurrentRound.Number - 1), Name("receipt", uid), Name("trace", uid));

    public void CommitAll(params int[] uids)
    {
        foreach (var uid in uids)
        {
            Must(uid, new Commit(Ledger.CurrentRound, OpeningOf(uid).Root(new Uid(uid), Ledger.CurrentRound)));
        }
    }

    public void RevealAll(params int[] uids)
    {
        foreach (var uid in uids)
        {
            Must(uid, new Reveal(Ledger.CurrentRound, OpeningOf(uid)));
        }
    }

    public Verdict AcceptAll() => new(Ledger.CurrentRound, [.. Ledger.Roster.Select(entry => Ledger.OpeningOf(entry.Uid) is null
        ? new VerdictEntry(entry.Uid, Rejection.Missing, 0) : new VerdictEntry(entry.Uid, Rejection.None, Ledger.Rules.SamplesPerPeer))]);

    /// <summary>Lets these peers take part until their updates lie before the validators.</summary>
    public void ToJudge(params int[] uids)
    {
        CommitAll(uids);
        if (Ledger.Stage == Stage.Commit)
        {
            TimeOut();
        }

        RevealAll(uids);
        BeaconAll();
    }

    public void BeaconAll()
    {
        foreach (var uid in Validators)
        {
            Must(uid, _founding.BeaconOf(Ledger, uid.Value));
        }
    }

    /// <summary>Goes on until everybody has to apply the round.</summary>
    public void ToApply(params int[] uids)
    {
        ToJudge(uids);
        var verdict = AcceptAll();
        foreach (var uid in Validators)
        {
            Must(uid, verdict);
        }
    }

    public static Digest Name(string what, int number) => Digest.Of("scene/" + what, BitConverter.GetBytes(number));
}
