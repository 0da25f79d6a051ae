using Cairn.Base;

namespace Cairn.Ledger.Evm.Tests;

public sealed class SigningTests
{
    private const string DevSecret = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

    [Theory]
    [InlineData(DevSecret, "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")]
    [InlineData("4646464646464646464646464646464646464646464646464646464646464646", "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F")]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000001", "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf")]
    public void A_secret_has_the_published_address(string secret, string address)
    {
        using var key = AccountKey.FromSecret(Convert.FromHexString(secret));
        Assert.Equal(address, key.Address.ToString());
    }

    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")]
    [InlineData("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")]
    [InlineData("01")]
    public void What_is_no_secret_is_refused(string secret) => Assert.Throws<InputException>(() => AccountKey.FromSecret(Convert.FromHexString(secret)));

    [Fact]
    public void The_signature_of_EIP_155_names_its_author()
    {
        // Transaction and signature of the example in EIP-155.
        var hash = Keccak.Hash(Convert.FromHexString("ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080"));
        Assert.Equal("daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53", hash.ToString());
        var signature = new EvmSignature(
            Convert.FromHexString("28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276"),
            Convert.FromHexString("67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"), odd: false);
        Assert.True(signature.TryRecover(hash, out var author));
        Assert.Equal("0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F", author.ToString());
    }

    [Fact]
    public void Every_signature_is_low_and_names_its_author()
    {
        using var key = AccountKey.Create();
        for (var i = 0; i < 40; i++)
        {
            var hash = Keccak.Hash([(byte)i]);
            var signature = key.Sign(hash);
            Assert.True(signature.TryRecover(hash, out var author));
            Assert.Equal(key.Address, author);
            Assert.True(signature.S[0] < 0x80);
            Assert.True(EvmSignature.TryRead(signature.ToBytes(), out var again));
            Assert.True(again!.TryRecover(hash, out author) && author == key.Address);
            Assert.False(signature.TryRecover(Keccak.Hash([(byte)i, 0]), out author) && author == key.Address);
        }
    }

    [Fact]
    public void A_signature_with_the_upper_s_or_numbers_out_of_range_names_nobody()
    {
        var hash = Keccak.Hash([1]);
        var (zero, order, one) = (new byte[32], Secp256k1.Order, (byte[])[.. new byte[31], 1]);
        byte[] high = [.. order];
        high[31]--;
        foreach (var (r, s) in new[] { (zero, one), (one, zero), (order, one), (one, order), (one, high) })
        {
            Assert.False(new EvmSignature(r, s, odd: true).TryRecover(hash, out _));
        }
    }

    // From the test vectors of a public implementation (ethereumjs, packages/tx): chain 7822, the same key in all.
    [Theory]
    [InlineData(819, 43203529, 35552, 75853, 121212, "02f870821e8e8203338301284d8301d97c828ae094000000000000000000000000000000000000aaaa8402933bc980c080a0d067f2167008c59219652f91cbf8788dbca5f771f6e91e2b7657e85b78b472e0a01d305af9fe81fdba43f0dfcd400ed24dcace0a7e30d4e85701dcaaf484cd079e")]
    [InlineData(353, 61901619, 32593, 38850, 136295, "02f86f821e8e8201618297c283021467827f5194000000000000000000000000000000000000aaaa8403b08b3380c001a004205678f13fc1d7b10feea6513dfa76e24418b6e08097d95c6f93a3b64e536da01d45ad61bfece43862de2cce7d2575a8c1d08c26c87f3cb5f26d7b0be54a91b2")]
    [InlineData(119, 65456115, 62341, 24721, 107729, "02f86d821e8e778260918301a4d182f38594000000000000000000000000000000000000aaaa8403e6c7f380c001a0e38e239770801eb995498c821e55ac9c19ae09184bb27b34be105e02fe3b7615a067c64ca6bd6d9107e85fd581ab2e70a14b637eb36505bb40861ef9d6e800cab6")]
    public void Transactions_have_the_published_bytes(ulong nonce, ulong value, ulong gas, ulong tip, ulong fee, string expected)
    {
        Assert.True(EvmAddress.TryParse("0x000000000000000000000000000000000000aaaa", out var to));
        var transaction = new EvmTransaction { ChainId = 7822, Nonce = nonce, Value = value, Gas = gas, TipPerGas = tip, FeePerGas = fee, To = to };
        var bytes = Convert.FromHexString(expected);
        var signature = new EvmSignature(bytes.AsSpan(bytes.Length - 65, 32), bytes.AsSpan(bytes.Length - 32), bytes[bytes.Length - 67] == 1);
        using var key = AccountKey.FromSecret(Convert.FromHexString("8f2a55949038a9610f50fb23b5883af3b4ecb3c3bb792cbcefbd1542c692be63"));
        Assert.True(signature.TryRecover(transaction.SigningHash, out var author));
        Assert.Equal(key.Address, author);
        Assert.Equal(expected, Convert.ToHexStringLower(transaction.With(signature)));
    }
}
