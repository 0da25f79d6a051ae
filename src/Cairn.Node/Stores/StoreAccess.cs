using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Base;
using Cairn.Exchange;

namespace Cairn.Node;

/// <summary>What a node may do with its stores: the account that writes, and how much of the line it takes.</summary>
public sealed record StoreAccess
{
    /// <summary>Environment variable of the account that writes: its access key.</summary>
    public const string AccessKeyVariable = "CAIRN_S3_ACCESS_KEY";

    /// <summary>Environment variable of the account that writes: its secret key.</summary>
    public const string SecretKeyVariable = "CAIRN_S3_SECRET_KEY";

    private const long KeysBytesMax = 1 << 12;

    /// <summary>The account that writes, or null.</summary>
    public S3Credentials? Writer { get; init; }

    /// <summary>Rates and patience.</summary>
    public S3Options Options { get; init; } = new();

    /// <summary>The account from a file, else from the environment, else none.</summary>
    /// <param name="keysFile">A JSON file {"accessKey", "secretKey"} that only its owner can read, or null.</param>
    /// <exception cref="InputException">The file is missing, damaged, or open to others; or only one of two variables is set.</exception>
    public static S3Credentials? FindWriter(string? keysFile)
    {
        if (keysFile is not null)
        {
            return ReadKeys(keysFile);
        }

        var (access, secret) = (Environment.GetEnvironmentVariable(AccessKeyVariable), Environment.GetEnvironmentVariable(SecretKeyVariable));
        if (string.IsNullOrEmpty(access) != string.IsNullOrEmpty(secret))
        {
            throw new InputException($"only one of {AccessKeyVariable} and {SecretKeyVariable} is set: set both, or none.");
        }

        return string.IsNullOrEmpty(access) ? null : new S3Credentials(access, secret!);
    }

    private static S3Credentials ReadKeys(string path)
    {
        const string Wanted = """{"accessKey": "…", "secretKey": "…"}""";
        try
        {
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite)) != 0)
            {
                throw new InputException($"{path} holds a secret and is open to others: run chmod 600 {path}.");
            }

            var keys = new FileInfo(path).Length > KeysBytesMax ? null : JsonSerializer.Deserialize(File.ReadAllBytes(path), StoreKeysJson.Default.StoreKeys);
            return keys is { AccessKey.Length: > 0, SecretKey.Length: > 0 }
                ? new S3Credentials(keys.AccessKey, keys.SecretKey)
                : throw new InputException($"{path} does not hold the keys of a store: write {Wanted} there.");
        }
        catch (JsonException)
        {
            // What the parser says would show what stands there.
            throw new InputException($"{path} does not hold the keys of a store: write {Wanted} there.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"cannot read the keys of the store in {path}: {e.Message}", e);
        }
    }
}

/// <summary>The file of <see cref="StoreAccess.FindWriter"/>.</summary>
/// <param name="AccessKey">The account.</param>
/// <param name="SecretKey">Its secret.</param>
internal sealed record StoreKeys(string? AccessKey, string? SecretKey);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(StoreKeys))]
internal sealed partial class StoreKeysJson : JsonSerializerContext;
