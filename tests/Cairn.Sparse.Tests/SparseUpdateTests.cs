namespace Cairn.Sparse.Tests;

public sealed class SparseUpdateTests
{
    [Theory]
    [InlineData(QuantizerKind.Sign)]
    [InlineData(QuantizerKind.SignMagnitude)]
    [InlineData(QuantizerKind.Published)]
    public void An_update_says_the_same_as_its_copy_and_as_no_other(QuantizerKind quantizer)
    {
        var one = TestData.Update(TestData.Mixed, "one", quantizer: quantizer);
        Assert.True(one.SaysTheSameAs(TestData.Update(TestData.Mixed, "one", uid: 8, quantizer: quantizer)));
        Assert.False(one.SaysTheSameAs(TestData.Update(TestData.Mixed, "two", quantizer: quantizer)));
    }
}
