using Cairn.Base;
using Cairn.Data;
using Cairn.Model;
using Cairn.Simulation;

namespace Cairn.Cli.Attacks;

/// <summary>A real model for simulated swarms: the default corpus, cut and encoded in a folder for temporary files that is dropped in the end.</summary>
internal sealed class SimulatedModel : IDisposable
{
    private const int Batch = 4;
    private const int InnerSteps = 5;
    private readonly DataSet _data;
    private readonly ModelShape _shape;

    private SimulatedModel(string name, DataSet data, ModelShape shape) => (Name, _data, _shape) = (name, data, shape);

    /// <summary>The preset.</summary>
    public string Name { get; }

    /// <summary>Prepares the data of a preset.</summary>
    /// <param name="preset">Its name.</param>
    /// <param name="tell">Told what is being done.</param>
    /// <exception cref="InputException">There is no such preset, or no text.</exception>
    public static SimulatedModel Prepare(string preset, Action<string> tell)
    {
        if (!Presets.Names.Contains(preset.ToLowerInvariant()))
        {
            throw new InputException($"no objective is named '{preset}': there are toy, and the models {string.Join(", ", Presets.Names)}.");
        }

        tell($"preparing text for {preset}");
        var shape = Presets.Get(preset);
        var data = DataSet.Prepare(new DataSetOptions { VocabularySize = shape.Vocabulary }, Directory.CreateTempSubdirectory("cairn-simulate-").FullName);
        return new SimulatedModel(preset, data, shape with { Vocabulary = data.Tokenizer.VocabularySize });
    }

    /// <summary>A drawn scenario with the samples of this data, which have no annealing part.</summary>
    /// <param name="scenario">Of the small problem.</param>
    public Scenario Fit(Scenario scenario) =>
        scenario with
        {
            SampleCount = _data.SampleCount(_shape.Context),
            AnnealSamples = 0,
            AnnealFrom = 0,
            SamplesPerPeer = InnerSteps * Batch,
            ProbeSequences = 32,
        };

    /// <summary>The model as the scenario's objective.</summary>
    /// <param name="scenario">Of <see cref="Fit"/>.</param>
    public ModelObjective ObjectiveOf(Scenario scenario) =>
        new(_data, _shape, new ModelTraining(scenario.Seed, Batch, AttackLab.RateOf(Name), Math.Max(1, InnerSteps * scenario.Rounds)));

    public void Dispose()
    {
        _data.Dispose();
        Directory.Delete(_data.Folder, recursive: true);
    }
}
