namespace Cairn.Inference;

/// <summary>Tokens that one pass appends to one text.</summary>
/// <param name="Text">Each text at most once in a pass.</param>
/// <param name="Tokens">At least one, each below the vocabulary; room for them is reserved.</param>
/// <param name="WantsLogits">Whether the logits after the last of them are wanted.</param>
public readonly record struct BatchPiece(CachedText Text, ReadOnlyMemory<int> Tokens, bool WantsLogits);
