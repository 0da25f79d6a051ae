using System.CommandLine;
using Cairn.Base;
using Cairn.Data;

namespace Cairn.Cli.Verbs;

/// <summary>The options of every verb that reads text.</summary>
internal sealed class TextOptions
{
    private readonly Option<string[]> _data = new("--data")
    {
        Description = "Text: .txt, .md, .jsonl, or folders of them. Default: the documentation beside the .NET SDK.",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<string> _field = new("--text-field") { Description = "The field of JSON lines that holds the text.", DefaultValueFactory = _ => "text" };
    private readonly Option<double> _heldOut = new("--held-out")
    {
        Description = "The part of the text that is kept from training, to measure on.",
        DefaultValueFactory = _ => 0.05,
    };

    /// <summary>Adds the options to a verb.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_data);
        command.Options.Add(_field);
        command.Options.Add(_heldOut);
    }

    /// <summary>What the user chose.</summary>
    public CorpusOptions Read(ParseResult parsed)
    {
        var part = parsed.GetValue(_heldOut);
        if (!(part is > 0 and < 1))
        {
            throw new InputException($"--held-out {part} is out of range: give a part above 0 and below 1, such as 0.05.");
        }

        return new CorpusOptions { Paths = parsed.GetValue(_data) ?? [], JsonField = parsed.GetValue(_field)!, HeldOutPart = part };
    }
}
