using System.Text;
using Cairn.Base;

namespace Cairn.Ledger.Evm.Tests;

public sealed class KeystoreTests : IDisposable
{
    private const string Secret = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-keystore-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void The_published_file_by_PBKDF2_opens() => Assert.Equal(Secret, SecretOf(
        """
        {"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"pbkdf2",
        "kdfparams":{"c":262144,"dklen":32,"prf":"hmac-sha256","salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},
        "mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},"id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}
        """));

    [Fact]
    public void The_published_file_by_scrypt_opens() => Assert.Equal(Secret, SecretOf(
        """
        {"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"83dbcc02d8ccb40e466191a123791e0e"},
        "ciphertext":"d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c","kdf":"scrypt",
        "kdfparams":{"dklen":32,"n":262144,"r":1,"p":8,"salt":"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"},
        "mac":"2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097"},"id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}
        """));

    [Fact]
    public void Scrypt_gives_the_values_of_RFC_7914()
    {
        Assert.Equal(
            "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906",
            Convert.ToHexStringLower(Scrypt.Derive([], [], 16, 1, 1, 64)));
        Assert.Equal(
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640",
            Convert.ToHexStringLower(Scrypt.Derive(Encoding.ASCII.GetBytes("password"), Encoding.ASCII.GetBytes("NaCl"), 1024, 8, 16, 64)));
    }

    [Fact]
    public void A_key_comes_back_from_its_file_and_only_its_owner_can_read_that()
    {
        var path = Path.Combine(_folder, "one.json");
        using var key = AccountKey.Create();
        Keystore.Write(path, key, "words");
        using var again = Keystore.Open(path, "words");
        Assert.Equal(key.Address, again.Address);
        Assert.Equal(key.Address, Keystore.AddressOf(path));
        Assert.DoesNotContain(key.WithSecret(Convert.ToHexStringLower), File.ReadAllText(path), StringComparison.OrdinalIgnoreCase);
        Assert.Contains("never written over", Assert.Throws<InputException>(() => Keystore.Write(path, again, "words")).Message);
        Assert.Contains("does not open", Assert.Throws<InputException>(() => Keystore.Open(path, "word")).Message);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
            Assert.Contains("chmod 600", Assert.Throws<InputException>(() => Keystore.Open(path, "words")).Message);
        }
    }

    [Fact]
    public void Files_that_ask_for_too_much_or_are_damaged_are_refused_before_anything_is_computed()
    {
        using var key = AccountKey.Create();
        var good = Encoding.UTF8.GetString(Keystore.ToJson(key, "words", 1 << 10));
        foreach (var (from, to) in new[]
        {
            ("\"n\": 1024", "\"n\": 1073741824"), ("\"n\": 1024", "\"n\": 1023"), ("\"r\": 8", "\"r\": 0"), ("\"p\": 1", "\"p\": 100000"),
            ("\"scrypt\"", "\"rot13\""), ("aes-128-ctr", "none"), ("\"version\": 3", "\"version\": 2"), ("\"dklen\": 32", "\"dklen\": 8"), ("{", "["),
            ("\"salt\"", "\"sugar\""), ("\"iv\": \"", "\"iv\": \"x"), ("\"mac\": \"", "\"mac\": \"zz"),
        })
        {
            Assert.Contains(from, good, StringComparison.Ordinal);
            Assert.Throws<InputException>(() => Keystore.Read(Encoding.UTF8.GetBytes(good.Replace(from, to, StringComparison.Ordinal)), "words", "a file"));
        }
    }

    private static string SecretOf(string json)
    {
        using var key = Keystore.Read(Encoding.UTF8.GetBytes(json), "testpassword", "the vector");
        return key.WithSecret(Convert.ToHexStringLower);
    }
}
