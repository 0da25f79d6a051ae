using Cairn.Base;
using Cairn.Formats;
using Cairn.Inference;
using Cairn.Inference.Tests;
using Cairn.Model;

namespace Cairn.Web.Tests;

/// <summary>The thread that computes: what may fail it, and what those who wait for it hear then.</summary>
public sealed class EngineTests : IDisposable
{
    private readonly Tiny _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Fact]
    public async Task What_no_model_can_continue_fails_whoever_asks_and_not_the_thread_that_computes_for_all()
    {
        await using var room = Room();
        using var lease = room.Rent();
        foreach (var prompt in new int[][] { [], [Tiny.Tokenizer.VocabularySize], [-1], Tiny.Text(500) })
        {
            Assert.Throws<InvariantViolation>(() => lease.Engine.Add([new Continuation(Request(prompt), _ => { })]));
        }

        var ended = new TaskCompletionSource();
        lease.Engine.Add([new Continuation(Request([1, 2, 3]), part => { if (part.End is not null) { ended.SetResult(); } })]);
        await ended.Task.WaitAsync(TestContext.Current.CancellationToken);
        Assert.False(room.Failed.IsCompleted);
    }

    [Fact]
    public async Task That_an_engine_failed_is_known_before_those_who_wait_for_it_are_woken()
    {
        await using var room = Room();
        using var lease = room.Rent();
        var known = new TaskCompletionSource<(bool, bool)>();
        lease.Engine.Broken.Register(() => known.SetResult((room.Failed.IsFaulted, lease.Engine.Ended.IsFaulted)));
        lease.Engine.Add([new Continuation(Request([1, 2, 3]), _ => throw new InvalidOperationException("a bug"))]);
        Assert.Equal((true, true), await known.Task.WaitAsync(TestContext.Current.CancellationToken));
        Assert.Equal("a bug", (await Assert.ThrowsAsync<InvalidOperationException>(() => room.Failed)).Message);
    }

    private static ContinuationRequest Request(int[] prompt) => new(prompt, new SamplingSettings(0, 1, 4), new HashSet<int>(), []);

    private ModelRoom Room()
    {
        using var file = ModelFile.Open(_tiny.Folder);
        return new ModelRoom(ServedModel.Load(file, "tiny", "one", new BatchModelOptions()), 4, _ => { });
    }
}
