namespace Cairn.Inference;

/// <summary>Looks for a piece in texts. Whatever stands in both, it takes as much time as the text and the piece are long, and not as their product.</summary>
internal sealed class TextSearch
{
    // Up to this long a piece is compared at each place: that is a bounded number of steps, and fast. Longer ones go by the table of Knuth, Morris and Pratt.
    private const int ShortMax = 64;
    private readonly TemplateRun _run;
    private readonly string _piece;

    // For each place in the piece: how long a beginning of it ends there.
    private readonly int[] _restart = [];

    /// <param name="run">Counts the work.</param>
    /// <param name="piece">What is looked for.</param>
    public TextSearch(TemplateRun run, string piece)
    {
        (_run, _piece) = (run, piece);
        if (piece.Length <= ShortMax)
        {
            return;
        }

        // A number takes the place of two characters.
        run.Charge(3L * piece.Length);
        _restart = new int[piece.Length];
        for (var (at, length) = (1, 0); at < piece.Length; at++)
        {
            length = Longer(length, piece[at]);
            _restart[at] = length;
        }
    }

    /// <summary>The first place of the piece in a text, or -1.</summary>
    /// <param name="text">The text.</param>
    /// <param name="from">Where to begin.</param>
    public int In(string text, int from = 0)
    {
        if (_restart.Length == 0)
        {
            var found = text.IndexOf(_piece, from, StringComparison.Ordinal);
            _run.Charge(found < 0 ? text.Length - from : found - from + _piece.Length);
            return found;
        }

        var (end, length) = (from, 0);
        while (end < text.Length && length < _piece.Length)
        {
            length = Longer(length, text[end++]);
        }

        _run.Charge(end - from);
        return length == _piece.Length ? end - length : -1;
    }

    // How long a beginning of the piece ends with one more character, where one of that length ended before it.
    private int Longer(int length, char next)
    {
        while (length > 0 && _piece[length] != next)
        {
            length = _restart[length - 1];
        }

        return _piece[length] == next ? length + 1 : 0;
    }
}
