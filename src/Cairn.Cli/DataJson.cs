using System.Text.Json.Serialization;

namespace Cairn.Cli;

/// <summary>What <c>data prepare --json</c> prints.</summary>
internal sealed record PreparedData(
    string Folder, string Digest, string Source, int VocabularySize, long TrainTokens, long TrainDocuments, long HeldOutTokens, long HeldOutDocuments,
    double HeldOutBytesPerToken, double Seconds, long AnnealTokens, long AnnealDocuments);

/// <summary>What <c>tokenizer train --json</c> prints.</summary>
internal sealed record TrainedTokenizer(string Path, string Digest, int VocabularySize, int EosId, long TextBytes, int Documents, double Seconds);

/// <summary>What <c>tokenizer encode --json</c> prints.</summary>
internal sealed record EncodedText(int[] Ids, int Bytes);

/// <summary>What <c>tokenizer decode --json</c> prints.</summary>
internal sealed record DecodedText(string Text, int Bytes);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PreparedData))]
[JsonSerializable(typeof(TrainedTokenizer))]
[JsonSerializable(typeof(EncodedText))]
[JsonSerializable(typeof(DecodedText))]
internal sealed partial class DataJson : JsonSerializerContext;
