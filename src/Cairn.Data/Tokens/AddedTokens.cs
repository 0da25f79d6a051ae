namespace Cairn.Data;

/// <summary>Finds the names of tokens that are not merged out of text: those that text always yields, and on demand those that steer a model.</summary>
/// <remarks>A tree over the bytes of all names, walked from each place of the text: the leftmost name, of those that begin there the longest.</remarks>
internal sealed class AddedTokens
{
    private readonly Dictionary<(int Node, byte Next), int> _nodes = [];
    private readonly List<int> _ids = [-1];
    private readonly bool[] _begins = new bool[256];

    /// <summary>Collects the names.</summary>
    /// <param name="vocabulary">Whose.</param>
    /// <param name="control">True to find the tokens that steer a model too.</param>
    public AddedTokens(Vocabulary vocabulary, bool control)
    {
        for (var id = 0; id < vocabulary.Count; id++)
        {
            var kind = vocabulary.Kind(id);
            if (kind == TokenKind.UserDefined || (control && kind is TokenKind.Control or TokenKind.Unknown && vocabulary.Token(id).Length > 0))
            {
                Add(vocabulary.Token(id), id);
            }
        }
    }

    /// <summary>True if nothing will ever be found.</summary>
    public bool IsEmpty => _nodes.Count == 0;

    /// <summary>The leftmost name in a text; of those that begin there the longest.</summary>
    /// <param name="text">Any bytes.</param>
    /// <param name="at">Where it begins.</param>
    /// <param name="length">Its bytes.</param>
    /// <param name="id">Its token.</param>
    /// <returns>False if there is none.</returns>
    public bool Find(ReadOnlySpan<byte> text, out int at, out int length, out int id)
    {
        for (at = 0; at < text.Length && !IsEmpty; at++)
        {
            if (_begins[text[at]] && Longest(text[at..], out length, out id))
            {
                return true;
            }
        }

        (length, id) = (0, -1);
        return false;
    }

    private bool Longest(ReadOnlySpan<byte> text, out int length, out int id)
    {
        (length, id) = (0, -1);
        var node = 0;
        for (var i = 0; i < text.Length && _nodes.TryGetValue((node, text[i]), out node); i++)
        {
            (length, id) = _ids[node] >= 0 ? (i + 1, _ids[node]) : (length, id);
        }

        return id >= 0;
    }

    private void Add(ReadOnlySpan<byte> name, int id)
    {
        var node = 0;
        _begins[name[0]] = true;
        foreach (var value in name)
        {
            if (!_nodes.TryGetValue((node, value), out var next))
            {
                next = _ids.Count;
                _ids.Add(-1);
                _nodes.Add((node, value), next);
            }

            node = next;
        }

        _ids[node] = _ids[node] < 0 ? id : _ids[node];
    }
}
