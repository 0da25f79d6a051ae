namespace Cairn.Training;

/// <summary>Fills the batch of a step. The same step must always give the same tokens: a replay asks again.</summary>
/// <param name="step">Counted from 0 within the call that asks.</param>
/// <param name="tokens">[batch, length]: to be filled.</param>
/// <param name="targets">[batch, length]: to be filled with the token that follows each.</param>
public delegate void BatchSource(int step, Span<int> tokens, Span<int> targets);

/// <summary>Fills one sample of an evaluation.</summary>
/// <param name="sample">Counted from 0.</param>
/// <param name="tokens">[length]: to be filled.</param>
/// <param name="targets">[length]: to be filled with the token that follows each.</param>
public delegate void SampleSource(int sample, Span<int> tokens, Span<int> targets);
