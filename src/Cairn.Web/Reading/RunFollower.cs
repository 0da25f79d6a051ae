using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Web;

/// <summary>Keeps a book up to date: of a run that goes on as its files grow, of a past one at the speed that was asked for.</summary>
internal sealed class RunFollower(RunReader reader, TimeProvider time, Action changed)
{
    private const int BlocksAtOnce = 512;
    private const int LinesAtOnce = 512;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LookAround = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>Follows until told to stop. A damaged ledger ends it; the book then says why.</summary>
    public async Task FollowAsync(CancellationToken cancellation)
    {
        await GuardAsync(async () =>
        {
            var looked = time.GetTimestamp();
            while (!cancellation.IsCancellationRequested)
            {
                SetNow(time.GetUtcNow());
                var more = ReadMore();
                if (more)
                {
                    changed();
                    continue;
                }

                CatchUp();
                if (time.GetElapsedTime(looked) >= LookAround)
                {
                    looked = time.GetTimestamp();
                    if (reader.LookAround())
                    {
                        changed();
                    }
                }

                await Task.Delay(Poll, time, cancellation);
            }
        });
    }

    /// <summary>Shows a past run as if it went on now: each line of the log at its time, and the ledger up to the stage that the log says.</summary>
    /// <param name="speed">So many times as fast.</param>
    /// <param name="cancellation">Stops.</param>
    public async Task ReplayAsync(double speed, CancellationToken cancellation)
    {
        await GuardAsync(async () =>
        {
            var now = reader.PeekLine()?.Time ?? time.GetUtcNow();
            SetNow(now);
            CatchUp();
            while (reader.PeekLine() is { } line)
            {
                // A run that stood still for a night is not waited for.
                var pause = TimeSpan.FromTicks(Math.Clamp((line.Time - now).Ticks, 0, LongestPause.Ticks));
                await WaitAsync(now, line.Time, pause / speed, speed, cancellation);
                now = line.Time;
                while (StageOf(line) is { } reached && !HasReached(reached) && reader.ReadBlock())
                {
                }

                reader.ReadLine();
                changed();
            }

            // Of what no log told there are no times.
            var told = reader.Book.State.Height;
            while (ReadBlocks(BlocksAtOnce))
            {
                changed();
            }

            if (reader.Book.State.Height > told)
            {
                Say(told == 0 ? "no log of the run is here, and so no times: it is shown as it ended" : "the log ends here: the rest of the ledger is shown at once");
            }

            changed();
        });
    }

    /// <summary>Reads all that is there.</summary>
    public void ReadAll()
    {
        while (ReadMore())
        {
        }

        reader.LookAround();
        reader.Book.CaughtUp = true;
    }

    private static (int Round, Stage Stage)? StageOf(EventLine line) =>
        line.Kind == "stage" && line.Data.Whole("round") is { } round && Enum.TryParse<Stage>(line.Data.Text("stage"), out var stage) ? (round, stage) : null;

    // The ledger first: what a log says of rounds that the ledger has not come to is not believed.
    private bool ReadMore() => ReadBlocks(BlocksAtOnce) || ReadLines(LinesAtOnce);

    private async Task WaitAsync(DateTimeOffset from, DateTimeOffset to, TimeSpan pause, double speed, CancellationToken cancellation)
    {
        var begun = time.GetTimestamp();
        for (var left = pause; left > TimeSpan.Zero; left = pause - time.GetElapsedTime(begun))
        {
            await Task.Delay(left < Poll ? left : Poll, time, cancellation);
            var now = from + (time.GetElapsedTime(begun) * speed);
            SetNow(now < to ? now : to);
            changed();
        }

        SetNow(to);
    }

    private bool HasReached((int Round, Stage Stage) reached) =>
        (reader.Book.State.CurrentRound.Number, reader.Book.State.Stage).CompareTo(reached) >= 0;

    private async Task GuardAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (OperationCanceledException)
        {
            // Told to stop.
        }
        catch (Exception e) when (e is InputException or IOException or UnauthorizedAccessException)
        {
            lock (reader.Book.Gate)
            {
                reader.Book.Failure = e.Message;
            }

            changed();
        }
    }

    private bool ReadBlocks(int most)
    {
        var count = 0;
        while (count < most && reader.ReadBlock())
        {
            count++;
        }

        return count > 0;
    }

    private bool ReadLines(int most)
    {
        var count = 0;
        while (count < most && reader.ReadLine())
        {
            count++;
        }

        return count > 0;
    }

    private void CatchUp()
    {
        if (reader.Book.CaughtUp)
        {
            return;
        }

        lock (reader.Book.Gate)
        {
            reader.Book.CaughtUp = true;
        }

        changed();
    }

    private void Say(string what)
    {
        lock (reader.Book.Gate)
        {
            reader.Book.Say(what);
        }
    }

    private void SetNow(DateTimeOffset now)
    {
        lock (reader.Book.Gate)
        {
            reader.Book.Now = now;
        }
    }
}
