using Cairn.Base;
using Cairn.Compute;

namespace Cairn.Evaluation.Tests;

/// <summary>The forms of published tasks, and what becomes of a question of each, worked out by hand with <see cref="Known.Bigram"/>.</summary>
public sealed class TaskTests : IDisposable
{
    private const string Arc = """{"id": "a1", "question": "What carries the path?", "choices": {"text": ["the stone", "a hill"], "label": ["A", "B"]}, "answerKey": "B"}""";
    private const string ArcAsPublished =
        """{"id": "a1", "question": {"stem": "What carries the path?", "choices": [{"text": "the stone", "label": "A"}, {"text": "a hill", "label": "B"}]}, "answerKey": "B"}""";

    private const string OpenBook = """{"id": "o1", "question_stem": "A stone is", "choices": {"text": ["a path", "slow", "the hill"], "label": ["A", "B", "C"]}, "answerKey": "C"}""";
    private const string OpenBookAsPublished =
        """{"id": "o1", "question": {"stem": "A stone is", "choices": [{"text": "a path", "label": "A"}, {"text": "slow", "label": "B"}, {"text": "the hill", "label": "C"}]}, "answerKey": "C"}""";

    private const string HellaSwag =
        """{"ind": 7, "activity_label": "Walking", "ctx_a": "A man walks [header]. [title] He", "ctx_b": "THE stone", "endings": ["falls [substeps] down.", "carries  the path."], "label": "1"}""";

    private const string Piqa = """{"goal": "To find the hill,", "sol1": "walk slowly", "sol2": "carry a stone naïvely", "label": 0}""";
    private const string WinoGrande = """{"sentence": "The stone met the hill because the _ was slow.", "option1": "stone", "option2": "hill", "answer": "2"}""";
    private const string Mmlu = """{"question": " Which is a stone? ", "subject": "rock_lore", "choices": ["path", "granite", "hill", "answer"], "answer": 1}""";

    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Theory]
    [InlineData("arc", Arc, "Question: What carries the path?\nAnswer:", new[] { " the stone", " a hill" }, 1)]
    [InlineData("arc", ArcAsPublished, "Question: What carries the path?\nAnswer:", new[] { " the stone", " a hill" }, 1)]
    [InlineData("openbookqa", OpenBook, "A stone is", new[] { " a path", " slow", " the hill" }, 2)]
    [InlineData("openbookqa", OpenBookAsPublished, "A stone is", new[] { " a path", " slow", " the hill" }, 2)]
    [InlineData("hellaswag", HellaSwag, "Walking: A man walks .. He The stone", new[] { " falls down.", " carries the path." }, 1)]
    [InlineData("piqa", Piqa, "Question: To find the hill,\nAnswer:", new[] { " walk slowly", " carry a stone naïvely" }, 0)]
    [InlineData("mmlu", Mmlu, "Which is a stone?\nA. path\nB. granite\nC. hill\nD. answer\nAnswer:", new[] { " A", " B", " C", " D" }, 1)]
    public void A_question_is_put_as_the_harness_puts_it(string name, string line, string context, string[] continuations, int gold)
    {
        var item = Assert.IsType<ChoiceItem>(Assert.Single(Load(name, line).Items));
        Assert.All(item.Choices, choice => Assert.Equal(context, choice.Context));
        Assert.Equal(continuations, item.Choices.Select(choice => choice.Continuation));
        Assert.Equal((gold, context + continuations[gold]), (item.Gold, item.Example));
        Assert.Equal(continuations.Select(text => text.Length - 1), item.Choices.Select(choice => choice.Length));
    }

    [Fact]
    public void Of_winogrande_the_end_of_the_sentence_is_scored_after_each_name()
    {
        var item = Assert.IsType<ChoiceItem>(Assert.Single(Load("winogrande", WinoGrande).Items));
        Assert.Equal(
            [("The stone met the hill because the stone", " was slow."), ("The stone met the hill because the hill", " was slow.")],
            item.Choices.Select(choice => (choice.Context, choice.Continuation)));
        Assert.Equal((1, "The stone met the hill because the hill was slow.", false), (item.Gold, item.Example, item.IsNormed));
    }

    [Theory]
    [InlineData("arc", Arc)]
    [InlineData("openbookqa", OpenBook)]
    [InlineData("hellaswag", HellaSwag)]
    [InlineData("piqa", Piqa)]
    [InlineData("winogrande", WinoGrande)]
    [InlineData("mmlu", Mmlu)]
    public void The_likeliest_answer_counts_by_itself_and_for_each_character(string name, string line)
    {
        using var kernels = new CpuKernels(2);
        using var parameters = Known.Bigram(context: 128);
        using var model = new ModelUnderTest(parameters, Known.Tokenizer, kernels);
        var task = Load(name, line);
        var item = (ChoiceItem)task.Items[0];
        var expected = item.Choices.Select(choice => Known.LogProbability(parameters, choice.Context, choice.Continuation)).ToArray();
        var score = Assert.Single(model.Score(task, FewShot.None, null, TestContext.Current.CancellationToken).Items);

        Assert.Equal(expected.Length, score.Likelihoods!.Count);
        Assert.All(expected.Zip(score.Likelihoods), pair => Assert.Equal(pair.First, pair.Second, 1e-4 * Math.Abs(pair.First)));
        var byCharacter = expected.Select((one, i) => one / item.Choices[i].Length).ToArray();
        List<Mark> marks = [new("acc", Array.IndexOf(expected, expected.Max()) == item.Gold ? 1 : 0)];
        if (name is not ("winogrande" or "mmlu"))
        {
            marks.Add(new Mark("acc_norm", Array.IndexOf(byCharacter, byCharacter.Max()) == item.Gold ? 1 : 0));
        }

        Assert.Equal(marks, score.Marks);
    }

    [Fact]
    public void Examples_and_the_description_stand_before_the_question()
    {
        var task = Load("mmlu", Mmlu);
        var examples = FewShot.Of(Load("mmlu", Mmlu.Replace("Which", "What", StringComparison.Ordinal) + "\n" + Mmlu), 2);
        Assert.Equal(
            "The following are multiple choice questions (with answers) about rock lore.\n\n" +
            "What is a stone?\nA. path\nB. granite\nC. hill\nD. answer\nAnswer: B\n\nWhich is a stone?\nA. path\nB. granite\nC. hill\nD. answer\nAnswer: B\n\n",
            examples.Before(task, 0));
        Assert.Throws<InputException>(() => FewShot.Of(task, 2));
    }

    [Theory]
    [InlineData("It is 3 + 4.\n#### 7", 1, 1)]
    [InlineData("It is $7.", 0, 1)]
    [InlineData("#### 7.0", 0, 0)]
    [InlineData("#### 1,007", 0, 0)]
    [InlineData("I do not know", 0, 0)]
    public void A_sum_is_right_if_its_number_is(string said, int strict, int flexible)
    {
        var item = Assert.IsType<OpenItem>(Load("gsm8k", """{"question": "3 + 4?", "answer": "3 + 4 = 7\n#### 7"}""").Items[0]);
        Assert.Equal("Question: 3 + 4?\nAnswer:", item.Prompt);
        Assert.Equal([strict, flexible], item.Judge(said).Select(mark => (int)mark.Value));
    }

    [Fact]
    public void A_free_answer_ends_where_the_task_says()
    {
        using var kernels = new CpuKernels(1);
        using var parameters = Known.Bigram();
        using var model = new ModelUnderTest(parameters, Known.Tokenizer, kernels);
        var all = new OpenItem("1", "", "the stone", [], 30, _ => []);
        var whole = Answer(model, all);
        Assert.True(whole.Length > 5);
        Assert.Equal(whole[..whole.IndexOf(whole[4], StringComparison.Ordinal)], Answer(model, all with { Stops = [whole[4].ToString()] }));
        Assert.True(Answer(model, all with { TokensMax = 3 }).Length < whole.Length);
    }

    [Theory]
    [InlineData("arc", "{", "line 1")]
    [InlineData("arc", "[]", "line 1")]
    [InlineData("arc", """{"question": "a", "choices": {"text": ["x", "y"], "label": ["A", "B"]}, "answerKey": "C"}""", "answerKey")]
    [InlineData("arc", """{"question": "a", "choices": {"text": ["x"], "label": ["A"]}, "answerKey": "A"}""", "choices")]
    [InlineData("arc", """{"choices": {}}""", "line 1")]
    [InlineData("arc", """{"question": "\ud800", "choices": {"text": ["x", "y"], "label": ["A", "B"]}, "answerKey": "A"}""", "question")]
    [InlineData("piqa", """{"goal": "a", "sol1": "b", "sol2": "c", "label": 2}""", "label")]
    [InlineData("winogrande", """{"sentence": "no gap", "option1": "b", "option2": "c", "answer": "1"}""", "sentence")]
    [InlineData("hellaswag", """{"activity_label": "a", "ctx_a": "b", "ctx_b": "c", "endings": "d", "label": 0}""", "endings")]
    [InlineData("gsm8k", """{"question": "a", "answer": "7"}""", "answer")]
    [InlineData("ifeval", """{"prompt": "a", "instruction_id_list": ["punctuation:no_comma"], "kwargs": []}""", "kwargs")]
    [InlineData("ifeval", """{"prompt": "a", "instruction_id_list": ["language:response_language"], "kwargs": [{}]}""", "language:response_language")]
    [InlineData("mmlu", """{"question": "a", "choices": ["x", "y"], "answer": 7}""", "answer")]
    public void What_is_wrong_with_a_line_is_named(string name, string line, string named)
    {
        var refusal = Assert.Throws<InputException>(() => Load(name, line));
        Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
        Assert.Contains(_file, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Mutated_questions_are_read_or_refused()
    {
        var random = new SeededRandom(8, "mutations");
        (string Name, string Line)[] all =
        [
            ("arc", Arc), ("arc", ArcAsPublished), ("openbookqa", OpenBook), ("hellaswag", HellaSwag), ("piqa", Piqa), ("winogrande", WinoGrande), ("mmlu", Mmlu),
            ("ifeval", """{"key": 1, "prompt": "Say it.", "instruction_id_list": ["keywords:frequency"], "kwargs": [{"relation": "at least", "keyword": "a", "frequency": 2.0}]}"""),
        ];
        for (var i = 0; i < 2000; i++)
        {
            var (name, line) = all[i % all.Length];
            var text = System.Text.Encoding.UTF8.GetBytes(line);
            for (var changes = 1 + random.NextBelow(4); changes > 0; changes--)
            {
                text[random.NextBelow(text.Length)] = random.NextBelow(3) == 0 ? (byte)random.NextBelow(256) : "{}[]\":,0\\ nA_"u8[random.NextBelow(13)];
            }

            File.WriteAllBytes(_file, text);
            try
            {
                EvaluationTask.Load(name, _file);
            }
            catch (InputException)
            {
                // Refused with a sentence.
            }
        }
    }

    private static string Answer(ModelUnderTest model, OpenItem item) => model.Score(new EvaluationTask("gsm8k", [item], [""]), FewShot.None, null, TestContext.Current.CancellationToken).Items[0].Answer!;

    private EvaluationTask Load(string name, string lines)
    {
        File.WriteAllText(_file, lines);
        return EvaluationTask.Load(name, _file);
    }
}
