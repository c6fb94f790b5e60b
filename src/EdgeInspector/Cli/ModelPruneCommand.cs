using System.CommandLine;
using System.Globalization;
using EdgeInspector.Quantization;
using EdgeInspector.Quantization.Packages;
using EdgeInspector.Quantization.Pruning;

namespace EdgeInspector.Cli;

/// <summary>`model prune`: fewer weights or channels, with what it costs and gains.</summary>
internal static class ModelPruneCommand
{
    public static Command Create()
    {
        var shared = new ModelRewriteOptions();
        var sparsity = new Option<double>("--sparsity")
        {
            Description = "Share to take away, 0.01 to 0.95: of each layer's weights, or of its channels.",
            DefaultValueFactory = _ => 0.3,
            HelpName = "SHARE",
        };
        var channels = new Option<bool>("--whole-channels")
        {
            Description = "Take whole channels out, which makes the model faster; single weights only make its file compress better.",
        };
        var command = new Command(
            "prune",
            """
            Take a model's least weights away and compare both.

            By magnitude, without training afterwards. Zeroed weights (the default) make the file compress better and nothing
            faster: a processor multiplies by zero as slowly as by any number. --whole-channels takes channels out, which does
            make it faster and costs more accuracy.

              edge-inspector model prune models/biscuit-float --holdout data --sparsity 0.4 --out biscuit-pruned
              edge-inspector model prune PACKAGE --holdout data --stage classifier --whole-channels --sparsity 0.2 --out SMALLER
            """);
        shared.AddTo(command);
        command.Options.Add(sparsity);
        command.Options.Add(channels);
        command.SetAction((parsed, cancellationToken) => Task.FromResult(shared.Run(
            parsed,
            null,
            0,
            rewrite =>
            {
                var share = parsed.GetValue(sparsity);
                if (share is not (>= 0.01 and <= 0.95))
                {
                    throw new OnnxException(string.Create(
                        CultureInfo.InvariantCulture, $"--sparsity: {share} is out of range; give 0.01 to 0.95."));
                }

                var whole = parsed.GetValue(channels);
                return rewrite with
                {
                    VersionMark = "pruned",
                    Method = string.Create(
                        CultureInfo.InvariantCulture,
                        $"pruned by magnitude, {100 * share:0.#} % of each layer's {(whole ? "channels" : "weights")}"),
                    Rewrite = (graph, _, _, _) => whole
                        ? ChannelPruning.Prune(graph, share)
                        : MagnitudePruning.Prune(graph, share),
                    Notes = whole
                        ? []
                        : ["Zeroed weights make the file compress better and nothing faster; --whole-channels does."],
                };
            },
            cancellationToken)));
        return command;
    }
}
