using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;

namespace Cairn.Data;

/// <summary>Encodes text as one word of characters, in the way of SentencePiece (Kudo and Richardson 2018): a character without a token, and every byte that is not
/// valid UTF-8, becomes tokens of single bytes.</summary>
internal sealed class PieceEncoder : ITextEncoder
{
    private readonly Vocabulary _vocabulary;
    private readonly WordMerger _merger;
    private readonly List<int> _characters = [];

    /// <summary>Begins.</summary>
    /// <param name="vocabulary">Tokens and merges.</param>
    public PieceEncoder(Vocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        _merger = new WordMerger(vocabulary.MergeTable, vocabulary.IdOfByte);
    }

    /// <inheritdoc/>
    public void Encode(ReadOnlySpan<byte> text, List<int> ids)
    {
        if (text.IsEmpty)
        {
            return;
        }

        _characters.Clear();
        while (!text.IsEmpty)
        {
            var status = Rune.DecodeFromUtf8(text, out var rune, out var length);

            // In these families the mark of a space and a space are one character.
            rune = rune.Value == TokenizerText.SpaceMark ? new Rune(' ') : rune;
            if (status == OperationStatus.Done && _vocabulary.Find(rune) is >= 0 and var id)
            {
                _characters.Add(id);
            }
            else
            {
                length = status == OperationStatus.Done ? length : 1;
                foreach (var value in text[..length])
                {
                    _characters.Add(_vocabulary.IdOfByte[value]);
                }
            }

            text = text[length..];
        }

        ids.AddRange(_merger.Merge(CollectionsMarshal.AsSpan(_characters)));
    }
}
