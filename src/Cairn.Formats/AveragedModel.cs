using Cairn.Base;
using Cairn.Model;

namespace Cairn.Formats;

/// <summary>The mean of several models of one shape and one tokenizer, tensor by tensor (Wortsman et al. 2022, "Model soups").</summary>
public sealed class AveragedModel : ModelFile
{
    private readonly IReadOnlyList<ModelFile> _models;
    private readonly double[] _parts;
    private readonly List<StoredTensor> _tensors;

    /// <summary>Averages models.</summary>
    /// <param name="models">At least one; stay the caller's.</param>
    /// <param name="parts">How much each counts, above 0; null for all alike.</param>
    /// <exception cref="InputException">They differ in shape or tokenizer, or the parts do not fit them.</exception>
    public AveragedModel(IReadOnlyList<ModelFile> models, IReadOnlyList<double>? parts = null) : base("the average")
    {
        Invariant.Check(models.Count > 0);
        parts ??= [.. Enumerable.Repeat(1.0, models.Count)];
        if (parts.Count != models.Count || parts.Any(part => !(part > 0 && double.IsFinite(part))))
        {
            throw new InputException($"{models.Count} models need as many parts, each above 0");
        }

        foreach (var model in models)
        {
            var what = model.Shape != models[0].Shape ? "shape" : model.Tokenizer.Digest != models[0].Tokenizer.Digest ? "tokenizer" : null;
            if (what is not null)
            {
                throw new InputException($"{model.Path} cannot be averaged with {models[0].Path}: its {what} is another");
            }
        }

        var sum = parts.Sum();
        (_models, _parts) = (models, [.. parts.Select(part => part / sum)]);
        (Layout, Tokenizer, ChatTemplate, Generation) = (models[0].Layout, models[0].Tokenizer, models[0].ChatTemplate, models[0].Generation);
        _tensors = [.. Layout.Tensors.Select(tensor => new StoredTensor(tensor.Name, NumberType.F32, tensor.Rows, tensor.Columns, 0, ""))];
    }

    /// <inheritdoc/>
    public override string Format => "average";

    /// <inheritdoc/>
    public override IReadOnlyList<StoredTensor> Tensors => _tensors;

    /// <inheritdoc/>
    /// <remarks>Summed in double in the order of the models and rounded once: the same models give the same bits.</remarks>
    public override void Read(ParameterTensor tensor, Span<float> values)
    {
        var (sums, one) = (new double[values.Length], new float[values.Length]);
        for (var i = 0; i < _models.Count; i++)
        {
            _models[i].Read(tensor, one);
            for (var at = 0; at < sums.Length; at++)
            {
                sums[at] += _parts[i] * one[at];
            }
        }

        for (var at = 0; at < sums.Length; at++)
        {
            values[at] = (float)sums[at];
        }
    }
}
