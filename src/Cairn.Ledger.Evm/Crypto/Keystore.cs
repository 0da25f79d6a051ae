using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>The key of an account in a file that a passphrase opens: version 3 of the format that wallets of EVM chains share, so that the same file
/// serves in others.</summary>
public static class Keystore
{
    private const int BytesMax = 1 << 16;
    private const int KeySize = 32;
    private const int CipherKeySize = 16;
    private const int SaltMax = 1024;
    private const int RoundsMax = 10_000_000;

    // 2^17 blocks of 1 KiB: 128 MiB and about half a second, also for whoever tries passphrases.
    private const int DefaultN = 1 << 17;
    private const int DefaultR = 8;

    /// <summary>Writes a key into a new file, readable by its owner alone.</summary>
    /// <param name="path">Nothing may be there.</param>
    /// <param name="key">The key.</param>
    /// <param name="passphrase">What opens the file; not empty.</param>
    /// <exception cref="InputException">Something is there, or it cannot be written.</exception>
    public static void Write(string path, AccountKey key, string passphrase)
    {
        if (File.Exists(path))
        {
            throw new InputException($"{path} exists: a key is never written over. Choose another name.");
        }

        var bytes = ToJson(key, passphrase, DefaultN);
        if (!SecretFile.ReadOrCreate(path, () => bytes).AsSpan().SequenceEqual(bytes))
        {
            throw new InputException($"{path} exists: a key is never written over. Choose another name.");
        }
    }

    /// <summary>Opens the key in a file.</summary>
    /// <param name="path">What <see cref="Write"/> or another wallet wrote.</param>
    /// <param name="passphrase">What opens it.</param>
    /// <exception cref="InputException">There is no such file, others can read it, it is damaged, or the passphrase is wrong.</exception>
    public static AccountKey Open(string path, string passphrase) => Read(Bytes(path), passphrase, path);

    /// <summary>Whose key is in a file, without opening it.</summary>
    /// <param name="path">A file of this format.</param>
    /// <returns>The account; null where the file does not say.</returns>
    /// <exception cref="InputException">There is no such file, or it is damaged.</exception>
    public static EvmAddress? AddressOf(string path) =>
        Parse(Bytes(path), path).Address is { } text && EvmAddress.TryParse("0x" + text.Replace("0x", "", StringComparison.Ordinal), out var address) ? address : null;

    internal static byte[] ToJson(AccountKey key, string passphrase, int n)
    {
        Invariant.Check(passphrase.Length > 0);
        var (salt, iv) = (RandomNumberGenerator.GetBytes(KeySize), RandomNumberGenerator.GetBytes(CipherKeySize));
        var derived = Scrypt.Derive(Encoding.UTF8.GetBytes(passphrase), salt, n, DefaultR, 1, KeySize);
        var cipher = key.WithSecret(secret => Crypt(derived, iv, secret));
        var numbers = new KeystoreDerivation { Length = KeySize, N = n, R = DefaultR, P = 1, Salt = Convert.ToHexStringLower(salt) };
        var file = new KeystoreFile
        {
            Address = Convert.ToHexStringLower(key.Address.Bytes),
            Crypto = new KeystoreCrypto(
                "aes-128-ctr", new KeystoreCipher(Convert.ToHexStringLower(iv)), Convert.ToHexStringLower(cipher), "scrypt", numbers, Mac(derived, cipher).ToString()),
            Id = Guid.NewGuid().ToString(),
            Version = 3,
        };
        return JsonSerializer.SerializeToUtf8Bytes(file, KeystoreJson.Default.KeystoreFile);
    }

    internal static AccountKey Read(byte[] json, string passphrase, string path)
    {
        var crypto = Parse(json, path).Crypto;
        if (crypto.Cipher != "aes-128-ctr" || crypto.Parameters.Iv.Length != 2 * CipherKeySize || crypto.Text.Length != 2 * AccountKey.SecretSize)
        {
            throw Damaged(path, "its cipher is none that wallets of this version write");
        }

        var (iv, cipher) = (Hex(crypto.Parameters.Iv, path), Hex(crypto.Text, path));
        var derived = Derive(crypto, passphrase, path);
        if (!CryptographicOperations.FixedTimeEquals(Hex(crypto.Mac, path), Mac(derived, cipher).ToArray()))
        {
            throw new InputException($"the passphrase does not open the key in {path}: give the one that it was made with, or restore the file from a copy.");
        }

        var secret = Crypt(derived, iv, cipher);
        try
        {
            return AccountKey.FromSecret(secret);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    private static byte[] Derive(KeystoreCrypto crypto, string passphrase, string path)
    {
        var (numbers, phrase) = (crypto.Numbers, Encoding.UTF8.GetBytes(passphrase));
        var salt = Hex(numbers.Salt, path);
        if (numbers.Length is < KeySize or > 64 || salt.Length > SaltMax)
        {
            throw Damaged(path, "its key would be too short or too long");
        }

        return crypto.Kdf switch
        {
            "scrypt" when Scrypt.Takes(numbers.N, numbers.R, numbers.P) =>
                Scrypt.Derive(phrase, salt, (int)numbers.N, (int)numbers.R, (int)numbers.P, numbers.Length),
            "pbkdf2" when numbers is { Function: "hmac-sha256", Rounds: > 0 and <= RoundsMax } =>
                Rfc2898DeriveBytes.Pbkdf2(phrase, salt, (int)numbers.Rounds, HashAlgorithmName.SHA256, numbers.Length),
            _ => throw Damaged(path, $"it asks for a derivation ({crypto.Kdf}) that is unknown or would take too much memory or time"),
        };
    }

    private static Digest Mac(byte[] derived, byte[] cipher) => Keccak.Hash([.. derived.AsSpan(CipherKeySize, CipherKeySize), .. cipher]);

    // Counter mode over the platform's AES: a block of key stream for each 16 bytes.
    private static byte[] Crypt(byte[] derived, byte[] iv, byte[] bytes)
    {
        using var aes = Aes.Create();
        aes.Key = derived[..CipherKeySize];
        var (counter, result) = (iv.ToArray(), new byte[bytes.Length]);
        for (var at = 0; at < bytes.Length; at++)
        {
            if (at % CipherKeySize == 0)
            {
                var stream = aes.EncryptEcb(counter, PaddingMode.None);
                stream.AsSpan(0, Math.Min(stream.Length, bytes.Length - at)).CopyTo(result.AsSpan(at));
                for (var i = CipherKeySize - 1; i >= 0 && ++counter[i] == 0; i--)
                {
                    // The carry goes on to the left.
                }
            }

            result[at] ^= bytes[at];
        }

        return result;
    }

    private static byte[] Bytes(string path)
    {
        if (!File.Exists(path))
        {
            throw new InputException($"there is no key at {path}: make one with cairn wallet new, or correct the path.");
        }

        return new FileInfo(path).Length <= BytesMax ? SecretFile.ReadOrCreate(path, () => []) : throw Damaged(path, "it is too long");
    }

    private static KeystoreFile Parse(byte[] json, string path)
    {
        try
        {
            var file = JsonSerializer.Deserialize(json, KeystoreJson.Default.KeystoreFile);
            return file?.Version == 3 ? file : throw Damaged(path, "it is no key file of version 3");
        }
        catch (JsonException e)
        {
            throw Damaged(path, e.Message);
        }
    }

    private static byte[] Hex(string digits, string path)
    {
        try
        {
            return Convert.FromHexString(digits);
        }
        catch (FormatException)
        {
            throw Damaged(path, "a value is not hexadecimal");
        }
    }

    private static InputException Damaged(string path, string how) => new($"the key file {path} cannot be used: {how.TrimEnd('.')}. Restore it from a copy.");
}

internal sealed record KeystoreFile
{
    [JsonPropertyName("address")]
    public string? Address { get; init; }

    [JsonPropertyName("crypto")]
    public required KeystoreCrypto Crypto { get; init; }

    [JsonPropertyName("id")]
    public string? Id { get; init; }

    [JsonPropertyName("version")]
    public required int Version { get; init; }
}

internal sealed record KeystoreCrypto(
    [property: JsonPropertyName("cipher")] string Cipher, [property: JsonPropertyName("cipherparams")] KeystoreCipher Parameters,
    [property: JsonPropertyName("ciphertext")] string Text, [property: JsonPropertyName("kdf")] string Kdf,
    [property: JsonPropertyName("kdfparams")] KeystoreDerivation Numbers, [property: JsonPropertyName("mac")] string Mac);

internal sealed record KeystoreCipher([property: JsonPropertyName("iv")] string Iv);

internal sealed record KeystoreDerivation
{
    [JsonPropertyName("dklen")]
    public required int Length { get; init; }

    [JsonPropertyName("n"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long N { get; init; }

    [JsonPropertyName("r"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long R { get; init; }

    [JsonPropertyName("p"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long P { get; init; }

    [JsonPropertyName("c"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Rounds { get; init; }

    [JsonPropertyName("prf"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Function { get; init; }

    [JsonPropertyName("salt")]
    public required string Salt { get; init; }
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNameCaseInsensitive = true, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(KeystoreFile))]
internal sealed partial class KeystoreJson : JsonSerializerContext;
