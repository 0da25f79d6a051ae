namespace Cairn.Evaluation.Tests;

public sealed class InstructionTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Theory]
    [InlineData("keywords:existence", """{"keywords": ["Stone", "hill"]}""", "a stone on a HILL", "a stone")]
    [InlineData("keywords:forbidden_words", """{"forbidden_words": ["hill"]}""", "uphill, downhills", "a Hill.")]
    [InlineData("keywords:frequency", """{"keyword": "stone", "frequency": 2, "relation": "at least"}""", "stone Stone", "stone")]
    [InlineData("keywords:letter_frequency", """{"letter": "n", "let_frequency": 2, "let_relation": "less than"}""", "One", "noon")]
    [InlineData("length_constraints:number_words", """{"num_words": 3, "relation": "less than"}""", "two words", "not any three")]
    [InlineData("length_constraints:number_paragraphs", """{"num_paragraphs": 2}""", "one\n***\ntwo", "one\n***\n***\ntwo")]
    [InlineData("length_constraints:nth_paragraph_first_word", """{"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "then"}""", "First.\n\n\"Then,\" he said", "First.\n\nAnd then")]
    [InlineData("detectable_content:number_placeholders", """{"num_placeholders": 2}""", "[name] of [place]", "[name]")]
    [InlineData("detectable_content:postscript", """{"postscript_marker": "P.S."}""", "Bye.\np.s. more", "Bye, oops")]
    [InlineData("detectable_format:number_bullet_lists", """{"num_bullets": 2}""", "* one\n- two", "* one\n** two")]
    [InlineData("detectable_format:constrained_response", "{}", "Well. My answer is maybe.", "Maybe.")]
    [InlineData("detectable_format:number_highlighted_sections", """{"num_highlights": 1}""", "an *important* thing", "a * b")]
    [InlineData("detectable_format:multiple_sections", """{"section_spliter": "Part", "num_sections": 2}""", "Part 1 a\nPart 2 b", "Part 1 and a half")]
    [InlineData("detectable_format:json_format", "{}", "```json\n{\"a\": 1}\n```", "{a}")]
    [InlineData("detectable_format:title", "{}", "<<a stone>>\nIt lies.", "<< >> It lies.")]
    [InlineData("combination:two_responses", "{}", "one ****** two", "one ****** one")]
    [InlineData("combination:repeat_prompt", """{"prompt_to_repeat": "Say it."}""", "say it. It.", "It. Say it.")]
    [InlineData("startend:end_checker", """{"end_phrase": "Any other questions?"}""", "Yes. any other questions?", "Any other questions? No")]
    [InlineData("startend:quotation", "{}", "\"all of it\"", "\"some\" of it")]
    [InlineData("change_case:english_capital", "{}", "ALL OF 1", "All")]
    [InlineData("change_case:english_lowercase", "{}", "all of 1", "All")]
    [InlineData("punctuation:no_comma", "{}", "none at all", "one, two")]
    public void An_instruction_is_followed_or_not(string name, string arguments, string follows, string fails)
    {
        var item = Load($$"""{"key": 1, "prompt": "Say it.", "instruction_id_list": ["{{name}}"], "kwargs": [{{arguments}}]}""");
        Assert.Equal(("1", "Say it."), (item.Id, item.Prompt));
        Assert.Equal([1, 1, 1, 1], item.Judge(follows).Select(mark => mark.Value));
        Assert.Equal(0, item.Judge(fails)[0].Value);
        Assert.All(item.Judge(" \n "), mark => Assert.Equal(0, mark.Value));
    }

    [Fact]
    public void Of_several_instructions_each_counts_and_all_together()
    {
        var item = Load("""{"prompt": "Say it.", "instruction_id_list": ["punctuation:no_comma", "change_case:english_lowercase"], "kwargs": [{}, {}]}""");
        Assert.Equal(
            [("prompt_level_strict_acc", 0), ("prompt_level_loose_acc", 0), ("inst_level_strict_acc", 1), ("inst_level_strict_acc", 0), ("inst_level_loose_acc", 1), ("inst_level_loose_acc", 0)],
            item.Judge("No Comma").Select(mark => (mark.Metric, (int)mark.Value)));
    }

    [Fact]
    public void A_first_line_too_many_is_forgiven_loosely_and_not_strictly()
    {
        var item = Load("""{"prompt": "Say it.", "instruction_id_list": ["change_case:english_lowercase"], "kwargs": [{}]}""");
        Assert.Equal([0, 1, 0, 1], item.Judge("Sure:\nhere it is").Select(mark => (int)mark.Value));
    }

    [Theory]
    [InlineData("keywords:forbidden_words", """{"forbidden_words": ["hill", "TEXT"]}""", "forbidden_words")]
    [InlineData("detectable_format:multiple_sections", """{"section_spliter": "TEXT", "num_sections": 2}""", "section_spliter")]
    public void A_text_too_long_to_be_looked_for_is_refused_with_its_line_and_one_that_fits_is_looked_for(string name, string arguments, string field)
    {
        foreach (var letter in new[] { 'x', '(', 'ǆ' })
        {
            var fits = new string(letter, 1000);
            Assert.Equal(field == "forbidden_words" ? 1 : 0, Load(LineOf(fits)).Judge("none of it")[0].Value);
            var refused = Assert.Throws<Cairn.Base.InputException>(() => Load(LineOf(fits + letter))).Message;
            Assert.Contains($"{_file}", refused, StringComparison.Ordinal);
            Assert.Contains($"'{field}' must be of at most 1,000 characters", refused, StringComparison.Ordinal);
        }

        string LineOf(string text) =>
            $$"""{"key": 1, "prompt": "Say it.", "instruction_id_list": ["{{name}}"], "kwargs": [{{arguments.Replace("TEXT", text, StringComparison.Ordinal)}}]}""";
    }

    private OpenItem Load(string line)
    {
        File.WriteAllText(_file, line);
        return Assert.IsType<OpenItem>(EvaluationTask.Load("ifeval", _file).Items[0]);
    }
}
