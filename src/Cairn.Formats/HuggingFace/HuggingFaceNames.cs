namespace Cairn.Formats;

/// <summary>Names of files in a folder in the layout of Hugging Face.</summary>
public static class HuggingFaceNames
{
    /// <summary>The tokenizer.</summary>
    public const string Tokenizer = "tokenizer.json";

    /// <summary>The names of special tokens, and in most models the chat template.</summary>
    public const string TokenizerConfig = "tokenizer_config.json";

    /// <summary>The chat template, where it has a file of its own.</summary>
    public const string ChatTemplate = "chat_template.jinja";
}
