using Cairn.Base;
using Cairn.Data;
using Cairn.Formats;

namespace Cairn.Node.Tests;

/// <summary>A run that goes on with a model that somebody brought.</summary>
public sealed class FromModelTests(SmallRun small)
{
    [Fact]
    public async Task A_run_goes_on_with_a_model_and_whoever_joins_begins_with_the_same_parameters()
    {
        using var folder = new TestFolder();
        var checkpoint = small.Undisturbed.CheckpointFolder;
        Digest first;
        using (var model = ModelFile.Open(checkpoint))
        {
            ModelWriter.WriteGguf(model, folder["model.gguf"], NumberType.F32);
            first = ModelCheck.Of(model).Base;
        }

        var options = small.Options(folder["run"]) with { From = folder["model.gguf"], Rounds = 1, InnerSteps = 10 };
        var rules = Swarm.Found(options, folder["store"], new StoreAccess(), _ => { }, TestContext.Current.CancellationToken);
        Assert.True(rules.Model.FromModel);
        Assert.Equal(first, rules.Model.InitialBase);

        var joined = new RunDirectory(folder["joined"]);
        await RunSetup.JoinAsync(Invite.Of(new RunDirectory(folder["run"])), joined, [], _ => { }, TestContext.Current.CancellationToken);
        Assert.Equal(first, BaseFile.DigestOf(Path.Combine(joined.Root, BaseFile.FileName)));
        TestFolder.FlipBit(Path.Combine(joined.Root, BaseFile.FileName), 1000);
        Assert.NotEqual(first, BaseFile.DigestOf(Path.Combine(joined.Root, BaseFile.FileName)));
    }

    [Fact]
    public async Task A_swarm_from_a_model_begins_where_the_model_ended_and_is_spoken_with_in_its_way()
    {
        const string Template = "{% for turn in messages %}{{ turn.content }}{% endfor %}";
        using var folder = new TestFolder();
        TestFolder.Copy(small.Undisturbed.CheckpointFolder, folder["model"]);
        await File.WriteAllTextAsync(Path.Combine(folder["model"], HuggingFaceNames.ChatTemplate), Template, TestContext.Current.CancellationToken);
        var options = small.Options(folder["run"]) with { From = folder["model"], Rounds = 1, InnerSteps = 10 };
        var outcome = await Swarm.RunAsync(options, _ => { }, _ => { }, TestContext.Current.CancellationToken);
        Assert.True(outcome.Finished && outcome.Report.DigestAgreement);
        Assert.InRange(Math.Abs(outcome.Report.LossInitial - small.Undisturbed.Report.LossFinal), 0, 1e-6);
        using var trained = ModelFile.Open(outcome.CheckpointFolder);
        Assert.Equal(Template, trained.ChatTemplate);
    }

    [Fact]
    public void A_model_of_which_any_text_might_hold_a_token_without_a_row_is_not_trained()
    {
        using var folder = new TestFolder();
        TestFolder.Copy(small.Undisturbed.CheckpointFolder, folder["model"]);
        int rows;
        using (var model = ModelFile.Open(folder["model"]))
        {
            rows = model.Shape.Vocabulary;
            var parts = model.Tokenizer.Parts;
            var added = parts with
            {
                Tokens = [.. parts.Tokens, "[A]"u8.ToArray(), "[B]"u8.ToArray()],
                Kinds = [.. parts.Kinds, TokenKind.Control, TokenKind.UserDefined],
            };
            DurableFile.Write(Path.Combine(folder["model"], HuggingFaceNames.Tokenizer), Tokenizer.Of(added, "the test's tokenizer").Save);
        }

        var refused = Assert.Throws<InputException>(() => InitialParameters.Take(new RunDirectory(folder["run"]), folder["model"], 64)).Message;
        Assert.Contains($"token {rows + 1}, '[B]', but its embedding has only {rows} rows", refused, StringComparison.Ordinal);
    }
}
