namespace Cairn.Inference;

/// <summary>What a token of a template is.</summary>
internal enum TemplateTokenKind
{
    /// <summary>Text that is written as it stands.</summary>
    Text,

    /// <summary>The beginning of an expression that is written: two opening braces.</summary>
    OpenValue,

    /// <summary>Its end.</summary>
    CloseValue,

    /// <summary>The beginning of a statement: a brace and a percent sign.</summary>
    OpenStatement,

    /// <summary>Its end.</summary>
    CloseStatement,

    /// <summary>A name or a word of the language.</summary>
    Name,

    /// <summary>Text in quotes, without them.</summary>
    Quoted,

    /// <summary>A whole number.</summary>
    Whole,

    /// <summary>A number with a fraction or an exponent.</summary>
    Real,

    /// <summary>A sign or bracket.</summary>
    Sign,

    /// <summary>The end of the template.</summary>
    End,
}

/// <summary>A token of a template.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">What it says.</param>
/// <param name="Line">Where it stands, from 1.</param>
internal readonly record struct TemplateToken(TemplateTokenKind Kind, string Text, int Line);
