using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Base;

namespace Cairn.Protocol;

/// <summary>A measure over all questions of a task.</summary>
/// <param name="Task">Its name.</param>
/// <param name="Metric">As the LM Evaluation Harness calls it.</param>
/// <param name="Mean">0 to 1.</param>
/// <param name="StandardError">Of the mean.</param>
/// <param name="Count">Questions.</param>
public sealed record EvaluatedTask(string Task, string Metric, double Mean, double StandardError, int Count);

/// <summary>A text that was predicted.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="BitsPerByte">Below that of another model it is predicted better.</param>
public sealed record EvaluatedText(string Name, long Bytes, double BitsPerByte);

/// <summary>What an evaluator found of one checkpoint: said and signed by a member, in a file that everybody can read. It decides nothing.</summary>
/// <param name="Round">After which round the checkpoint stands.</param>
/// <param name="Checkpoint">Its digest, as the ledger names it.</param>
/// <param name="Sequences">Held-out sequences of the run's data that were measured on.</param>
/// <param name="Loss">Nats per token.</param>
/// <param name="StandardError">Of the loss, over sequences.</param>
/// <param name="BitsPerByte">Bits per byte of the same text.</param>
/// <param name="Texts">Other texts.</param>
/// <param name="Tasks">Tasks, a line for each measure.</param>
/// <param name="Sample">What the model writes, from a prompt and a seed that are always the same.</param>
/// <param name="SampleAtStart">What it wrote before training.</param>
public sealed record EvaluationRecord(
    int Round, string Checkpoint, int Sequences, double Loss, double StandardError, double BitsPerByte, IReadOnlyList<EvaluatedText> Texts,
    IReadOnlyList<EvaluatedTask> Tasks, string Sample, string SampleAtStart)
{
    /// <summary>The most bytes of a signed record.</summary>
    public const int BytesMax = 1 << 16;

    private const string Form = "cairn-evaluation 1";
    private static readonly int HeadLength = Form.Length + 1 + (2 * PublicKey.Size) + 1 + (2 * NodeKey.SignatureSize) + 1;

    /// <summary>The bytes of the file: a line with author and signature, and the record as JSON (docs/wire.md).</summary>
    /// <param name="key">Of the member that says it.</param>
    /// <param name="run">Digest of the run's genesis.</param>
    public byte[] Sign(NodeKey key, Digest run)
    {
        var content = JsonSerializer.SerializeToUtf8Bytes(this, EvaluationRecordJson.Default.EvaluationRecord);
        var signature = key.Sign(DigestOf(run, key.Public, content));
        return [.. Encoding.ASCII.GetBytes($"{Form} {key.Public} {Convert.ToHexStringLower(signature)}\n"), .. content];
    }

    /// <summary>Reads a file from anywhere.</summary>
    /// <param name="bytes">Hostile bytes are fine.</param>
    /// <param name="run">Digest of the run's genesis.</param>
    /// <param name="author">Whose it must be.</param>
    /// <param name="why">TooLarge, Malformed, BadSignature or None.</param>
    /// <returns>Null if that member did not say it in this run.</returns>
    public static EvaluationRecord? TryRead(ReadOnlySpan<byte> bytes, Digest run, PublicKey author, out Rejection why)
    {
        why = bytes.Length > BytesMax ? Rejection.TooLarge : Rejection.Malformed;
        if (bytes.Length > BytesMax || bytes.Length <= HeadLength || bytes[HeadLength - 1] != (byte)'\n')
        {
            return null;
        }

        var head = Encoding.ASCII.GetString(bytes[..(HeadLength - 1)]).Split(' ');
        var content = bytes[HeadLength..];
        if (head.Length != 4 || $"{head[0]} {head[1]}" != Form || !TryHex(head[3], NodeKey.SignatureSize, out var signature))
        {
            return null;
        }

        if (head[2] != author.ToString() || !author.Verify(DigestOf(run, author, content), signature))
        {
            why = Rejection.BadSignature;
            return null;
        }

        if (Parse(content) is not { } record)
        {
            return null;
        }

        why = Rejection.None;
        return record;
    }

    private static EvaluationRecord? Parse(ReadOnlySpan<byte> content)
    {
        try
        {
            return JsonSerializer.Deserialize(content, EvaluationRecordJson.Default.EvaluationRecord) is
            {
                Round: >= 0, Checkpoint: not null, Texts: not null, Tasks: not null, Sample: not null, SampleAtStart: not null,
            } record && record.Texts.All(text => text is { Name: not null }) && record.Tasks.All(task => task is { Task: not null, Metric: not null }) ? record : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool TryHex(string text, int size, out byte[] bytes)
    {
        bytes = new byte[size];
        return text.Length == 2 * size && Convert.FromHexString(text, bytes, out _, out var written) == System.Buffers.OperationStatus.Done && written == size;
    }

    private static Digest DigestOf(Digest run, PublicKey author, ReadOnlySpan<byte> content)
    {
        using var hasher = new Hasher("cairn/evaluation");
        hasher.Append(run);
        hasher.Append(author.Bytes);
        hasher.Append(content);
        return hasher.Finish();
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(EvaluationRecord))]
internal sealed partial class EvaluationRecordJson : JsonSerializerContext;
