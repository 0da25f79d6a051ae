namespace Cairn.Base;

/// <summary>The user's input cannot be used: one clear sentence that names the file or option, the value and the remedy.
/// The command line prints the sentence and exits with a documented code; nothing was changed.</summary>
public sealed class InputException : Exception
{
    /// <summary>Creates the refusal.</summary>
    /// <param name="message">One sentence: what, which value, what to do.</param>
    public InputException(string message) : base(message)
    {
    }

    /// <summary>Creates the refusal with the cause that the runtime reported.</summary>
    /// <param name="message">One sentence: what, which value, what to do.</param>
    /// <param name="inner">The cause.</param>
    public InputException(string message, Exception inner) : base(message, inner)
    {
    }
}
