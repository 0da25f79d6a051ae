using System.Text;

namespace Cairn.Ledger.Evm.Tests;

public sealed class HashAndAddressTests
{
    [Theory]
    [InlineData("", 1, "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")]
    [InlineData("abc", 1, "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45")]
    [InlineData("£", 200, "3a57666b048777f2c953dc4456f45a2588e1cb6f2da760122d530ac2ce607d4a")]
    public void Keccak_gives_the_published_values(string text, int times, string expected)
    {
        // The third is 200 bytes A3, longer than a block.
        var bytes = Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat(text, times)));
        Assert.Equal(expected, Keccak.Hash(bytes).ToString());
    }

    [Theory]
    [InlineData("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")]
    [InlineData("0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359")]
    [InlineData("0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB")]
    [InlineData("0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb")]
    [InlineData("0x52908400098527886E0F7030069857D2E4169EE7")]
    [InlineData("0xde709f2102306220921060314715629080e2fb77")]
    public void An_address_is_written_with_the_checksum_of_EIP_55(string text)
    {
        Assert.True(EvmAddress.TryParse(text, out var address));
        Assert.Equal(text, address.ToString());
        Assert.True(EvmAddress.TryParse(text.ToLowerInvariant(), out var lower));
        Assert.Equal(address, lower);
    }

    [Theory]
    [InlineData("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed")]
    [InlineData("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe")]
    [InlineData("5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed00")]
    [InlineData("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg")]
    [InlineData("")]
    [InlineData(null)]
    public void A_mistyped_address_is_refused(string? text) => Assert.False(EvmAddress.TryParse(text, out _));
}
