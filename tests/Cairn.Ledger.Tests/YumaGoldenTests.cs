using System.Text.Json.Nodes;
using Cairn.Base;

namespace Cairn.Ledger.Tests;

/// <summary>What the chain's own runtime (spec version 293) made of twelve random states: Yuma 2, Yuma 3, and Yuma 3 with liquid alpha.</summary>
public sealed class YumaGoldenTests
{
    private static readonly string Golden = Path.Combine(AppContext.BaseDirectory, "Golden", "yuma-spec293.json");

    [Fact]
    public void Every_number_of_the_published_runtime_is_found_again()
    {
        var check = YumaCheck.Run(YumaVectorFile.Load(Golden));
        Assert.Equal((YumaConsensus.SpecVersion, 12, 12), (check.SpecVersion, check.Matched, check.Total));
        Assert.Empty(check.Differences);
    }

    [Fact]
    public void The_golden_epochs_are_of_all_three_kinds()
    {
        var kinds = YumaVectorFile.Load(Golden).Vectors.CountBy(vector => (vector.Rules.Version3, vector.Rules.LiquidAlpha)).ToDictionary();
        Assert.Equal((4, 4, 4), (kinds[(false, false)], kinds[(true, false)], kinds[(true, true)]));
    }

    [Theory]
    [InlineData("consensus")]
    [InlineData("incentive")]
    [InlineData("rank")]
    [InlineData("dividends")]
    [InlineData("trust")]
    [InlineData("validatorTrust")]
    [InlineData("emission")]
    public void One_unit_more_in_any_field_is_found_and_named(string field)
    {
        var check = CheckChanged(3, result =>
        {
            var values = result[field]!.AsArray();
            var uid = values.Index().MaxBy(pair => (long)pair.Item!).Index;

            // A sole largest amount more than the pool holds, or less than the largest the format has.
            values[uid] = (long)values[uid]! == 65535 ? 65534 : (long)values[uid]! + 1;
            if (field == "emission")
            {
                values[uid] = (long)values[uid]! + 1000;
            }
        });
        var difference = Assert.Single(check.Differences);
        Assert.Equal((3, field, 11), (difference.Vector, difference.Field, check.Matched));
    }

    [Fact]
    public void A_permit_and_a_bond_that_differ_are_found_and_named()
    {
        var check = CheckChanged(5, result =>
        {
            var permits = result["validatorPermit"]!.AsArray();
            permits[0] = !(bool)permits[0]!;
            var row = result["bonds"]!.AsArray().First(bonds => bonds!.AsArray().Count > 0)!.AsArray();
            row[0]![1] = ((int)row[0]![1]! + 1) & 0xffff;
        });
        Assert.Equal(["validatorPermit", "bonds"], check.Differences.Select(difference => difference.Field));
    }

    [Theory]
    [InlineData("", "not JSON")]
    [InlineData("{", "not JSON")]
    [InlineData("[]", "must be an object")]
    [InlineData("{}", "vectors")]
    [InlineData("""{"vectors": 3}""", "must be a list")]
    [InlineData("""{"vectors": []}""", "empty")]
    [InlineData("""{"vectors": [{}]}""", "vectors[0] has no 'in'")]
    [InlineData("""{"vectors": [{"in": {}, "out": {}}]}""", "vectors[0].in has no 'n'")]
    [InlineData("""{"vectors": [{"in": {"n": 1e99}, "out": {}}]}""", "vectors[0].in.n")]
    [InlineData("""{"vectors": [{"in": {"n": "\ud800"}, "out": {}}]}""", "not JSON")]
    public void A_file_of_another_form_is_refused_in_one_sentence(string text, string said) => Assert.Contains(said, Refusal(text), StringComparison.Ordinal);

    [Theory]
    [InlineData("n", "0")]
    [InlineData("n", "100000")]
    [InlineData("n", "2.5")]
    [InlineData("n", "13")]
    [InlineData("ownerUid", "-2")]
    [InlineData("kappa", "65536")]
    [InlineData("kappa", "-1")]
    [InlineData("kappa", "null")]
    [InlineData("bondsPenalty", "true")]
    [InlineData("bondsMovingAverage", "99999999999999999999")]
    [InlineData("yuma3", "1")]
    [InlineData("steepness", "\"steep\"")]
    [InlineData("steepness", "\"40000\"")]
    [InlineData("stake", "[1]")]
    [InlineData("stake", "[9223372036854775807,1,0,0,0,0,0,0,0,0,0,0]")]
    [InlineData("permit", "[true]")]
    [InlineData("weights", "{}")]
    [InlineData("weights", "[[[0,1],[0,2]],[],[],[],[],[],[],[],[],[],[],[]]")]
    [InlineData("weights", "[[[0,1,2]],[],[],[],[],[],[],[],[],[],[],[]]")]
    [InlineData("bonds", "[[[12,1]],[],[],[],[],[],[],[],[],[],[],[]]")]
    [InlineData("bonds", "[[[0,65536]],[],[],[],[],[],[],[],[],[],[],[]]")]
    [InlineData("lastUpdate", "[1]")]
    public void A_field_out_of_range_is_refused_by_name(string field, string value)
    {
        var root = JsonNode.Parse(File.ReadAllText(Golden))!;
        root["vectors"]![0]!["in"]![field] = JsonNode.Parse(value);
        Assert.Contains("vectors[0].in", Refusal(root.ToJsonString()), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_prefix_of_a_file_is_refused_in_one_sentence()
    {
        var text = File.ReadAllText(Golden);
        for (var length = 0; length < text.TrimEnd().Length; length += 97)
        {
            Refusal(text[..length]);
        }
    }

    [Fact]
    public void A_file_that_is_not_there_is_refused_by_name() =>
        Assert.Contains("none.json", Assert.Throws<InputException>(() => YumaVectorFile.Load("none.json")).Message, StringComparison.Ordinal);

    private static YumaCheck CheckChanged(int vector, Action<JsonNode> change)
    {
        var root = JsonNode.Parse(File.ReadAllText(Golden))!;
        change(root["vectors"]![vector]!["out"]!);
        return Using(root.ToJsonString(), path => YumaCheck.Run(YumaVectorFile.Load(path)));
    }

    private static string Refusal(string text)
    {
        var message = Using(text, path => Assert.Throws<InputException>(() => YumaVectorFile.Load(path)).Message);
        Assert.DoesNotContain('\n', message);
        return message;
    }

    private static T Using<T>(string text, Func<string, T> use)
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, text);
            return use(path);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
