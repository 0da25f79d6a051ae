using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Base;
using Cairn.Data;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>What one peer trained on, by its signed receipts.</summary>
/// <param name="Uid">The peer.</param>
/// <param name="Name">Its name.</param>
/// <param name="Rounds">Rounds whose manifest holds an update of it.</param>
/// <param name="Samples">Samples of those updates.</param>
/// <param name="BadReceipts">Such updates whose receipt does not name the samples assigned; 0 unless validators let a lie pass.</param>
public sealed record TrainedSamples(int Uid, string Name, int Rounds, long Samples, int BadReceipts);

/// <summary>Exactly once: every sample that the schedule has passed was trained as often as it was passed, or waits to be issued again. Counted anew from the
/// ledger alone.</summary>
/// <param name="Planned">Samples that the schedule has passed, less those that wait or are in work.</param>
/// <param name="Trained">Samples of all updates in manifests.</param>
/// <param name="Duplicates">Samples trained more often than planned, counted one by one.</param>
/// <param name="Missing">Samples trained less often than planned, counted one by one.</param>
/// <param name="Waiting">Samples of vanished or refused peers that are issued next.</param>
/// <param name="InWork">Samples issued in the round in progress, and with an apply delay in the one that is trained ahead of it.</param>
/// <param name="PerPeer">Ascending by uid.</param>
/// <param name="Misplaced">Samples trained out of their time: of the annealing part before it began, or of the main part from then on.</param>
/// <param name="Annealed">Samples of the annealing part that were trained, counted in <paramref name="Trained"/>; null where the run has no such part.</param>
public sealed record SampleAudit(
    long Planned, long Trained, long Duplicates, long Missing, long Waiting, long InWork, IReadOnlyList<TrainedSamples> PerPeer, long Misplaced, long? Annealed)
{
    /// <summary>True if trained is planned, sample by sample, each in its time, and every receipt is right.</summary>
    public bool Holds => Duplicates == 0 && Missing == 0 && Misplaced == 0 && PerPeer.All(peer => peer.BadReceipts == 0);

    /// <summary>One line of JSON.</summary>
    public string ToJsonLine() => JsonSerializer.Serialize(this, AuditJson.Default.SampleAudit);

    /// <summary>Counts a run's samples; verifies the ledger on the way.</summary>
    /// <param name="directory">The run; may be going on.</param>
    /// <exception cref="InputException">There is no run, or its ledger is damaged.</exception>
    public static SampleAudit Of(RunDirectory directory)
    {
        if (!directory.HoldsRun)
        {
            throw new InputException($"{directory.Root} holds no run: begin one with cairn swarm --dir {directory.Root}.");
        }

        using var ledger = EmbeddedLedger.Open(directory.Ledger, readOnly: true);
        if (ledger.Genesis.Rules.SampleCount > Array.MaxLength)
        {
            throw new InputException($"{directory.Root} has {ledger.Genesis.Rules.SampleCount:N0} samples: more than {Array.MaxLength:N0} are not counted here.");
        }

        var count = new Count(LedgerState.FromGenesis(ledger.Genesis));
        foreach (var block in ledger.ReadNew())
        {
            count.Add(block);
        }

        return count.Finish();
    }

    private sealed class Count(LedgerState state)
    {
        private readonly int[] _trained = new int[state.Rules.SampleCount];
        private readonly SortedDictionary<Uid, TrainedSamples> _peers = [];
        private Round _closed = new(-1);
        private long _misplaced;

        public void Add(Block block) => state.Apply(block, () =>
        {
            // Between the last verdict and the next round the state still holds who was assigned what and what he signed for.
            if (state.ManifestOf(state.CurrentRound) is { } manifest && manifest.Round > _closed)
            {
                _closed = manifest.Round;
                // With an update in its manifest the round that just closed is itself a step.
                var anneals = state.Rules.AnnealSamples > 0
                    && (state.Rules.ApplyDelay > 0 ? state.StepsBefore(manifest.Round) : state.StepsDone - 1) >= state.Rules.AnnealFrom;
                foreach (var entry in manifest.Entries)
                {
                    _misplaced += state.SamplesOf(entry.Uid).Count(id => (id >= state.Rules.SampleCount - state.Rules.AnnealSamples) != anneals);
                    Add(entry.Uid, state.SamplesOf(entry.Uid), state.OpeningOf(entry.Uid)!.Receipt);
                }
            }
        });

        public SampleAudit Finish()
        {
            var rules = state.Rules;
            var planned = new int[_trained.Length];
            foreach (var (part, index) in rules.SampleParts().Select((part, index) => (part, index)))
            {
                var cursor = state.SampleCursorOf(index);
                for (var epoch = 0L; epoch * part.Count < cursor; epoch++)
                {
                    var order = part.OrderOf(rules.Seed, epoch);
                    for (var place = 0L; place < Math.Min(part.Count, cursor - (epoch * part.Count)); place++)
                    {
                        planned[part.First + order.At(place)]++;
                    }
                }
            }

            var inWork = _closed == state.CurrentRound ? [] : state.Roster.SelectMany(entry => state.SamplesOf(entry.Uid)).ToArray();
            inWork = [.. inWork, .. state.PlannedSamples];
            foreach (var id in state.WaitingSamples.Concat(inWork))
            {
                planned[id]--;
            }

            var (duplicates, missing) = (0L, 0L);
            for (var id = 0; id < planned.Length; id++)
            {
                duplicates += Math.Max(0, _trained[id] - planned[id]);
                missing += Math.Max(0, planned[id] - _trained[id]);
            }

            return new SampleAudit(
                planned.Sum(n => (long)n), _trained.Sum(n => (long)n), duplicates, missing, state.WaitingSamples.Count, inWork.Length, [.. _peers.Values],
                _misplaced, rules.AnnealSamples == 0 ? null : _trained.Skip((int)(rules.SampleCount - rules.AnnealSamples)).Sum(n => (long)n));
        }

        private void Add(Uid uid, IReadOnlyList<long> samples, Digest receipt)
        {
            foreach (var id in samples)
            {
                _trained[id]++;
            }

            var before = _peers.TryGetValue(uid, out var known) ? known : new TrainedSamples(uid.Value, state.Members[uid.Value].Name, 0, 0, 0);
            _peers[uid] = before with
            {
                Rounds = before.Rounds + 1,
                Samples = before.Samples + samples.Count,
                BadReceipts = before.BadReceipts + (SampleReceipt.Of(samples.ToArray()) == receipt ? 0 : 1),
            };
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SampleAudit))]
internal sealed partial class AuditJson : JsonSerializerContext;
