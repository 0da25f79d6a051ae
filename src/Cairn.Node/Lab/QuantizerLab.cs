using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Base;
using Cairn.Data;
using Cairn.Model;
using Cairn.Sparse;

namespace Cairn.Node;

/// <summary>One quantiser on real updates.</summary>
/// <param name="Quantizer">Its name.</param>
/// <param name="BitsPerValueFast">Bits of a whole update in the fast mode per value sent.</param>
/// <param name="BitsPerValueSmall">The same in the small mode.</param>
/// <param name="TimesSmallerFast">Dense fp32 bytes over the update's, fast.</param>
/// <param name="TimesSmallerSmall">The same, small.</param>
/// <param name="KeptError">Σ(v − decoded)² / Σ v² over the values kept.</param>
public sealed record QuantizerRow(
    string Quantizer, double BitsPerValueFast, double BitsPerValueSmall, double TimesSmallerFast, double TimesSmallerSmall, double KeptError);

/// <summary>What the quantisers do to one run's pseudo-gradients.</summary>
/// <param name="Preset">The model.</param>
/// <param name="Rounds">Rounds trained.</param>
/// <param name="Updates">Updates measured.</param>
/// <param name="Rows">One for each quantiser.</param>
public sealed record QuantizerReport(string Preset, int Rounds, int Updates, IReadOnlyList<QuantizerRow> Rows)
{
    /// <summary>One line of JSON.</summary>
    public string ToJsonLine() => JsonSerializer.Serialize(this, QuantizerJson.Default.QuantizerReport);

    /// <summary>A table for people.</summary>
    public override string ToString()
    {
        var text = new StringBuilder().AppendLine(CultureInfo.InvariantCulture, $"{Preset}, {Rounds} rounds of 4 peers, {Updates} real updates")
            .AppendLine("quantiser        bits/value fast  (smaller)   bits/value small  (smaller)   energy lost of what is kept");
        foreach (var row in Rows)
        {
            text.AppendLine(CultureInfo.InvariantCulture,
                $"{row.Quantizer,-16} {row.BitsPerValueFast,15:F3}  {row.TimesSmallerFast,8:F1}×  {row.BitsPerValueSmall,17:F3}  {row.TimesSmallerSmall,8:F1}×  "
                + $"{100 * row.KeptError,28:F3} %");
        }

        return text.ToString().TrimEnd();
    }
}

/// <summary>Trains a few rounds as a swarm does and, on what each peer really accumulated, lets every quantiser have its turn: the same values kept, then bits and
/// what is lost of them.</summary>
public static class QuantizerLab
{
    /// <summary>Runs it.</summary>
    /// <param name="options">Valid; Directory, Preset, Threads and Corpus are used.</param>
    /// <param name="rounds">At least 1; the first, whose error feedback is empty, is not measured if there are more.</param>
    /// <param name="tell">Told what is going on.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="InputException">Data or folder cannot be used, or training diverged.</exception>
    public static QuantizerReport Run(LabOptions options, int rounds, Action<string> tell, CancellationToken cancellation)
    {
        var directory = new RunDirectory(options.Directory);
        var shape = Presets.Get(options.Preset);
        using var held = directory.Lock();
        using var data = DataSet.Prepare(new DataSetOptions { Corpus = options.Corpus, VocabularySize = shape.Vocabulary }, directory.Data, null);
        var preset = SwarmPreset.Of(options.Preset);
        var setting = LabSetting.Of(
            options with { Batch = preset.Batch, Steps = Math.Max(rounds, 20) * preset.InnerSteps },
            shape with { Vocabulary = data.Tokenizer.VocabularySize }, data.Digest);
        using var engine = new Engine(new ParameterLayout(setting.Shape), setting.Adam, setting.Schedule, setting.Batch, options.Threads);
        Initializer.Fill(engine.Local, 1);
        var tallies = Enum.GetValues<QuantizerKind>().Select(kind => new Tally(RunContext.GridOf(engine.Local.Layout), kind)).ToArray();
        var round = 0;
        using var method = new SparseMethod(new LabBench(engine, setting), LabMethods.OursVariant)
        {
            Seen = accumulated =>
            {
                foreach (var tally in tallies)
                {
                    if (round > 0 || rounds == 1)
                    {
                        tally.Add(accumulated);
                    }
                }
            },
        };
        var samples = new PeerSamples(data, setting, 1, cancellation);
        for (; round < rounds; round++)
        {
            tell($"round {round + 1} of {rounds}");
            var first = (long)round * preset.InnerSteps;
            if (method.Round(preset.InnerSteps, peer => samples.Of(peer, first)) is null)
            {
                throw new InputException($"training of preset {options.Preset} diverged in round {round + 1}: nothing can be measured.");
            }
        }

        return new QuantizerReport(setting.Preset, rounds, tallies[0].Updates, [.. tallies.Select(tally => tally.Row())]);
    }

    /// <summary>Sums of one quantiser.</summary>
    private sealed class Tally(ChunkGrid grid, QuantizerKind kind)
    {
        // No decay and nothing new: what was accumulated is encoded as it is.
        private readonly SparseEncoder _encoder = new(grid, kind, decay: 1);
        private readonly SparseUpdateCodec _fast = new(grid, new UpdateFormat(kind, WireMode.Fast));
        private readonly SparseUpdateCodec _small = new(grid, new UpdateFormat(kind, WireMode.Small));
        private readonly float[] _zero = new float[grid.FlatLength];
        private readonly float[] _scratch = new float[grid.FlatLength];
        private long _fastBytes, _smallBytes;
        private double _lost, _whole;

        public int Updates { get; private set; }

        public void Add(ReadOnlySpan<float> accumulated)
        {
            Invariant.Check(_encoder.TryEncode(Digest.Zero, default, default, accumulated, _zero, _scratch, out var update, out _));
            Updates++;
            _fastBytes += _fast.Encode(update!).Length;
            _smallBytes += _small.Encode(update!).Length;
            for (var t = 0; t < grid.TensorCount; t++)
            {
                AddError(update![t], grid.Slice(accumulated, t));
            }
        }

        public QuantizerRow Row()
        {
            var (values, dense) = ((double)grid.ValueCount * Updates, 4.0 * grid.ElementCount * Updates);
            return new QuantizerRow(
                kind.ToString(), 8 * _fastBytes / values, 8 * _smallBytes / values, dense / _fastBytes, dense / _smallBytes, _lost / _whole);
        }

        private void AddError(SparseTensor sent, ReadOnlySpan<float> accumulated)
        {
            var values = new float[sent.Grid.ValueCount];
            sent.CopyValuesTo(values);
            for (var chunk = 0; chunk < sent.Grid.ChunkCount; chunk++)
            {
                var (shape, first) = (sent.Grid.ShapeOf(chunk), sent.Grid.FirstValueOf(chunk));
                var own = accumulated[sent.Grid.OriginOf(chunk)..];
                var indices = sent.IndicesOf(chunk);
                for (var i = 0; i < indices.Length; i++)
                {
                    double value = own[shape.Offsets[indices[i]]];
                    _lost += (value - values[first + i]) * (value - values[first + i]);
                    _whole += value * value;
                }
            }
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(QuantizerReport))]
internal sealed partial class QuantizerJson : JsonSerializerContext;
