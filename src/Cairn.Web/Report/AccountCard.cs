using System.Text;
using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Web;

/// <summary>A card for the model of a run.</summary>
internal static class AccountCard
{
    public static string Of(RunBook book, Round round, Digest digest)
    {
        var (now, rules, row) = (RunPage.Now(book), book.Rules, book.Round(round.Number));
        var peers = book.State.Members.Where(member => member.Role == Role.Peer && book.State.AcceptedOf(member.Uid) > 0).ToList();
        var again = RunAccount.Command(book) is { } command ? $"On the same text the same bits come from `{command}`."
            : "Strangers could join the run: it can be verified, but not done again without them.";
        var card = new StringBuilder();
        card.Append(
            $"""
            ---
            library_name: transformers
            pipeline_tag: text-generation
            license: unknown
            tags: [cairn, sparseloco, distributed-training]
            ---

            # {Plain(rules.Name)} (Cairn, {Plain(rules.Model.Preset)})

            A Llama-family model of {Words.Count(rules.Model.ParameterCount)} parameters that {peers.Count} peers trained together over {round.Number + 1} rounds,
            exchanging compressed updates. Who shares it must name the licence of the text it was trained on: this card does not know it.

            ## Training

            | | |
            |---|---|
            | tokens of accepted updates | {Words.Count((row?.SamplesSoFar ?? 0) * rules.Model.Context)} |
            | held-out loss, nats/token | {Words.Fixed(now.LossFirst, 4)} before, {Words.Fixed(row?.Loss ?? now.Loss, 4)} after round {round.Number + 1} |
            | bits per byte | {Words.Fixed(now.BitsPerByteFirst, 3)} before, {Words.Fixed(row?.BitsPerByte ?? now.BitsPerByte, 3)} after |
            | inner steps of a round | {rules.Training.InnerSteps} of {rules.Training.Batch} samples of {rules.Model.Context} tokens |
            | an update | {Words.Bytes(now.BytesPerUpdate ?? 0)} |
            | peers | {Words.Count(peers.Count)}, all replicas {(now.Agreement ? "the same bits after every round" : "NOT the same")} |

            ## Provenance

            | | |
            |---|---|
            | checkpoint | `{digest}` |
            | rules | `{rules.ComputeDigest()}` |
            | data set | `{rules.Data.Manifest}` |
            | tokenizer | `{rules.Data.Tokenizer}` |
            | ledger | `{book.State.Run}`, {Words.Count(book.State.Height)} blocks, last `{book.State.Tip}` |
            | program | Cairn {RunAccount.Program} |

            {again}

            ## Contribution

            | peer | updates accepted | refused | share of the pay |
            |---|---|---|---|

            """);
        var rewards = Math.Max(1, peers.Sum(peer => peer.Reward));
        foreach (var peer in peers)
        {
            card.Append($"| {Plain(peer.Name)} | {Words.Count(book.State.AcceptedOf(peer.Uid))} ");
            card.Append($"| {Words.Count(book.State.RejectionsOf(peer.Uid))} | {Words.Percent((double)peer.Reward / rewards)} |\n");
        }

        return card.Append("\n## Limits\n\nThe model continues text and knows no instructions. It repeats what is in its training text, mistakes included.\n").ToString();
    }

    // Names are others' words: nothing in them may become markup.
    private static string Plain(string text) => string.Concat(text.Where(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or ' '));
}
