namespace Cairn.Data;

/// <summary>Turns text without added tokens into ids. Holds scratch memory; one per thread.</summary>
internal interface ITextEncoder
{
    /// <summary>Appends the ids of a text.</summary>
    /// <param name="text">Any bytes.</param>
    /// <param name="ids">Where to.</param>
    void Encode(ReadOnlySpan<byte> text, List<int> ids);
}
