using System.Security.Cryptography;

namespace Cairn.Base.Tests;

public sealed class NodeKeyTests : IDisposable
{
    private static readonly Digest Message = Digest.Of("message"u8);
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-key-").FullName;

    private string KeyPath => Path.Combine(_folder, "sub", "node.key");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_signature_verifies_under_its_key_and_digest_alone()
    {
        using var key = NodeKey.Create();
        using var other = NodeKey.Create();
        var signature = key.Sign(Message);
        Assert.Equal(NodeKey.SignatureSize, signature.Length);
        Assert.True(key.Public.Verify(Message, signature));
        Assert.True(new PublicKey(key.Public.Bytes).Verify(Message, key.Sign(Message)));
        Assert.False(other.Public.Verify(Message, signature));
        Assert.False(key.Public.Verify(Digest.Of("other"u8), signature));
        Assert.NotEqual(key.Public, other.Public);
        Assert.True(key.Public == new PublicKey(key.Public.Bytes) && key.Public != other.Public);
    }

    [Fact]
    public void A_changed_signature_never_verifies()
    {
        using var key = NodeKey.Create();
        var signature = key.Sign(Message);
        for (var at = 0; at < signature.Length; at++)
        {
            var mutated = signature.ToArray();
            mutated[at] ^= (byte)(1 << (at % 8));
            Assert.False(key.Public.Verify(Message, mutated));
        }

        Assert.False(key.Public.Verify(Message, []));
        Assert.False(key.Public.Verify(Message, signature.AsSpan(1)));
        Assert.False(key.Public.Verify(Message, [.. signature, 0]));
        Assert.False(key.Public.Verify(Message, new byte[64]));
        Assert.False(key.Public.Verify(Message, Enumerable.Repeat((byte)0xFF, 64).ToArray()));
    }

    [Fact]
    public void A_point_off_the_curve_verifies_nothing_and_throws_nothing()
    {
        using var key = NodeKey.Create();
        var signature = key.Sign(Message);
        Assert.False(default(PublicKey).Verify(Message, signature));
        Assert.False(new PublicKey(Enumerable.Repeat((byte)0xFF, 64).ToArray()).Verify(Message, signature));
        for (var at = 0; at < PublicKey.Size; at++)
        {
            var point = key.Public.Bytes.ToArray();
            point[at] ^= 1;
            Assert.False(new PublicKey(point).Verify(Message, signature));
        }

        Assert.Throws<InvariantViolation>(() => new PublicKey(new byte[63]));
        Assert.Equal(default, new PublicKey(new byte[64]));
        Assert.Equal(default(PublicKey).GetHashCode(), new PublicKey(new byte[64]).GetHashCode());
    }

    [Fact]
    public void A_signature_of_another_program_over_the_same_curve_verifies()
    {
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var point = ecdsa.ExportParameters(false).Q;
        var signature = ecdsa.SignHash(Message.ToArray());
        Assert.True(new PublicKey([.. point.X!, .. point.Y!]).Verify(Message, signature));
    }

    [Fact]
    public void A_key_is_created_once_and_loaded_ever_after()
    {
        using var created = NodeKey.LoadOrCreate(KeyPath);
        using var loaded = NodeKey.LoadOrCreate(KeyPath);
        Assert.Equal(created.Public, loaded.Public);
        Assert.True(created.Public.Verify(Message, loaded.Sign(Message)));
        Assert.Equal([KeyPath], Directory.GetFiles(Path.GetDirectoryName(KeyPath)!));
    }

    [Fact]
    public async Task Processes_that_create_the_same_key_at_once_agree_on_one()
    {
        var keys = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            using var key = NodeKey.LoadOrCreate(KeyPath);
            return key.Public;
        })));
        Assert.Single(keys.Distinct());
        Assert.Equal([KeyPath], Directory.GetFiles(Path.GetDirectoryName(KeyPath)!));
    }

    [Fact]
    public void Only_the_owner_can_read_the_file()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("no such modes there");
            return;
        }

        NodeKey.LoadOrCreate(KeyPath).Dispose();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeyPath));
        foreach (var mode in new[] { UnixFileMode.GroupRead, UnixFileMode.OtherRead, UnixFileMode.GroupWrite, UnixFileMode.OtherWrite })
        {
            File.SetUnixFileMode(KeyPath, UnixFileMode.UserRead | UnixFileMode.UserWrite | mode);
            Assert.Contains("chmod 600", Assert.Throws<InputException>(() => NodeKey.LoadOrCreate(KeyPath)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_file_that_holds_no_such_key_is_refused_and_kept()
    {
        using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var rsa = RSA.Create(1024);
        using var p256 = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[][] contents =
        [
            [], "not a key"u8.ToArray(), p384.ExportPkcs8PrivateKey(), rsa.ExportPkcs8PrivateKey(), p256.ExportSubjectPublicKeyInfo(),
            p256.ExportPkcs8PrivateKey()[..^1], [.. p256.ExportPkcs8PrivateKey(), 0],
        ];
        Directory.CreateDirectory(Path.GetDirectoryName(KeyPath)!);
        foreach (var content in contents)
        {
            File.WriteAllBytes(KeyPath, content);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(KeyPath, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            Assert.Contains(KeyPath, Assert.Throws<InputException>(() => NodeKey.LoadOrCreate(KeyPath)).Message, StringComparison.Ordinal);
            Assert.Equal(content, File.ReadAllBytes(KeyPath));
        }
    }

    [Fact]
    public void A_place_where_no_file_can_be_is_refused_with_a_remedy()
    {
        File.WriteAllText(Path.Combine(_folder, "sub"), "a file, not a folder");
        Assert.Contains(KeyPath, Assert.Throws<InputException>(() => NodeKey.LoadOrCreate(KeyPath)).Message, StringComparison.Ordinal);
        Assert.Throws<InputException>(() => NodeKey.LoadOrCreate(_folder));
    }

    [Fact]
    public void A_passphrase_encrypts_a_new_key_and_one_that_was_not_and_nothing_else_opens_it()
    {
        PublicKey before;
        using (var plain = NodeKey.LoadOrCreate(KeyPath))
        {
            before = plain.Public;
        }

        using (var now = NodeKey.LoadOrCreate(KeyPath, "open sesame"))
        {
            Assert.Equal(before, now.Public);
        }

        Assert.Contains("passphrase", Assert.Throws<InputException>(() => NodeKey.LoadOrCreate(KeyPath)).Message, StringComparison.Ordinal);
        var wrong = Assert.Throws<InputException>(() => NodeKey.LoadOrCreate(KeyPath, "open barley"));
        Assert.DoesNotContain("barley", wrong.ToString(), StringComparison.Ordinal);
        using var again = NodeKey.LoadOrCreate(KeyPath, "open sesame");
        Assert.Equal(before, again.Public);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeyPath));
        }
    }
}
