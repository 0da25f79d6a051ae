namespace Cairn.Data;

/// <summary>One text of a corpus.</summary>
/// <param name="Text">Valid UTF-8; at least one byte.</param>
/// <param name="HeldOut">True if it is kept from training, to measure on.</param>
public readonly record struct Document(ReadOnlyMemory<byte> Text, bool HeldOut);
