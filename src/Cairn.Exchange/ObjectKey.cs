using System.Diagnostics.CodeAnalysis;
using Cairn.Base;

namespace Cairn.Exchange;

/// <summary>The place of an object in a store, such as "rounds/000012/updates/&lt;64 hexadecimal digits&gt;": relative, lower case, and safe as a
/// path on every system and as a key of every object store. A value of this type is always valid.</summary>
/// <remarks>No part begins with a dot (so that files being written never show as objects), ends with one, or is empty. No key may be used that
/// another key needs as a folder. Ordered by its bytes, as object stores list.</remarks>
public sealed class ObjectKey : IEquatable<ObjectKey>, IComparable<ObjectKey>
{
    /// <summary>The most characters of a key.</summary>
    public const int LengthMax = 200;

    private ObjectKey(string text)
    {
        Text = text;
    }

    /// <summary>The key as text: a–z, 0–9, '-', '_', '.', and '/' between parts.</summary>
    public string Text { get; }

    /// <summary>An encrypted update, named by the digest of its ciphertext: nobody can put other bytes under it unseen.</summary>
    /// <param name="round">The round it was made in.</param>
    /// <param name="ciphertext">SHA-256 of the encrypted object.</param>
    public static ObjectKey Update(Round round, Digest ciphertext) => new($"{UpdatePrefix(round)}{ciphertext}");

    /// <summary>What the keys of a round's updates begin with.</summary>
    /// <param name="round">The round.</param>
    public static string UpdatePrefix(Round round) => $"{RoundPrefix(round)}updates/";

    /// <summary>The mean of a round as one object, put there by a validator. Whoever uses it compares the base that it leads to.</summary>
    /// <param name="round">The round.</param>
    /// <param name="publisher">Who put it there.</param>
    public static ObjectKey Delta(Round round, Uid publisher) => new($"{DeltaPrefix(round)}{publisher.Value:D6}");

    /// <summary>What the keys of a round's deltas begin with.</summary>
    /// <param name="round">The round.</param>
    public static string DeltaPrefix(Round round) => $"{RoundPrefix(round)}deltas/";

    /// <summary>A file of the checkpoint published after a round.</summary>
    /// <param name="round">The round whose manifest was the last one applied.</param>
    /// <param name="file">A file name of ours, such as "model.safetensors": one part of a key.</param>
    public static ObjectKey Checkpoint(Round round, string file) => Own($"{CheckpointPrefix(round)}{Part(file)}");

    /// <summary>What the keys of a checkpoint begin with: all its files lie in one folder, as other programs want them.</summary>
    /// <param name="round">The round whose manifest was the last one applied.</param>
    public static string CheckpointPrefix(Round round)
    {
        Invariant.Check(round.Number >= 0);
        return $"checkpoints/{round.Number:D6}/";
    }

    /// <summary>What a member found of the checkpoint published after a round.</summary>
    /// <param name="round">The round.</param>
    /// <param name="author">The member.</param>
    public static ObjectKey Evaluation(Round round, Uid author) => new($"evaluations/{round.Number:D6}/{author.Value:D6}.txt");

    /// <summary>What the keys of a round begin with, for listing and cleaning up.</summary>
    /// <param name="round">0 to 999 999 keep byte order and round order the same.</param>
    public static string RoundPrefix(Round round)
    {
        Invariant.Check(round.Number >= 0);
        return $"rounds/{round.Number:D6}/";
    }

    /// <summary>Reads a key from anywhere.</summary>
    /// <param name="text">The key.</param>
    /// <param name="key">The value, or null.</param>
    /// <returns>False for whatever is not exactly a key; never an exception.</returns>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ObjectKey? key)
    {
        key = text is not null && IsValid(text) ? new ObjectKey(text) : null;
        return key is not null;
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    /// <inheritdoc/>
    public bool Equals(ObjectKey? other) => other is not null && Text == other.Text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ObjectKey);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Text);

    /// <inheritdoc/>
    public int CompareTo(ObjectKey? other) => string.CompareOrdinal(Text, other?.Text);

    /// <summary>Same key.</summary>
    public static bool operator ==(ObjectKey? left, ObjectKey? right) => left is null ? right is null : left.Equals(right);

    /// <summary>Other key.</summary>
    public static bool operator !=(ObjectKey? left, ObjectKey? right) => !(left == right);

    /// <summary>Earlier in byte order.</summary>
    public static bool operator <(ObjectKey? left, ObjectKey? right) => Comparer<ObjectKey>.Default.Compare(left, right) < 0;

    /// <summary>Later in byte order.</summary>
    public static bool operator >(ObjectKey? left, ObjectKey? right) => Comparer<ObjectKey>.Default.Compare(left, right) > 0;

    /// <summary>Not later in byte order.</summary>
    public static bool operator <=(ObjectKey? left, ObjectKey? right) => Comparer<ObjectKey>.Default.Compare(left, right) <= 0;

    /// <summary>Not earlier in byte order.</summary>
    public static bool operator >=(ObjectKey? left, ObjectKey? right) => Comparer<ObjectKey>.Default.Compare(left, right) >= 0;

    /// <summary>Whether a name may stand between two slashes of a key.</summary>
    internal static bool IsPart(ReadOnlySpan<char> part)
    {
        if (part.IsEmpty || part[0] == '.' || part[^1] == '.')
        {
            return false;
        }

        foreach (var c in part)
        {
            if (c is not ((>= 'a' and <= 'z') or (>= '0' and <= '9') or '-' or '_' or '.'))
            {
                return false;
            }
        }

        // "a..b" is harmless, but a reader of logs should never have to think about "..".
        return part.IndexOf("..") < 0 && !IsDevice(part);
    }

    private static bool IsValid(string text)
    {
        if (text.Length > LengthMax)
        {
            return false;
        }

        foreach (var range in text.AsSpan().Split('/'))
        {
            if (!IsPart(text.AsSpan()[range]))
            {
                return false;
            }
        }

        return true;
    }

    // Windows opens a device for these names, with any ending and in any folder.
    private static bool IsDevice(ReadOnlySpan<char> part)
    {
        var dot = part.IndexOf('.');
        var stem = dot < 0 ? part : part[..dot];
        return stem is "con" or "prn" or "aux" or "nul"
            || (stem.Length == 4 && (stem.StartsWith("com") || stem.StartsWith("lpt")) && char.IsAsciiDigit(stem[3]));
    }

    private static string Part(string file)
    {
        Invariant.Check(IsPart(file));
        return file;
    }

    private static ObjectKey Own(string text)
    {
        Invariant.Check(IsValid(text));
        return new ObjectKey(text);
    }
}
