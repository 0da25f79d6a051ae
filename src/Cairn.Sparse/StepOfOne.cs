namespace Cairn.Sparse;

/// <summary>The outer step of a round of one: what an update alone does to the parameters. Place by place, with the bits of a step by its dense mean and without the
/// memory for one.</summary>
public static class StepOfOne
{
    /// <summary>Moves parameters by one update.</summary>
    /// <param name="update">The update.</param>
    /// <param name="parameters">All of the model, in the layout of the update's grid; changed in place.</param>
    /// <param name="rate">The outer learning rate, or a part of it.</param>
    public static void Apply(ISparseUpdate update, Span<float> parameters, float rate)
    {
        for (var tensor = 0; tensor < update.Grid.TensorCount; tensor++)
        {
            update[tensor].SubtractFrom(rate, update.Grid.Slice(parameters, tensor));
        }
    }
}
