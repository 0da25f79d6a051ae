using System.Text;
using Cairn.Base;

namespace Cairn.Inference;

/// <summary>How a statement ended.</summary>
internal enum TemplateFlow
{
    /// <summary>The next one follows.</summary>
    Next,

    /// <summary>The loop goes on with its next item.</summary>
    Continue,

    /// <summary>The loop ends.</summary>
    Break,
}

/// <summary>One rendering of a template: the names in force, what was written, and how much work is left. A template is as trustworthy as whoever published the
/// model: whatever it says, it ends soon and takes little memory.</summary>
internal sealed class TemplateRun
{
    private const int StepsMax = 1_000_000;
    private const int DepthMax = 200;
    private const long CharactersMax = 64 << 20;
    private const int OutputMax = 16 << 20;
    private readonly Dictionary<string, object?> _globals;
    private readonly CancellationToken _cancellation;
    private TemplateScope _scope;
    private StringBuilder _output = new();
    private int _steps;
    private int _depth;
    private int _line;
    private long _characters;

    /// <param name="globals">The names that are there from the start.</param>
    /// <param name="cancellation">Ends it at the next step: between two steps there is work for so many characters at most.</param>
    public TemplateRun(Dictionary<string, object?> globals, CancellationToken cancellation)
    {
        (_globals, _cancellation) = (globals, cancellation);
        _scope = new TemplateScope(null);
    }

    public string Output => _output.ToString();

    /// <summary>Counts one step of work.</summary>
    /// <exception cref="OperationCanceledException">It is not wanted any more.</exception>
    public void Step()
    {
        _cancellation.ThrowIfCancellationRequested();
        if (++_steps > StepsMax)
        {
            throw Refused($"it takes more than {StepsMax} steps");
        }
    }

    /// <summary>Counts items that are read or made: each takes the place of several characters.</summary>
    public void ChargeItems(long count) => Charge(16 * count);

    /// <summary>Counts characters that are read or made.</summary>
    public void Charge(long count)
    {
        _characters += count;
        if (_characters > CharactersMax)
        {
            throw Refused($"it goes through more than {CharactersMax} characters");
        }
    }

    /// <summary>Goes one deeper.</summary>
    public void Enter(int line)
    {
        _line = line;
        Deepen();
    }

    /// <summary>Goes one deeper on the same line.</summary>
    public void Deepen()
    {
        Step();
        if (++_depth > DepthMax)
        {
            throw Refused($"it is nested more than {DepthMax} deep");
        }
    }

    public void Leave() => _depth--;

    public void Write(string text)
    {
        if (_output.Length + text.Length > OutputMax)
        {
            throw Refused($"it writes more than {OutputMax} characters");
        }

        Charge(text.Length);
        _output.Append(text);
    }

    /// <summary>What is written meanwhile, apart from the rest.</summary>
    public string Capture(Action write)
    {
        var before = _output;
        _output = new StringBuilder();
        try
        {
            write();
            return _output.ToString();
        }
        finally
        {
            _output = before;
        }
    }

    /// <summary>Counts a comparison of two texts, which goes no further than the shorter.</summary>
    public void ChargeComparison(string left, string right) => Charge(Math.Min(left.Length, right.Length));

    public object? Find(string name)
    {
        for (var scope = _scope; scope is not null; scope = scope.Parent)
        {
            // To look a name up is to go through it.
            Charge(name.Length);
            if (scope.Values.TryGetValue(name, out var value))
            {
                return value;
            }
        }

        return _globals.TryGetValue(name, out var whole) ? whole : new TemplateUndefined(name);
    }

    public void Set(string name, object? value)
    {
        Charge(name.Length);
        _scope.Values[name] = value;
    }

    /// <summary>Runs with names of its own, which are gone afterwards.</summary>
    /// <param name="ofWhole">True to see, beside them, only what was set outside of all loops.</param>
    /// <param name="inside">The work.</param>
    public T Within<T>(bool ofWhole, Func<T> inside)
    {
        var before = _scope;
        _scope = new TemplateScope(ofWhole ? _scope.Root : _scope);
        try
        {
            return inside();
        }
        finally
        {
            _scope = before;
        }
    }

    public InputException Refused(string reason) => new($"the chat template cannot be used: line {_line}: {reason}");

    private sealed class TemplateScope(TemplateScope? parent)
    {
        public Dictionary<string, object?> Values { get; } = new(StringComparer.Ordinal);

        public TemplateScope Root => parent?.Root ?? this;

        public TemplateScope? Parent => parent;
    }
}
