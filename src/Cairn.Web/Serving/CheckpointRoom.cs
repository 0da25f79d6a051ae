using System.Globalization;
using Cairn.Base;
using Cairn.Ledger;
using Cairn.Model;
using Cairn.Protocol;
using Microsoft.AspNetCore.Http;

namespace Cairn.Web;

/// <summary>The page Checkpoints: which ones the validators agreed on, which of their files are here, and those brought that are in stores on the network.</summary>
internal sealed class CheckpointRoom(RunBook book, RunSources sources) : IDisposable
{
    private const int Shown = 200;

    // Stores drop what is older than that.
    private const int KeptInStores = 4;
    private static readonly string[] FileNames = [Checkpoint.ParametersFile, Checkpoint.ConfigFile, Checkpoint.GenerationFile, "tokenizer.json", "tokenizer_config.json"];
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<int, string> _trouble = [];
    private int? _coming;

    /// <summary>All, the newest first.</summary>
    public IReadOnlyList<CheckpointView> All()
    {
        List<NamedCheckpoint> named;
        var central = RunPage.Central(book)?.Sample;
        lock (book.Gate)
        {
            named = [.. book.State.Checkpoints.TakeLast(Shown).Reverse().Select(checkpoint => Named(checkpoint.Round.Number, checkpoint.Digest))];
        }

        return [.. named.Select((checkpoint, age) =>
        {
            var files = FileNames.Select(name => new FileInfo(Path.Combine(FolderOf(sources, checkpoint.Round), name))).Where(file => file.Exists)
                .Select(file => new FileView(file.Name, file.Length)).ToList();
            var here = files.Exists(file => file.Name == Checkpoint.ParametersFile);
            lock (_gate)
            {
                return new CheckpointView(
                    checkpoint.Round, checkpoint.Digest.ToString(),
                    here ? "here" : _coming == checkpoint.Round ? "coming" : sources.Bring is not null && age < KeptInStores ? "elsewhere" : "gone",
                    here ? files.Sum(file => file.Bytes) : book.Rules.Model.ParameterCount * sizeof(float), checkpoint.Loss, checkpoint.Bits, files,
                    _trouble.GetValueOrDefault(checkpoint.Round), checkpoint.Evaluations, checkpoint.Text, checkpoint.TextAtStart, central);
            }
        })];
    }

    // Under the gate. What a log told comes first: there is one for every round.
    private NamedCheckpoint Named(int round, Digest digest)
    {
        var (row, found) = (book.Round(round), book.Evaluations.GetValueOrDefault(round) ?? []);
        var record = found.Count > 0 ? found[0].Record : null;
        return new NamedCheckpoint(
            round, digest, row?.Loss ?? Finite(record?.Loss), row?.BitsPerByte ?? Finite(record?.BitsPerByte), [.. found.Select(one => View(one.By, one.Record))],
            record?.Sample ?? book.Texts.Find(text => text.Round == round)?.Text, record?.SampleAtStart ?? book.Texts.Find(text => text.Round < 0)?.Text);
    }

    private static EvaluationView View(string by, EvaluationRecord record) => new(
        by, record.Sequences, Finite(record.Loss), Finite(record.StandardError), Finite(record.BitsPerByte),
        [.. record.Texts.Select(text => new EvaluatedTextView(text.Name, Finite(text.BitsPerByte)))],
        [.. record.Tasks.Select(task => new EvaluatedTaskView(task.Task, task.Metric, Finite(task.Mean), Finite(task.StandardError), task.Count))]);

    // JSON knows no infinity.
    private static double? Finite(double? number) => number is { } value && double.IsFinite(value) ? value : null;

    private sealed record NamedCheckpoint(
        int Round, Digest Digest, double? Loss, double? Bits, IReadOnlyList<EvaluationView> Evaluations, string? Text, string? TextAtStart);

    /// <summary>Sends a file of a checkpoint that the ledger names.</summary>
    public async Task DownloadAsync(HttpContext context, int round, string file)
    {
        var path = Path.Combine(FolderOf(sources, round), file);
        if (!FileNames.Contains(file) || Find(round) is null || !File.Exists(path))
        {
            await Answers.RefuseAsync(context, StatusCodes.Status404NotFound, "That file of a checkpoint is not here.");
            return;
        }

        context.Response.ContentType = "application/octet-stream";
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"{file}\"";
        await context.Response.SendFileAsync(path, context.RequestAborted);
    }

    /// <summary>Brings a checkpoint from the stores, one at a time; answers when it is here. Whoever asked may go meanwhile.</summary>
    public async Task BringAsync(HttpContext context, int round)
    {
        if (sources.Bring is not { } bring || !IsKept(round) || Find(round) is not { } wanted)
        {
            await Answers.RefuseAsync(context, StatusCodes.Status404NotFound, "There is no such checkpoint in a store on the network.");
            return;
        }

        lock (_gate)
        {
            if (_coming is null)
            {
                _trouble.Remove(round);
                _coming = round;
            }
            else
            {
                wanted = null;
            }
        }

        if (wanted is null)
        {
            await Answers.RefuseAsync(context, StatusCodes.Status409Conflict, "Another checkpoint is being fetched: wait for it.");
            return;
        }

        await BringAsync(bring, wanted);
        await Answers.SendNewAsync(context, ViewJson.Default.IReadOnlyListCheckpointView, All());
    }

    public void Dispose() => _stop.Cancel();

    /// <summary>Where the checkpoint of a round lies.</summary>
    public static string FolderOf(RunSources sources, int round) => Path.Combine(sources.Checkpoints, round.ToString("D6", CultureInfo.InvariantCulture));

    private async Task BringAsync(Func<WantedCheckpoint, CancellationToken, Task> bring, WantedCheckpoint wanted)
    {
        string? trouble = null;
        try
        {
            await bring(wanted, _stop.Token);
        }
        catch (Exception e) when (e is InputException or IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            trouble = e.Message;
        }
        finally
        {
            lock (_gate)
            {
                _coming = null;
                if (trouble is not null)
                {
                    _trouble[wanted.Round] = trouble;
                }
            }
        }
    }

    // Stores keep the newest few: nobody is sent looking for older ones.
    private bool IsKept(int round)
    {
        lock (book.Gate)
        {
            return book.State.Checkpoints.TakeLast(KeptInStores).Any(checkpoint => checkpoint.Round.Number == round);
        }
    }

    private WantedCheckpoint? Find(int round)
    {
        lock (book.Gate)
        {
            var digest = book.State.Checkpoints.FirstOrDefault(checkpoint => checkpoint.Round.Number == round).Digest;
            return digest.IsZero ? null : new WantedCheckpoint(
                round, digest, [.. book.State.Members.Where(member => member.Role == Role.Validator).Select(member => member.Place).Distinct()],
                FolderOf(sources, round));
        }
    }
}
